//! The client against servers that hang up, fall silent and dawdle.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::scripted::{Reaction, Scripted};
use loadgen::client::{BaseUrl, CallError, Connection, Held, Method};
use serde_json::json;

fn ok(body: &str) -> Reaction {
    Reaction::Answer(200, body.into())
}

#[tokio::test]
async fn calls_share_a_connection() {
    let server = Scripted::start(|request| ok(&request.call));
    let mut connection = Connection::open(&server.url).await.unwrap();
    for path in ["/shows", "/shows/1/seats", "/shows"] {
        assert_eq!(connection.get(path).await.unwrap().text(), format!("GET {path}"));
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_body_is_announced_as_json_and_arrives_whole() {
    let server = Scripted::start(|request| {
        assert!(request.head.to_ascii_lowercase().contains("content-type: application/json\r\n"), "{}", request.head);
        ok(&request.body)
    });
    let mut connection = Connection::open(&server.url).await.unwrap();
    let long = "x".repeat(300_000);
    let answer = connection.post("/echo", &json!({ "long": long })).await.unwrap();
    assert_eq!(answer.json::<serde_json::Value>().unwrap()["long"], long);
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
}

#[tokio::test]
async fn headers_are_the_callers() {
    let server = Scripted::start(|request| ok(&request.head.to_ascii_lowercase()));
    let mut connection = Connection::open(&server.url).await.unwrap();
    let headers = [("idempotency-key", "k1"), ("Content-Type", "text/plain")];
    let head = connection.call(Method::PUT, "/x?y=1", Some(b"hi"), &headers).await.unwrap().text();
    assert!(head.starts_with("put /x?y=1 http/1.1") && head.contains("idempotency-key: k1"), "{head}");
    assert_eq!(head.matches("content-type:").count(), 1, "{head}");
    assert!(head.contains("content-type: text/plain") && head.contains(&format!("host: {}", &server.url.to_string()[7..])));
}

#[tokio::test]
async fn chunked_answers_are_put_together() {
    let server = Scripted::start(|_| {
        Reaction::Raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n".to_vec())
    });
    let mut connection = Connection::open(&server.url).await.unwrap();
    assert_eq!(connection.get("/").await.unwrap().text(), "abcdefg");
    assert_eq!(connection.get("/").await.unwrap().text(), "abcdefg");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_connection_that_is_gone_is_opened_again() {
    let server = Scripted::start(|request| Reaction::AnswerAndHangUp(200, request.connection.to_string()));
    let mut connection = Connection::open(&server.url).await.unwrap();
    for number in 0..3 {
        assert_eq!(connection.get("/").await.unwrap().text(), number.to_string());
        // The server hangs up after its answer: news of it takes a moment.
        std::thread::sleep(Duration::from_millis(150));
    }
}

#[tokio::test]
async fn a_server_that_announces_the_end_is_believed() {
    let server =
        Scripted::start(|_| Reaction::Raw(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok".to_vec()));
    let mut connection = Connection::open(&server.url).await.unwrap();
    for _ in 0..3 {
        assert_eq!(connection.get("/").await.unwrap().text(), "ok");
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn a_request_that_may_have_been_served_is_not_repeated() {
    let served = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&served);
    let server = Scripted::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        1 => Reaction::HangUp,
        _ => ok("fine"),
    });
    let mut connection = Connection::open(&server.url).await.unwrap();
    connection.get("/").await.unwrap();
    let error = connection.get("/").await.unwrap_err();
    assert!(matches!(error, CallError::Lost(_)) && error.outcome_unknown(), "{error}");
    assert_eq!(served.load(Ordering::SeqCst), 2);
    assert_eq!(connection.get("/").await.unwrap().text(), "fine");
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_never_taken_for_another() {
    let server = Scripted::start(|request| match request.call.as_str() {
        "GET /slow" => {
            std::thread::sleep(Duration::from_millis(200));
            ok("slow")
        }
        "GET /silent" => Reaction::Silence,
        _ => ok("quick"),
    });
    let mut connection = Connection::open(&server.url).await.unwrap();
    connection.set_time_limit(Duration::from_millis(50));
    for path in ["/slow", "/silent"] {
        let error = connection.get(path).await.unwrap_err();
        assert!(matches!(error, CallError::TimedOut(_)) && error.outcome_unknown(), "{error}");
        assert_eq!(connection.get("/").await.unwrap().text(), "quick");
    }
    let given_up = tokio::time::timeout(Duration::from_millis(10), connection.get("/slow")).await;
    assert!(given_up.is_err());
    assert_eq!(connection.get("/").await.unwrap().text(), "quick");
}

#[tokio::test]
async fn without_a_server_nothing_is_sent() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = Connection::open(&BaseUrl::loopback(port)).await.err().unwrap();
    assert!(matches!(error, CallError::Connect(_)) && !error.outcome_unknown(), "{error}");
}

#[tokio::test]
async fn each_token_goes_where_it_belongs() {
    let server = Scripted::start(|request| {
        let bearer = request.head.lines().find(|line| line.to_ascii_lowercase().starts_with("authorization"));
        let bearer = bearer.and_then(|line| line.split_once(": ")).map(|(_, value)| value.to_owned());
        match request.call.as_str() {
            "POST /admin/shows" if bearer.as_deref() == Some("Bearer boss") => Reaction::Answer(201, r#"{"showId":3}"#.into()),
            "GET /admin/bookings?status=PENDING" if bearer.as_deref() == Some("Bearer boss") => ok("[]"),
            "POST /book" if bearer.is_none() && request.body == r#"{"showId":3,"seats":[1,2]}"# => {
                Reaction::Answer(201, r#"{"message":"Booking created","bookingId":5,"bookingToken":"t5"}"#.into())
            }
            "POST /book/confirm" if bearer.as_deref() == Some("Bearer t5") => ok(r#"{"bookingId":5}"#),
            call => Reaction::Answer(400, format!("{call} {bearer:?}")),
        }
    });
    let mut connection = Connection::open(&server.url).await.unwrap().with_admin_token(Some("boss"));
    let show_id = connection.create_show("Hamlet", 2).await.unwrap();
    let answer = connection.book(show_id, &[1, 2]).await.unwrap();
    let held = answer.held.unwrap();
    assert_eq!(held, Held { booking_id: 5, token: Some("t5".into()) });
    assert_eq!(connection.confirm(&held).await.unwrap(), 200);
    assert_eq!(connection.bookings(Some("PENDING")).await.unwrap(), []);
    let refused = connection.bookings(None).await.unwrap_err();
    assert!(matches!(refused, CallError::Refused { status: 400, .. }), "{refused}");
}
