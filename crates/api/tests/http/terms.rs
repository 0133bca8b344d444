//! What a show allows, and shows that change, over HTTP.

use loadgen::client::Method;
use serde_json::{Value, json};

use crate::support::{Client, Data, Kind, Reply, Server, on_both_stores};

on_both_stores! {
    a_customer_is_limited
    a_customer_is_known_by_its_address_behind_a_proxy
    a_show_is_sold_in_its_time
    the_house_keeps_seats
    a_show_is_edited_member_by_member
    an_edit_is_repeated_whatever_was_edited_since
    a_cancelled_show_gives_back_everything
    terms_are_checked
}

async fn start(kind: Kind, settings: &[(&str, &str)]) -> (Data, Server) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, settings).await;
    (data, server)
}

impl Client {
    async fn show_on(&mut self, terms: Value) -> i64 {
        let mut show = json!({"name": "Lear", "start_time": "2025-12-11 19:00", "total_seats": 9});
        show.as_object_mut().unwrap().extend(terms.as_object().unwrap().clone());
        self.post("/admin/shows", show).await.expect(201)["showId"].as_i64().unwrap()
    }

    async fn book_by(&mut self, customer: &str, show: i64, seats: &[i64]) -> Reply {
        self.post("/book", json!({"showId": show, "seats": seats, "customerId": customer})).await
    }
}

async fn a_customer_is_limited(kind: Kind) {
    let (data, server) = start(kind, &[]).await;
    let client = &mut server.client().await;
    let show = client.show_on(json!({"seats_per_customer": 2, "seats_per_booking": 1, "holds_per_customer": 1})).await;
    client.book(show, &[1]).await.problem(400, "customer_required");
    let booking = client.book_by("ada", show, &[1]).await.expect(201)["bookingId"].as_i64().unwrap();
    assert_eq!(client.book_by("ada", show, &[2]).await.problem(409, "customer_limit")["max"], 1);
    assert_eq!(client.book_by("bob", show, &[2, 3]).await.problem(409, "too_many_seats")["max"], 1);
    client.book_by("bob", show, &[2]).await.expect(201);
    client.confirm(booking).await.expect(200);
    let second = client.book_by("ada", show, &[3]).await.expect(201)["bookingId"].as_i64().unwrap();
    client.confirm(second).await.expect(200);
    let problem = client.book_by("ada", show, &[4]).await.problem(409, "customer_limit");
    assert_eq!((&problem["max"], &problem["has"]), (&json!(2), &json!(2)));
    assert_eq!(client.get(&format!("/book/{booking}")).await.expect(200)["booking"]["customer_id"], "ada");
    for bad in [json!(""), json!(5), json!("a b"), json!("ip:203.0.113.7"), json!("c".repeat(129))] {
        let body = json!({"showId": show, "seats": [5], "customerId": bad});
        assert_eq!(client.post("/book", body).await.problem(400, "invalid_request")["mistakes"][0]["member"], "customerId");
    }
    client.book_by(&"c".repeat(128), show, &[5]).await.expect(201);
    data.verify().await;
}

async fn a_customer_is_known_by_its_address_behind_a_proxy(kind: Kind) {
    let (_data, server) = start(kind, &[("TRUSTED_PROXIES", "127.0.0.1")]).await;
    let client = &mut server.client().await;
    let show = client.show_on(json!({"seats_per_customer": 1})).await;
    let mut book = async |address: &str, seat: i64| {
        let body = json!({"showId": show, "seats": [seat]}).to_string();
        client.call(Method::POST, "/book", Some(body.as_bytes()), &[("x-forwarded-for", address)]).await
    };
    let booked = book("192.0.2.7", 1).await.expect(201);
    book("192.0.2.7", 2).await.problem(409, "customer_limit");
    book("192.0.2.8", 2).await.expect(201);
    let by_ipv6 = book("2001:db8:1:2::7", 3).await.expect(201);
    book("2001:db8:1:2:ffff::8", 4).await.problem(409, "customer_limit");
    book("2001:db8:1:3::7", 4).await.expect(201);
    for (booked, customer) in [(booked, "ip:192.0.2.7"), (by_ipv6, "ip:2001:db8:1:2::/64")] {
        let found = client.get(&format!("/book/{}", booked["bookingId"])).await.expect(200);
        assert_eq!(found["booking"]["customer_id"], customer);
    }
}

async fn a_show_is_sold_in_its_time(kind: Kind) {
    let (_data, server) = start(kind, &[]).await;
    let client = &mut server.client().await;
    let early = client.show_on(json!({"on_sale_at": "2999-01-01 10:00"})).await;
    let problem = client.book(early, &[1]).await.problem(409, "not_on_sale");
    assert_eq!((&problem["on_sale_at"], &problem["retryable"]), (&json!("2999-01-01T10:00:00.000Z"), &json!(true)));
    let over = client.show_on(json!({"on_sale_at": "2019-01-01 10:00", "off_sale_at": "2020-01-01 10:00"})).await;
    let problem = client.book(over, &[1]).await.problem(409, "not_on_sale");
    assert_eq!((&problem["off_sale_at"], &problem["retryable"]), (&json!("2020-01-01T10:00:00.000Z"), &json!(false)));
    let now = client.show_on(json!({"on_sale_at": "2019-01-01 10:00", "off_sale_at": "2999-01-01 10:00"})).await;
    client.booked(now, &[1]).await;
}

async fn the_house_keeps_seats(kind: Kind) {
    let (data, server) = start(kind, &[]).await;
    let client = &mut server.client().await;
    // Not even where customers may cancel what is sold.
    let show = client.show_on(json!({"total_seats": 4, "customers_may_cancel": true, "seats_per_booking": 1})).await;
    let path = format!("/admin/shows/{show}/blocks");
    let blocked = client.post(&path, json!({"seats": [1, 2], "reason": " the mayor "})).await.expect(201);
    let id = blocked["bookingId"].as_i64().unwrap();
    assert_eq!(blocked, json!({"message": "Seats blocked", "bookingId": id, "status": "CONFIRMED"}));
    client.post(&path, json!({"seats": [2, 3], "reason": "x"})).await.problem(409, "seats_not_free");
    let problem = client.book(show, &[1]).await.problem(409, "seats_not_free");
    assert_eq!(problem["seats"], json!([{"seat_number": 1, "reason": "sold"}]));
    let map = client.get(&format!("/shows/{show}/seats")).await.expect(200);
    let map: Vec<_> = map.as_array().unwrap().iter().map(|seat| seat["status"].as_str().unwrap()).collect();
    assert_eq!(map, ["CONFIRMED", "CONFIRMED", "AVAILABLE", "AVAILABLE"]);
    let paid = json!({"bookingId": id, "paymentReference": "pi_1"});
    let refused = client.post("/book/confirm", paid).await.problem(409, "booking_not_pending");
    assert_eq!(refused["refundDue"], Value::Null, "nobody pays for it");
    client.post("/book/cancel", json!({"bookingId": id})).await.problem(409, "sale_is_final");
    let found = client.get(&format!("/book/{id}")).await.expect(200)["booking"].clone();
    assert_eq!((&found["blocked_for"], &found["user_name"]), (&json!("the mayor"), &json!("house")));
    let counts = client.get(&format!("/admin/shows/{show}/counts")).await.expect(200);
    assert_eq!(counts["seats"], json!({"AVAILABLE": 2, "PENDING": 0, "CONFIRMED": 0, "BLOCKED": 2}));
    for wrong in [
        json!({"seats": [3]}),
        json!({"reason": "x"}),
        json!({"seats": [3], "reason": " "}),
        json!({"seats": [3], "reason": "x".repeat(201)}),
    ] {
        client.post(&path, wrong).await.problem(400, "invalid_request");
    }
    let released = client.post(&format!("/admin/bookings/{id}/cancel"), json!({})).await.expect(200);
    assert_eq!(released["refundDue"], false);
    client.booked(show, &[1]).await;
    client.booked(show, &[2]).await;
    let large = client.show_on(json!({"total_seats": 1001})).await;
    let block = |to: i64| json!({"seats": (1..=to).collect::<Vec<i64>>(), "reason": "the mayor"});
    let path = format!("/admin/shows/{large}/blocks");
    assert_eq!(client.post(&path, block(1001)).await.problem(400, "too_many_seats")["max"], 1000);
    client.post(&path, block(1000)).await.expect(201);
    for (id, status, code) in [("99", 404, "no_such_show"), ("x", 400, "invalid_id")] {
        client.post(&format!("/admin/shows/{id}/blocks"), block(1)).await.problem(status, code);
    }
    data.verify().await;
}

async fn a_show_is_edited_member_by_member(kind: Kind) {
    let (_data, server) = start(kind, &[]).await;
    let client = &mut server.client().await;
    let show = client.show_on(json!({"hold_seconds": 60, "seats_per_booking": 2})).await;
    let (path, find) = (format!("/admin/shows/{show}/edit"), format!("/shows/{show}"));
    let before = client.get(&find).await.expect(200);
    let edited = client.post(&path, json!({"name": "King Lear", "off_sale_at": "2999-01-01 10:00"})).await.expect(200);
    assert_eq!(edited, json!({"message": "Show edited", "showId": show}));
    let mut expected = before;
    (expected["name"], expected["off_sale_at"]) = (json!("King Lear"), json!("2999-01-01T10:00:00.000Z"));
    assert_eq!(client.get(&find).await.expect(200), expected);
    client.post(&path, json!({"seats_per_booking": null, "start_time": "2026-01-01 20:00"})).await.expect(200);
    (expected["seats_per_booking"], expected["start_time"]) = (json!(null), json!("2026-01-01T20:00:00.000Z"));
    assert_eq!(client.get(&find).await.expect(200), expected);
    for wrong in
        [json!({"name": null}), json!({"start_time": "x"}), json!({"hold_seconds": 0}), json!({"on_sale_at": "2999-01-01 10:00"})]
    {
        client.post(&path, wrong).await.problem(400, "invalid_request");
    }
    client.post("/admin/shows/99/edit", json!({})).await.problem(404, "no_such_show");
    assert_eq!(client.get(&find).await.expect(200), expected, "a refused edit changes nothing");
}

async fn an_edit_is_repeated_whatever_was_edited_since(kind: Kind) {
    let (_data, server) = start(kind, &[]).await;
    let client = &mut server.client().await;
    let path = format!("/admin/shows/{}/edit", client.show_on(json!({})).await);
    let (late, keyed) = (r#"{"on_sale_at": "2030-01-01 10:00"}"#, [("idempotency-key", "late")]);
    client.call(Method::POST, &path, Some(late.as_bytes()), &keyed).await.expect(200);
    client.post(&path, json!({"on_sale_at": null, "off_sale_at": "2029-01-01 10:00"})).await.expect(200);
    // By now it would end before it begins.
    client.post(&path, json!({"on_sale_at": "2030-01-01 10:00"})).await.problem(400, "invalid_request");
    let again = client.call(Method::POST, &path, Some(late.as_bytes()), &keyed).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    again.expect(200);
    client.call(Method::POST, &path, Some(late.as_bytes()), &[("idempotency-key", "new")]).await.problem(400, "invalid_request");
}

/// More bookings than fail in one transaction.
async fn a_cancelled_show_gives_back_everything(kind: Kind) {
    let (data, server) = start(kind, &[]).await;
    let client = &mut server.client().await;
    let show = client.show(130).await;
    for seat in 1..=120 {
        let booking = client.booked(show, &[seat]).await;
        if seat % 3 == 0 {
            client.confirm(booking).await.expect(200);
        }
    }
    let path = format!("/admin/shows/{show}/cancel");
    let cancelled = json!({"message": "Show cancelled", "showId": show});
    for _ in 0..2 {
        assert_eq!(client.post(&path, json!({})).await.expect(200), cancelled);
    }
    let counts = client.get(&format!("/admin/shows/{show}/counts")).await.expect(200);
    assert_eq!(counts["seats"]["AVAILABLE"], 130);
    assert_eq!(counts["bookings"], json!({"PENDING": 0, "CONFIRMED": 0, "FAILED": 120}));
    assert_eq!(counts["refunds_due"], 40);
    client.book(show, &[1]).await.problem(409, "show_cancelled");
    client.confirm(1).await.problem(409, "booking_not_pending");
    let found = client.get("/book/1").await.expect(200);
    assert_eq!(found["booking"]["failure_reason"], "show_cancelled");
    assert_ne!(client.get(&format!("/shows/{show}")).await.expect(200)["cancelled_at"], Value::Null);
    client.post("/admin/shows/99/cancel", json!({})).await.problem(404, "no_such_show");
    data.verify().await;
}

async fn terms_are_checked(kind: Kind) {
    let (_data, server) = start(kind, &[]).await;
    let client = &mut server.client().await;
    let wrong =
        |member: &str, value: Value| json!({"name": "Lear", "start_time": "2025-12-11 19:00", "total_seats": 9, member: value});
    let limits = ["seats_per_booking", "seats_per_customer", "holds_per_customer"];
    for member in limits {
        for value in [json!(0), json!(-1), json!(1_000_001), json!(i64::MAX), json!("2"), json!(1.5), json!([1])] {
            client.post("/admin/shows", wrong(member, value)).await.problem(400, "invalid_request");
        }
        for value in [json!(1), json!(1_000_000), json!(null)] {
            client.post("/admin/shows", wrong(member, value)).await.expect(201);
        }
    }
    for member in ["on_sale_at", "off_sale_at"] {
        for value in [json!(""), json!("tomorrow"), json!(5), json!("2025-02-30 10:00"), json!("10000-01-01 10:00")] {
            client.post("/admin/shows", wrong(member, value)).await.problem(400, "invalid_request");
        }
    }
    for (value, taken) in [(json!(true), true), (json!(false), false), (json!(null), false)] {
        let id = client.post("/admin/shows", wrong("late_confirm", value)).await.expect(201)["showId"].clone();
        assert_eq!(client.get(&format!("/shows/{id}")).await.expect(200)["late_confirm"], taken);
    }
    for value in [json!("yes"), json!(1)] {
        client.post("/admin/shows", wrong("late_confirm", value)).await.problem(400, "invalid_request");
    }
    let mut backwards = wrong("on_sale_at", json!("2025-12-11 10:00"));
    backwards["off_sale_at"] = json!("2025-12-11 10:00");
    client.post("/admin/shows", backwards).await.problem(400, "invalid_request");
}
