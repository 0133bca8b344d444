//! Requests that are made more than once, under an `Idempotency-Key`.

use loadgen::client::Method;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Client, Data, Kind, Reply, Server, on_both_stores};

on_both_stores! {
    every_write_is_done_once_under_its_key
    a_key_is_for_one_request
    a_key_is_checked
    a_mistake_uses_up_no_key
    a_key_is_as_new_after_its_time
    a_request_whose_answer_was_lost_in_a_crash_is_known_again
}

async fn start(kind: Kind, settings: &[(&str, &str)]) -> (Data, Server) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, settings).await;
    (data, server)
}

impl Client {
    async fn under(&mut self, key: &str, path: &str, body: &Value) -> Reply {
        self.call(Method::POST, path, Some(body.to_string().as_bytes()), &[("idempotency-key", key)]).await
    }

    async fn bookings(&mut self) -> usize {
        self.get("/admin/bookings").await.expect(200).as_array().unwrap().len()
    }
}

fn is_replay(reply: &Reply) -> bool {
    reply.headers.get("idempotency-replayed").is_some_and(|value| value == "true")
}

const SHOW: &str = r#"{"name":"Hamlet","start_time":"2030-12-11 19:00","total_seats":9}"#;

/// The same status and body, whatever was done meanwhile; refusals too.
async fn every_write_is_done_once_under_its_key(kind: Kind) {
    let (data, server) = start(kind, &[]).await;
    let client = &mut server.client().await;
    let show: Value = serde_json::from_str(SHOW).unwrap();
    let calls = [
        ("/admin/shows", show, 201),
        ("/book", json!({"showId": 1, "seats": [1, 2], "userName": "Ada"}), 201),
        ("/book", json!({"showId": 1, "seats": [2, 3]}), 409),
        ("/book", json!({"showId": 1, "seats": [5]}), 201),
        ("/book/change", json!({"bookingId": 1, "add": [3], "remove": [1]}), 200),
        ("/book/confirm", json!({"bookingId": 1, "seats": [2], "paymentReference": "pi_1"}), 200),
        ("/book/confirm", json!({"bookingId": 1, "paymentReference": "pi_2"}), 409),
        ("/book/extend", json!({"bookingId": 1}), 409),
        ("/book/cancel", json!({"bookingId": 2}), 200),
        ("/admin/bookings/1/cancel", json!({}), 200),
        ("/admin/shows/1/blocks", json!({"seats": [7, 8], "reason": "the mayor"}), 201),
        ("/admin/shows/1/blocks", json!({"seats": [8, 9], "reason": "the mayor"}), 409),
        ("/admin/shows/1/edit", json!({"seats_per_customer": 4}), 200),
        ("/admin/shows/1/cancel", json!({}), 200),
        ("/book/confirm", json!({"bookingId": 77}), 404),
        ("/book", json!({"showId": 77, "seats": [1]}), 404),
    ];
    let mut answers = Vec::new();
    for (i, (path, body, status)) in calls.iter().enumerate() {
        let reply = client.under(&format!("key-{i}"), path, body).await;
        assert!(!is_replay(&reply), "{path} {reply:?}");
        answers.push(reply.expect(*status));
    }
    let found = client.get("/book/1").await.expect(200);
    for (i, ((path, body, status), first)) in calls.iter().zip(&answers).enumerate() {
        let reply = client.under(&format!("key-{i}"), path, body).await;
        // What is not there has not been touched, and nothing is kept of it.
        assert_eq!(is_replay(&reply), *status != 404, "{path} {reply:?}");
        assert_eq!(reply.expect(*status), *first, "{path}");
    }
    assert_eq!(client.get("/book/1").await.expect(200), found);
    assert_eq!(client.bookings().await, 3);
    assert_eq!(client.get("/shows").await.expect(200).as_array().unwrap().len(), 1);
    data.verify().await;
}

/// Whatever differs makes another request; the order of members, white space and the way in which a token is shown do not.
async fn a_key_is_for_one_request(kind: Kind) {
    let (data, server) = start(kind, &[]).await;
    let client = &mut server.client().await;
    let show = client.show(9).await;
    let first = client.under("k", "/book", &json!({"showId": show, "seats": [1], "userName": "Ada"})).await.expect(201);
    for (path, body) in [
        ("/book", json!({"showId": show, "seats": [1], "userName": "Bob"})),
        ("/book", json!({"showId": show, "seats": [2], "userName": "Ada"})),
        ("/book/confirm", json!({"bookingId": 1})),
        ("/admin/shows", serde_json::from_str(SHOW).unwrap()),
    ] {
        let reply = client.under("k", path, &body).await;
        assert!(!is_replay(&reply));
        reply.problem(422, "idempotency_key_reused");
    }
    let spelt = format!(r#"{{ "userName" : "Ada",  "bookingToken":"x", "seats":[1],"showId":{show}}}"#);
    let reply = client.call(Method::POST, "/book", Some(spelt.as_bytes()), &[("idempotency-key", "k")]).await;
    assert!(is_replay(&reply));
    assert_eq!(reply.expect(201), first);
    assert_eq!(client.bookings().await, 1);
    data.verify().await;
}

async fn a_key_is_checked(kind: Kind) {
    let (data, server) = start(kind, &[]).await;
    let client = &mut server.client().await;
    let show = client.show(3).await;
    let body = json!({"showId": show, "seats": [1]});
    for key in ["", " ", "a b", "a\tb", "é", &"k".repeat(256)] {
        client.under(key, "/book", &body).await.problem(400, "invalid_idempotency_key");
        client.under(key, "/admin/shows", &serde_json::from_str(SHOW).unwrap()).await.problem(400, "invalid_idempotency_key");
    }
    let two = [("idempotency-key", "a"), ("idempotency-key", "b")];
    let reply = client.call(Method::POST, "/book", Some(body.to_string().as_bytes()), &two).await;
    reply.problem(400, "invalid_idempotency_key");
    assert_eq!(client.bookings().await, 0);
    client.under(&"k".repeat(255), "/book", &body).await.expect(201);
    data.verify().await;
}

/// What could not be understood is not kept: mended, it can come again under the same key.
async fn a_mistake_uses_up_no_key(kind: Kind) {
    let (data, server) = start(kind, &[]).await;
    let client = &mut server.client().await;
    let show = client.show(3).await;
    client.under("k", "/book", &json!({"showId": show, "seats": []})).await.problem(400, "no_seats");
    client.under("k", "/book", &json!({"showId": "x", "seats": [1]})).await.problem(400, "invalid_request");
    client.under("k", "/book", &json!({"showId": show, "seats": [1]})).await.expect(201);
    data.verify().await;
}

async fn a_key_is_as_new_after_its_time(kind: Kind) {
    let (data, server) = start(kind, &[("IDEMPOTENCY_SECONDS", "1")]).await;
    let client = &mut server.client().await;
    let show = client.show(3).await;
    let first = client.under("k", "/book", &json!({"showId": show, "seats": [1]})).await.expect(201);
    // Another request, under the same key, as soon as that is over.
    let again = json!({"showId": show, "seats": [2]});
    let second = loop {
        let reply = client.under("k", "/book", &again).await;
        if reply.status != 422 {
            break reply.expect(201);
        }
    };
    assert_ne!(first["bookingId"], second["bookingId"]);
    assert_eq!(client.bookings().await, 2);
    data.verify().await;
}

/// Killed after the commit, whether or not the answer has left: there is one effect, and the retry gets its true answer.
async fn a_request_whose_answer_was_lost_in_a_crash_is_known_again(kind: Kind) {
    let (data, server) = start(kind, &[]).await;
    let client = &mut server.client().await;
    let show = client.show(9).await;
    let mut killed = server.client().await;
    let port = server.port;
    let body = json!({"showId": show, "seats": [4, 5]});
    let call =
        async move { killed.0.call(Method::POST, "/book", Some(body.to_string().as_bytes()), &[("idempotency-key", "k")]).await };
    let call = tokio::spawn(call);
    // The seats are seen to be taken: the request has been committed.
    while client.get(&format!("/shows/{show}/seats")).await.expect(200)[3]["status"] != "PENDING" {}
    server.signal(Signal::KILL);
    let answered = call.await.unwrap().ok().map(|answer| answer.json::<Value>().unwrap());
    server.exited().await;
    let server = Server::start(&data, &[]).await;
    assert_ne!(server.port, 0, "another one than {port}, or the same");
    let client = &mut server.client().await;
    let reply = client.under("k", "/book", &json!({"showId": show, "seats": [4, 5]})).await;
    assert!(is_replay(&reply));
    let retried = reply.expect(201);
    assert!(answered.is_none_or(|answered| answered == retried), "{retried}");
    assert_eq!(client.bookings().await, 1);
    data.verify().await;
}
