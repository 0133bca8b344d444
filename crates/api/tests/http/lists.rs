//! Lists for those who run a house: filters, pages, CSV, holds, refunds and histories, over HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use domain::{
    BookingId, BookingRepository, Command, Confirm, CustomerId, Hold, Outcome, PaymentReference, Request, SeatSelection, ShowId,
    TimeSource, UserName,
};
use loadgen::client::Method;
use postgres_adapter::{PgSettings, PgStore};
use serde_json::{Value, json};
use sqlite_adapter::SqliteStore;

use crate::support::{Client, Data, Kind, Reply, Server, on_both_stores};

on_both_stores! {
    bookings_are_filtered_by_all_that_is_said
    filters_that_make_no_sense_are_refused
    bookings_come_as_csv_once_each_while_others_are_made
    what_strangers_wrote_is_quoted_and_not_calculated
    live_holds_are_told_with_their_ages
    money_to_give_back_is_told_once
    a_history_comes_in_pages
}

const CSV: &[(&str, &str)] = &[("accept", "text/csv")];
const HEADER: &str = "id,show_id,user_name,status,created_at,updated_at,expires_at,failure_reason,refund_due,seat_numbers,\
    customer_id,payment_reference,reclaimed,blocked_for";

async fn start(kind: Kind) -> (Data, Server, Client) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, &[]).await;
    let client = server.client().await;
    (data, server, client)
}

impl Data {
    /// The bookings of the store, as one more process has them.
    fn bookings(&self) -> Arc<dyn BookingRepository> {
        match self {
            Self::Sqlite(directory) => {
                SqliteStore::open(&directory.path().join("rowlock.db"), TimeSource::Store).unwrap().bookings()
            }
            Self::Postgres(url) => PgStore::new(&PgSettings::new(url.as_str()), TimeSource::Store).unwrap().bookings(),
        }
    }
}

/// Holds of one seat each, from this one on, by these users and customers.
async fn held(store: &dyn BookingRepository, show: i64, first: i64, who: &[(&str, Option<&str>)]) -> Vec<i64> {
    let hold = |(seat, (user, customer)): (i64, &(&str, Option<&str>))| {
        let seats = SeatSelection::new(&[seat], 1).unwrap();
        let customer = customer.map(|id| CustomerId::new(id).unwrap());
        let (show_id, user_name) = (ShowId::new(show).unwrap(), UserName::new(user).unwrap());
        Command::Hold(Hold { show_id, seats, user_name, customer, hold_for: TimeDelta::hours(1) }).into()
    };
    let holds: Vec<Request> = (first..).zip(who).map(hold).collect();
    let booked = |outcome: &Outcome| match outcome {
        Outcome::Held { booking_id, .. } => booking_id.get(),
        other => panic!("{other:?}"),
    };
    store.execute(&holds).await.unwrap().iter().map(booked).collect()
}

async fn pay(store: &dyn BookingRepository, booking: i64, reference: &str) {
    let booking_id = BookingId::new(booking).unwrap();
    let payment = Some(PaymentReference::new(reference).unwrap());
    store.execute(&[Command::Confirm(Confirm { payment, ..Confirm::of(booking_id) }).into()]).await.unwrap();
}

fn ids(rows: &Value, member: &str) -> Vec<i64> {
    rows.as_array().unwrap().iter().map(|row| row[member].as_i64().unwrap()).collect()
}

/// The address of the next page.
fn next(reply: &Reply) -> Option<String> {
    let link = reply.headers.get("link")?.to_str().unwrap();
    Some(link.strip_suffix(">; rel=\"next\"").unwrap()[1..].to_owned())
}

async fn bookings_are_filtered_by_all_that_is_said(kind: Kind) {
    let (data, _server, mut client) = start(kind).await;
    let store = data.bookings();
    let (show, other) = (client.show(9).await, client.show(9).await);
    let odd = "a&b=c#%+d/é".replace('é', "e");
    let mine = held(&*store, show, 1, &[("Ada", Some(&odd)), ("Ada", Some(&odd)), ("Ada", Some(&odd)), ("Bob", Some("b"))]).await;
    let there = held(&*store, other, 1, &[("Ada", Some(&odd)), ("Bob", None)]).await;
    client.confirm(mine[1]).await.expect(200);
    client.confirm(mine[2]).await.expect(200);
    client.post(&format!("/admin/bookings/{}/cancel", mine[2]), json!({})).await.expect(200);
    let created = client.get(&format!("/book/{}", there[0])).await.expect(200)["booking"]["created_at"].clone();
    let created = created.as_str().unwrap();
    // An instant to the millisecond is before that to the microsecond, or the same.
    let later = "9999-12-31 23:59";
    let customer = "a%26b%3Dc%23%25%2Bd%2Fe";
    for (query, expected) in [
        (String::new(), vec![there[1], there[0], mine[3], mine[2], mine[1], mine[0]]),
        (format!("customer={customer}"), vec![there[0], mine[2], mine[1], mine[0]]),
        (format!("customer={customer}&show={show}"), vec![mine[2], mine[1], mine[0]]),
        (format!("customer={customer}&show={show}&status=CONFIRMED"), vec![mine[1]]),
        (format!("customer={customer}&show={show}&status=FAILED&refund_due=true"), vec![mine[2]]),
        (format!("customer={customer}&refund_due=false&status=PENDING"), vec![there[0], mine[0]]),
        ("customer=B".to_owned(), vec![]),
        ("customer=&refund_due=&from=&to=".to_owned(), vec![there[1], there[0], mine[3], mine[2], mine[1], mine[0]]),
        ("refund_due=true".to_owned(), vec![mine[2]]),
        (format!("refund_due=false&show={show}"), vec![mine[3], mine[1], mine[0]]),
        (format!("from={created}&show={other}"), vec![there[1], there[0]]),
        (format!("to={created}&show={other}"), vec![]),
        (format!("from={}", later.replace(' ', "%20")), vec![]),
        (format!("to={}&show={show}&status=PENDING", later.replace(' ', "+")), vec![mine[3], mine[0]]),
        ("from=2025-12-11T20:30:00%2B01:30&to=2025-12-11".to_owned() + "T19:00:00Z", vec![]),
    ] {
        let reply = client.get(&format!("/admin/bookings?{query}")).await;
        assert!(reply.headers["vary"].to_str().unwrap().contains("Accept"), "{reply:?}");
        assert_eq!(ids(&reply.expect(200), "id"), expected, "{query}");
    }
    // Every filter goes on to the next page.
    let query = format!("limit=1&customer={customer}&show={show}&from=2020-01-01+00:00&to={created}&refund_due=false");
    let page = client.get(&format!("/admin/bookings?{query}&status=PENDING")).await;
    let link = next(&page);
    assert_eq!(ids(&page.expect(200), "id"), [mine[0]]);
    let rest = format!("&status=PENDING&show={show}&customer={customer}&from=2020-01-01T00:00:00Z&to={created}&refund_due=false");
    assert_eq!(link, Some(format!("/admin/bookings?limit=1&before={}{rest}", mine[0])));
    assert_eq!(client.get(&link.unwrap()).await.expect(200), json!([]));
}

async fn filters_that_make_no_sense_are_refused(kind: Kind) {
    let (_data, _server, mut client) = start(kind).await;
    let long = "x".repeat(129);
    let time = "must be a time like 2025-12-11 19:00";
    let limit = "limit must be a number from 1 to";
    for (path, query, says) in [
        ("/admin/bookings", "customer=a%20b", "customer must be 1 to 128 visible ASCII characters."),
        ("/admin/bookings", "customer=%C3%A9", "customer must be 1 to 128 visible ASCII characters."),
        ("/admin/bookings", "customer=a%00", "customer must be 1 to 128 visible ASCII characters."),
        ("/admin/bookings", &format!("customer={long}"), "customer must be 1 to 128 visible ASCII characters."),
        ("/admin/bookings", "customer=a&customer=b", "The query could not be read."),
        ("/admin/bookings", "from=yesterday", time),
        ("/admin/bookings", "from=2025-12-11", time),
        ("/admin/bookings", "from=2025-02-30T19:00", time),
        ("/admin/bookings", "from=2025-12-11T20:30:00+01:30", "a + is sent as %2B."),
        ("/admin/bookings", "to=1765479600", time),
        ("/admin/bookings", "to=2025-12-11T24:00", time),
        ("/admin/bookings", "refund_due=yes", "refund_due must be true or false."),
        ("/admin/bookings", "refund_due=TRUE", "refund_due must be true or false."),
        ("/admin/bookings", "refund_due=1", "refund_due must be true or false."),
        ("/admin/bookings", "show=x", "show must be the id of a show."),
        ("/admin/bookings", "before=0", "before must be a number from 1 to"),
        ("/admin/bookings", "limit=10001", limit),
        ("/admin/holds", "show=0", "show must be the id of a show."),
        ("/admin/holds", "limit=0", limit),
        ("/admin/holds", "limit=10001", limit),
        ("/admin/holds", "after=x", "after must be a number from 1 to"),
        ("/admin/holds", "after=0", "after must be a number from 1 to"),
        ("/admin/holds", "after=9223372036854775808", "after must be a number from 1 to"),
        ("/admin/refunds", "limit=x", limit),
        ("/admin/refunds", "after=x", "after must be the id of a refund."),
        ("/admin/refunds", "after=0", "after must be the id of a refund."),
        ("/admin/refunds", "after=1:", "after must be the id of a refund."),
        ("/admin/refunds", "after=:p", "after must be the id of a refund."),
        ("/admin/refunds", "after=1:a%20b", "after must be the id of a refund."),
        ("/admin/bookings/1/history", "limit=1001", "limit must be a number from 1 to 1000."),
        ("/admin/bookings/1/history", "after=-1", "after must be a number from 1 to"),
    ] {
        for headers in [&[], CSV] {
            let reply = client.call(Method::GET, &format!("{path}?{query}"), None, headers).await;
            let problem = reply.problem(400, "invalid_query");
            assert!(problem["error"].as_str().unwrap().contains(says), "{path}?{query}: {problem}");
        }
    }
}

/// The rows below the header.
fn rows(reply: &Reply) -> Vec<Vec<String>> {
    assert_eq!((reply.status, reply.content_type.as_str()), (200, "text/csv; charset=utf-8"), "{reply:?}");
    let text = reply.body.as_str().unwrap();
    assert!(text.starts_with(&format!("{HEADER}\r\n")), "{text}");
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn first_numbers(rows: &[Vec<String>]) -> Vec<i64> {
    rows.iter().map(|row| row[0].parse().unwrap()).collect()
}

async fn bookings_come_as_csv_once_each_while_others_are_made(kind: Kind) {
    let (data, server, mut client) = start(kind).await;
    let store = data.bookings();
    assert_eq!(client.call(Method::GET, "/admin/bookings", None, CSV).await.body, format!("{HEADER}\r\n"));
    let show = client.show(10_000).await;
    let mut expected = Vec::new();
    for hundred in 0..25 {
        expected.extend(held(&*store, show, hundred * 100 + 1, &[("Ada", None); 100]).await);
    }
    expected.reverse();
    let (stop, mut rival) = (Arc::new(AtomicBool::new(false)), server.client().await);
    let until = Arc::clone(&stop);
    let others = tokio::spawn(async move {
        let mut seat = 5_000;
        while !until.load(Ordering::Relaxed) && seat < 10_000 {
            seat += 1;
            rival.booked(show, &[seat]).await;
        }
    });
    for _ in 0..3 {
        let listed = first_numbers(&rows(&client.call(Method::GET, "/admin/bookings", None, CSV).await));
        let made_meanwhile = listed.len() - expected.len();
        assert_eq!(listed[made_meanwhile..], expected, "once each, newest first");
        assert!(listed.is_sorted_by(|newer, older| newer > older));
    }
    stop.store(true, Ordering::Relaxed);
    others.await.unwrap();
    // A limit, a place to begin and a filter apply as ever, whatever the size of the pages behind.
    let mut list = async |query: &str| {
        let path = format!("/admin/bookings?{query}");
        first_numbers(&rows(&client.call(Method::GET, &path, None, CSV).await))
    };
    assert_eq!(list(&format!("limit=1500&before={}", expected[0])).await, expected[1..1501]);
    assert_eq!(list(&format!("limit=1000&before={}", expected[500])).await, expected[501..1501]);
    assert_eq!(list(&format!("before={}", expected[499])).await, expected[500..]);
    assert_eq!(list("status=CONFIRMED").await, [0; 0]);
    let head = client.call(Method::HEAD, "/admin/bookings", None, CSV).await;
    assert_eq!((head.status, head.content_type.as_str(), &head.body), (200, "text/csv; charset=utf-8", &json!("")));
    client.get("/readyz").await.expect(200);
}

async fn what_strangers_wrote_is_quoted_and_not_calculated(kind: Kind) {
    let (data, _server, mut client) = start(kind).await;
    let show = client.show(9).await;
    let who = [("=1+1", Some("=cmd")), ("Smith, \"Bob\"", Some("a,b")), ("-", None), ("@x", None), ("+", None), ("Zoë '=", None)];
    let booked = held(&*data.bookings(), show, 1, &who).await;
    pay(&*data.bookings(), booked[1], "-42").await;
    let reply = client.call(Method::GET, "/admin/bookings", None, CSV).await;
    assert!(reply.headers["vary"].to_str().unwrap().contains("Accept"));
    let text = reply.body.as_str().unwrap();
    assert!(text.contains(",\"Smith, \"\"Bob\"\"\","), "{text}");
    let csv = rows(&reply);
    let column = |name: &str| HEADER.split(',').position(|column| column == name).unwrap();
    let named = |name: &str| csv.iter().rev().map(|row| row[column(name)].clone()).collect::<Vec<_>>();
    assert_eq!(named("user_name"), ["'=1+1", "Smith, \"Bob\"", "'-", "'@x", "'+", "Zoë '="]);
    assert_eq!(named("customer_id"), ["'=cmd", "a,b", "", "", "", ""]);
    assert_eq!(named("payment_reference"), ["", "'-42", "", "", "", ""]);
    // Everything else is as in JSON, where the columns are members in the same order.
    let bookings = client.get("/admin/bookings").await.expect(200);
    for (row, booking) in csv.iter().zip(bookings.as_array().unwrap()) {
        assert_eq!(booking.as_object().unwrap().len(), row.len());
        for (name, cell) in HEADER.split(',').zip(row) {
            let expected = match &booking[name] {
                Value::Null => String::new(),
                Value::String(text) if text.starts_with(['=', '+', '-', '@']) => format!("'{text}"),
                Value::String(text) => text.clone(),
                Value::Array(seats) => seats.iter().map(Value::to_string).collect::<Vec<_>>().join(" "),
                other => other.to_string(),
            };
            assert_eq!(*cell, expected, "{name}");
        }
    }
}

async fn live_holds_are_told_with_their_ages(kind: Kind) {
    let (data, _server, mut client) = start(kind).await;
    let (show, other) = (client.show(9).await, client.show(9).await);
    assert_eq!(client.get("/admin/holds").await.expect(200), json!([]));
    let here = held(&*data.bookings(), show, 1, &[("Ada", Some("a")), ("Bob", None), ("Cyd", None)]).await;
    let there = client.booked(other, &[1, 2]).await;
    client.confirm(here[1]).await.expect(200);
    let holds = client.get("/admin/holds").await.expect(200);
    assert_eq!(ids(&holds, "booking_id"), [here[0], here[2], there]);
    let booking = client.get(&format!("/book/{}", here[0])).await.expect(200)["booking"].clone();
    for member in ["show_id", "user_name", "customer_id", "seat_numbers", "created_at", "expires_at"] {
        assert_eq!(holds[0][member], booking[member], "{member}");
    }
    let (age, remaining) = (holds[0]["age_seconds"].as_f64().unwrap(), holds[0]["remaining_seconds"].as_f64().unwrap());
    assert!(age > 0.0 && remaining > 0.0 && (age + remaining - 3600.0).abs() < 1e-3, "{holds}");
    assert_eq!(ids(&client.get(&format!("/admin/holds?show={other}")).await.expect(200), "booking_id"), [there]);
    let page = client.get(&format!("/admin/holds?show={show}&limit=1")).await;
    let link = next(&page).unwrap();
    assert_eq!(link, format!("/admin/holds?limit=1&after={}&show={show}", here[0]));
    let page = client.get(&link).await;
    let link = next(&page).unwrap();
    assert_eq!(ids(&page.expect(200), "booking_id"), [here[2]]);
    let page = client.get(&link).await;
    assert_eq!((next(&page), page.expect(200)), (None, json!([])));
}

async fn money_to_give_back_is_told_once(kind: Kind) {
    let (data, _server, mut client) = start(kind).await;
    let store = data.bookings();
    let show = client.show(9).await;
    assert_eq!(client.get("/admin/refunds").await.expect(200), json!([]));
    let booked = held(&*store, show, 1, &[("Ada", None); 4]).await;
    // Sold; sold and paid again, with a reference that no address can hold as it is; cancelled, without and with a payment too late.
    pay(&*store, booked[0], "fine").await;
    for reference in ["once", "&again=#1%"] {
        pay(&*store, booked[1], reference).await;
    }
    client.confirm(booked[2]).await.expect(200);
    client.post(&format!("/admin/bookings/{}/cancel", booked[2]), json!({})).await.expect(200);
    client.post("/book/cancel", json!({"bookingId": booked[3]})).await.expect(200);
    pay(&*store, booked[3], "late").await;
    let refunds = client.get("/admin/refunds").await.expect(200);
    let told = |id: String, booking: i64, reference: Option<&str>, reason: &str| json!([id, booking, show, reference, reason]);
    let expected = [
        told(booked[3].to_string(), booked[3], Some("late"), "cancelled"),
        told(booked[2].to_string(), booked[2], None, "cancelled"),
        told(format!("{}:&again=#1%", booked[1]), booked[1], Some("&again=#1%"), "paid_again"),
    ];
    let members = |row: &Value| json!([row["id"], row["booking_id"], row["show_id"], row["payment_reference"], row["reason"]]);
    assert_eq!(refunds.as_array().unwrap().iter().map(members).collect::<Vec<_>>(), expected);
    let failed = client.get(&format!("/book/{}", booked[2])).await.expect(200);
    assert_eq!(refunds[1]["since"], failed["booking"]["updated_at"]);
    let (mut paged, mut path) = (Vec::new(), Some("/admin/refunds?limit=1".to_owned()));
    while let Some(address) = path {
        let page = client.get(&address).await;
        path = next(&page);
        paged.extend(page.expect(200).as_array().unwrap().clone());
    }
    assert_eq!(Value::from(paged), refunds, "whatever the size of the pages");
}

async fn a_history_comes_in_pages(kind: Kind) {
    let (_data, _server, mut client) = start(kind).await;
    let show = client.show(9).await;
    let (booking, rival) = (client.booked(show, &[1]).await, client.booked(show, &[9]).await);
    for seat in 2..=4 {
        client.post("/book/change", json!({"bookingId": booking, "add": [seat]})).await.expect(200);
        client.post("/book/change", json!({"bookingId": rival, "add": [seat + 3]})).await.expect(200);
    }
    let path = format!("/admin/bookings/{booking}/history");
    let whole = client.get(&path).await;
    assert_eq!(next(&whole), None);
    let whole = whole.expect(200);
    assert_eq!(ids(&whole, "number"), [1, 3, 5, 7]);
    let page = client.get(&format!("{path}?limit=3")).await;
    let link = next(&page).unwrap();
    assert_eq!(link, format!("{path}?limit=3&after=5"));
    assert_eq!(ids(&page.expect(200), "number"), [1, 3, 5]);
    assert_eq!(client.get(&link).await.expect(200), json!([whole[3]]));
    assert_eq!(client.get(&format!("{path}?after=2")).await.expect(200).as_array().unwrap()[..], whole.as_array().unwrap()[1..]);
    assert_eq!(client.get(&format!("{path}?after=7")).await.expect(200), json!([]));
    client.get("/admin/bookings/77/history?after=7").await.problem(404, "no_such_booking");
}
