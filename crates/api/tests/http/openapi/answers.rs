//! Answers, each success and each problem that a client can provoke at once, are what the document says.

use std::collections::BTreeSet;

use loadgen::client::Method;
use serde_json::{Value, json};

use super::document::Document;
use crate::access::entry;
use crate::support::{Client, Data, Kind, Reply, Server, on_both_stores};

on_both_stores! {
    every_answer_is_one_that_is_described
}

const ADMIN: &str = "Bearer the-admin-s-own-token";
const READER: &str = "the-reader-s-own-token";
const MANAGER: &str = "the-manager-s-own-token";

/// What needs a store in trouble, a full queue or a slow client.
const NOT_AT_ONCE: [&str; 11] = [
    "store_unavailable",
    "contended",
    "outcome_unknown",
    "internal",
    "busy",
    "timed_out",
    "closing",
    "migrations_pending",
    "store_too_new",
    "too_slow",
    "unreadable_body",
];

/// Calls, and what they were answered with.
struct Caller {
    client: Client,
    document: Document,
    seen: BTreeSet<(String, Option<String>)>,
}

impl Caller {
    /// The path `{id}` of which is this one.
    async fn call(&mut self, method: Method, path: &str, id: &str, body: Option<&str>, headers: &[(&str, &str)]) -> Reply {
        let address = path.replace("{id}", id);
        let reply = self.client.call(method.clone(), &address, body.map(str::as_bytes), headers).await;
        self.seen.insert(self.document.check(&method, path.split('?').next().unwrap(), &reply));
        reply
    }

    /// By an admin.
    async fn get(&mut self, path: &str, id: &str) -> Reply {
        self.call(Method::GET, path, id, None, &[("authorization", ADMIN)]).await
    }

    /// By an admin.
    async fn post(&mut self, path: &str, body: Value) -> Reply {
        self.call(Method::POST, path, "", Some(&body.to_string()), &[("authorization", ADMIN)]).await
    }

    /// By an admin, under a key; then something else under the same key.
    async fn post_once(&mut self, path: &str, id: &str, body: Value, other: Value) -> Value {
        let headers = [("authorization", ADMIN), ("idempotency-key", path)];
        let first = self.call(Method::POST, path, id, Some(&body.to_string()), &headers).await;
        assert!(first.status < 300, "{path} {first:?}");
        self.call(Method::POST, path, id, Some(&other.to_string()), &headers).await.problem(422, "idempotency_key_reused");
        first.body
    }

    async fn booked(&mut self, show: i64, seats: &[i64]) -> i64 {
        let booked = self.post("/book", json!({"showId": show, "seats": seats})).await;
        booked.expect(201)["bookingId"].as_i64().unwrap()
    }
}

fn guarded() -> Vec<(&'static str, String)> {
    vec![
        ("ACCESS", "guarded".to_owned()),
        ("ADMIN_TOKEN", ADMIN["Bearer ".len()..].to_owned()),
        ("ADMIN_TOKENS", [("reader", READER, "read"), ("manager", MANAGER, "manage")].map(entry).join(",")),
        ("BOOKING_SECRET", "a secret that nobody can guess".to_owned()),
        // The next sweep is an hour away.
        ("SWEEP_SECONDS", "3600".to_owned()),
    ]
}

async fn start(data: &Data, more: &[(&'static str, &str)]) -> Server {
    let guarded = guarded();
    let settings: Vec<_> = guarded.iter().map(|(name, value)| (*name, value.as_str())).chain(more.iter().copied()).collect();
    Server::start(data, &settings).await
}

async fn every_answer_is_one_that_is_described(kind: Kind) {
    let data = Data::fresh(kind);
    let server = start(&data, &[]).await;
    let mut client = server.client().await;
    let document = Document::read(&mut client).await;
    let mut caller = Caller { client, document, seen: BTreeSet::new() };
    sales(&mut caller).await;
    terms(&mut caller).await;
    endings(&mut caller).await;
    refused_at_the_door(&mut caller).await;
    drop(server);
    let server = start(&data, &[("HOLD_SECONDS", "0.3")]).await;
    caller.client = server.client().await;
    too_late(&mut caller).await;
    drop(server);
    let server = start(&data, &[("RATE_LIMIT_READS", "1/h"), ("RATE_LIMIT_WRITES", "1/h")]).await;
    caller.client = server.client().await;
    too_often(&mut caller).await;

    for operation in caller.document.operations().iter().filter(|operation| operation.id != "page") {
        assert!(caller.seen.contains(&(operation.id.clone(), None)), "no success of {} was seen", operation.id);
        for code in operation.codes().filter(|code| !NOT_AT_ONCE.contains(code)) {
            let seen = caller.seen.contains(&(operation.id.clone(), Some(code.to_owned())));
            assert!(seen, "{code} of {} is described, but was not seen", operation.id);
        }
    }
}

/// Shows, and a booking up to its sale.
async fn sales(caller: &mut Caller) {
    let show = |name: &str| json!({"name": name, "start_time": "2025-12-11 19:00", "total_seats": 60});
    caller.post_once("/admin/shows", "", show("Hamlet"), show("Macbeth")).await;
    let held = caller.post_once("/book", "", json!({"showId": 1, "seats": [1, 2]}), json!({"showId": 1, "seats": [3]})).await;
    let this = |more: Value| {
        let mut body = json!({"bookingId": held["bookingId"]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let other = json!({"bookingId": 99, "add": [9]});
    caller.post_once("/book/extend", "", this(json!({})), other.clone()).await;
    caller.post_once("/book/change", "", this(json!({"remove": [2]})), other.clone()).await;
    let many = |first: i64, last: i64| (first..=last).collect::<Vec<i64>>();
    for (more, code) in [
        (json!({}), "no_seats"),
        (json!({"add": many(2, 52)}), "too_many_seats"),
        (json!({"add": many(2, 51)}), "too_many_seats"),
        (json!({"add": [3], "remove": [3]}), "duplicate_seats"),
        (json!({"add": [1, 99], "remove": [5]}), "seats_not_free"),
        (json!({"remove": [1]}), "no_seat_left"),
    ] {
        assert_eq!(caller.post("/book/change", this(more)).await.body["code"], code);
    }
    for (body, code) in [
        (json!({"showId": 99, "seats": [1]}), "no_such_show"),
        (json!({"showId": 1, "seats": []}), "no_seats"),
        (json!({"showId": 1, "seats": many(1, 51)}), "too_many_seats"),
        (json!({"showId": 1, "seats": [1, 1]}), "duplicate_seats"),
        (json!({"showId": 1, "seats": [1, 99]}), "seats_not_free"),
    ] {
        assert_eq!(caller.post("/book", body).await.body["code"], code);
    }
    for (seats, code) in [
        (json!([]), "no_seats"),
        (json!(many(1, 51)), "too_many_seats"),
        (json!([1, 1]), "duplicate_seats"),
        (json!([9]), "seats_not_free"),
    ] {
        assert_eq!(caller.post("/book/confirm", this(json!({"seats": seats}))).await.body["code"], code);
    }
    caller.post_once("/book/confirm", "", this(json!({"paymentReference": "p1"})), other.clone()).await;
    let unpaid = caller.booked(1, &[30]).await;
    let paid_before = json!({"bookingId": unpaid, "paymentReference": "p1"});
    caller.post("/book/confirm", paid_before).await.problem(409, "payment_used");
    for path in ["/book/confirm", "/book/extend", "/book/change"] {
        caller.post(path, this(json!({"add": [9]}))).await.problem(409, "booking_not_pending");
        caller.post(path, other.clone()).await.problem(404, "no_such_booking");
    }
    let mine = this(json!({"bookingToken": held["bookingToken"]})).to_string();
    caller.call(Method::POST, "/book/cancel", "", Some(&mine), &[]).await.problem(409, "sale_is_final");
    let limited =
        json!({"name": "Lear", "start_time": "2025-12-11 19:00", "total_seats": 9, "hold_seconds": 60, "hold_limit_seconds": 60});
    let limited = caller.post("/admin/shows", limited).await.expect(201)["showId"].as_i64().unwrap();
    let held = caller.booked(limited, &[1]).await;
    caller.post("/book/extend", json!({"bookingId": held})).await.problem(409, "hold_limit_reached");
}

/// What a show allows, and what the house does.
async fn terms(caller: &mut Caller) {
    let show = |more: Value| {
        let mut show = json!({"name": "Lear", "start_time": "2025-12-11 19:00", "total_seats": 60});
        show.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        show
    };
    let limited =
        caller.post("/admin/shows", show(json!({"seats_per_customer": 2, "seats_per_booking": 3}))).await.expect(201)["showId"]
            .to_string();
    let book = |show: &str, customer: &str, seats: &[i64]| json!({"showId": show.parse::<i64>().unwrap(), "seats": seats, "customerId": customer});
    // An admin is the house, which nothing limits.
    let customers_call = async |caller: &mut Caller, path: &str, body: Value| {
        caller.call(Method::POST, path, "", Some(&body.to_string()), &[]).await
    };
    let held = customers_call(caller, "/book", book(&limited, "ada", &[1, 2])).await.expect(201);
    customers_call(caller, "/book", book(&limited, "ada", &[3])).await.problem(409, "customer_limit");
    customers_call(caller, "/book", book(&limited, "bob", &[3, 4, 5, 6])).await.problem(409, "too_many_seats");
    let nobody = json!({"showId": limited.parse::<i64>().unwrap(), "seats": [3]});
    customers_call(caller, "/book", nobody).await.problem(400, "customer_required");
    let more = json!({"bookingId": held["bookingId"], "bookingToken": held["bookingToken"], "add": [3]});
    customers_call(caller, "/book/change", more.clone()).await.problem(409, "customer_limit");
    let (edit, over) = ("/admin/shows/{id}/edit", json!({"seats_per_customer": 9, "off_sale_at": "2020-01-01 00:00"}));
    caller.post_once(edit, &limited, over, json!({"name": "King Lear"})).await;
    customers_call(caller, "/book", book(&limited, "bob", &[3])).await.problem(409, "not_on_sale");
    customers_call(caller, "/book/change", more).await.problem(409, "not_on_sale");

    let (blocks, cancel) = ("/admin/shows/{id}/blocks", "/admin/shows/{id}/cancel");
    let block = |seats: &[i64]| json!({"seats": seats, "reason": "the mayor"});
    caller.post_once(blocks, &limited, block(&[5]), block(&[6])).await;
    let many: Vec<i64> = (1..=1001).collect();
    for (seats, code) in
        [(&[][..], "no_seats"), (&many, "too_many_seats"), (&[7, 7], "duplicate_seats"), (&[5], "seats_not_free")]
    {
        let headers = [("authorization", ADMIN)];
        let reply = caller.call(Method::POST, blocks, &limited, Some(&block(seats).to_string()), &headers).await;
        assert_eq!(reply.body["code"], code);
    }
    caller.post_once(cancel, &limited, json!({}), json!({"because": "of rain"})).await;
    let headers = [("authorization", ADMIN)];
    caller.call(Method::POST, blocks, &limited, Some(&block(&[9]).to_string()), &headers).await.problem(409, "show_cancelled");
    customers_call(caller, "/book", book(&limited, "bob", &[3])).await.problem(409, "show_cancelled");
    for id in ["99", "x"] {
        for (path, body) in [(edit, json!({"name": "x"})), (blocks, block(&[1])), (cancel, json!({}))] {
            caller.call(Method::POST, path, id, Some(&body.to_string()), &headers).await;
        }
    }
    caller.call(Method::POST, edit, "1", Some(r#"{"name": 5}"#), &headers).await.problem(400, "invalid_request");
}

/// Cancellations, and what can be read.
async fn endings(caller: &mut Caller) {
    let (first, second) = (caller.booked(1, &[10]).await, caller.booked(1, &[11]).await);
    caller.post_once("/book/cancel", "", json!({"bookingId": first}), json!({"bookingId": 99})).await;
    let path = "/admin/bookings/{id}/cancel";
    caller.post_once(path, &second.to_string(), json!({}), json!({"because": "of rain"})).await;
    for id in [second.to_string().as_str(), "99", "x"] {
        caller.call(Method::POST, path, id, Some("{}"), &[("authorization", ADMIN)]).await;
        caller.get("/admin/bookings/{id}/history", id).await;
        caller.get("/book/{id}", id).await;
        caller.get("/shows/{id}", id).await;
        caller.get("/shows/{id}/seats", id).await;
        caller.get("/admin/shows/{id}/counts", id).await;
    }
    for path in ["/shows/{id}", "/shows/{id}/seats", "/admin/shows/{id}/counts"] {
        caller.get(path, "1").await.expect(200);
    }
    caller.post("/book/cancel", json!({"bookingId": 99})).await.problem(404, "no_such_booking");
    for query in ["", "?limit=1", "?before=0"] {
        caller.get(&format!("/shows{query}"), "").await;
        caller.get(&format!("/admin/bookings{query}"), "").await;
    }
    for query in ["", "?after=0"] {
        caller.get(&format!("/admin/holds{query}"), "").await;
        caller.get(&format!("/admin/refunds{query}"), "").await;
        caller.get(&format!("/admin/bookings/{{id}}/history{query}"), "1").await;
    }
    let csv = [("authorization", ADMIN), ("accept", "text/csv")];
    let bookings = caller.call(Method::GET, "/admin/bookings", "", None, &csv).await;
    assert_eq!(bookings.content_type, "text/csv; charset=utf-8");
    for path in ["/healthz", "/readyz", "/openapi.json"] {
        caller.get(path, "").await.expect(200);
    }
}

/// Every call with bad tokens, bad bodies and a bad key.
async fn refused_at_the_door(caller: &mut Caller) {
    let long = format!("\"{}\"", "x".repeat(64 * 1024));
    for operation in caller.document.operations().into_iter().filter(|operation| operation.id != "page") {
        let body = operation.body().map(|body| body["example"].to_string());
        let (method, path) = (operation.method.clone(), operation.path.as_str());
        // The first show is needed later.
        let id = if operation.id == "cancelShow" { "2" } else { "1" };
        caller.call(method.clone(), path, id, body.as_deref(), &[]).await;
        for token in ["nonsense", READER, MANAGER] {
            let bearer = format!("Bearer {token}");
            caller.call(method.clone(), path, id, body.as_deref(), &[("authorization", &bearer)]).await;
        }
        if body.is_some() {
            for body in ["", "[]", "{}", "{", &long] {
                caller.call(method.clone(), path, "99", Some(body), &[("authorization", ADMIN)]).await;
            }
            let plain = [("authorization", ADMIN), ("content-type", "text/plain")];
            caller.call(method.clone(), path, "99", body.as_deref(), &plain).await.problem(415, "not_json");
            let spaced = [("authorization", ADMIN), ("idempotency-key", "a b")];
            caller.call(method, path, "99", body.as_deref(), &spaced).await.problem(400, "invalid_idempotency_key");
        }
    }
}

/// What can't be done to a hold that has run out, and when somebody else has got its seat.
async fn too_late(caller: &mut Caller) {
    let held = caller.booked(1, &[20]).await;
    while caller.get("/book/{id}", &held.to_string()).await.expect(200)["booking"]["status"] != "FAILED" {}
    for path in ["/book/confirm", "/book/extend", "/book/change"] {
        caller.post(path, json!({"bookingId": held, "add": [21]})).await.problem(409, "hold_expired");
    }
    for code in ["hold_expired", "booking_not_pending"] {
        caller.post("/book/cancel", json!({"bookingId": held})).await.problem(409, code);
        let (path, headers) = ("/admin/bookings/{id}/cancel", [("authorization", ADMIN)]);
        caller.call(Method::POST, path, &held.to_string(), Some("{}"), &headers).await.problem(409, code);
        caller.post("/book", json!({"showId": 1, "seats": [20]})).await;
    }
}

/// Every call, when this client has used up its share.
async fn too_often(caller: &mut Caller) {
    caller.client.get("/nope").await;
    caller.client.post("/nope", json!({})).await;
    for operation in caller.document.operations() {
        let body = operation.body().map(|body| body["example"].to_string());
        let reply = caller.call(operation.method.clone(), &operation.path, "1", body.as_deref(), &[]).await;
        assert!(reply.status == 429 || operation.path.ends_with('z'), "{reply:?}");
    }
}
