//! Tokens: the product's own are accepted, and nothing else is.

use serde_json::json;

use super::raw::{first_reply, send};
use super::{CASES, corpus, judge, post};
use crate::support::{Data, Kind, Server, on_both_stores};

on_both_stores! {
    a_token_is_nasty
}

const GUARDED: [(&str, &str); 4] = [
    ("ACCESS", "guarded"),
    ("ADMIN_TOKEN", "the-admin-s-own-token"),
    ("BOOKING_SECRET", "a secret that nobody can guess"),
    ("HOLD_SECONDS", "86400"),
];

const ADMIN: &str = "Authorization: Bearer the-admin-s-own-token\r\n";

async fn a_token_is_nasty(kind: Kind) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, &GUARDED).await;
    let port = server.port;
    let show = br#"{"name":"Hamlet","start_time":"2025-12-11 19:00","total_seats":40}"#;
    post(port, "/admin/shows", ADMIN, show).expect(201);
    let tokens: Vec<String> = [br#"{"showId":1,"seats":[1]}"#, br#"{"showId":1,"seats":[2]}"#]
        .map(|body| post(port, "/book", "", body).expect(201)["bookingToken"].as_str().unwrap().to_owned())
        .into();
    // Besides what is in the corpus, the two real tokens, damaged.
    let directory = tempfile::tempdir().unwrap();
    for (i, input) in corpus("token").inputs().iter().map(Vec::as_slice).chain(tokens.iter().map(String::as_bytes)).enumerate() {
        std::fs::write(directory.path().join(format!("{i:03}")), input).unwrap();
    }
    corpus::Corpus::read(directory.path()).unwrap().check(2 * CASES, |token| {
        let request = [b"GET /book/1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ", token, b"\r\n\r\n"].concat();
        if let Some(reply) = first_reply(&send(port, &request)).filter(|reply| !reply.body.is_empty()) {
            judge(&reply);
            let value = String::from_utf8_lossy(token.split(|byte| *byte == b'\r').next().unwrap()).into_owned();
            assert_eq!(reply.status == 200, value.trim_matches([' ', '\t']) == tokens[0], "{value:?}: {reply:?}");
        }
        // In the body the token is taken as it is; the booking is not confirmed by it, since it is another one's.
        let Ok(text) = std::str::from_utf8(token) else { return };
        let confirm = json!({"bookingId": 2, "bookingToken": text}).to_string();
        if text != tokens[1] {
            let reply = post(port, "/book/confirm", "", confirm.as_bytes());
            judge(&reply);
            assert!([401, 404, 413].contains(&reply.status), "{text:?}: {reply:?}");
        }
        let admin = [b"GET /admin/bookings HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ", token, b"\r\n\r\n"].concat();
        if let Some(reply) = first_reply(&send(port, &admin)).filter(|reply| !reply.body.is_empty()) {
            judge(&reply);
            assert!([401, 403].contains(&reply.status), "{reply:?}");
        }
    });
    for (id, token) in (1..).zip(&tokens) {
        let confirm = json!({"bookingId": id, "bookingToken": token}).to_string();
        post(port, "/book/confirm", "", confirm.as_bytes()).expect(200);
    }
    data.verify().await;
}
