//! Whole requests: the first line, headers, framing.

use super::raw::{first_reply, send};
use super::{CASES, House, corpus, judge};
use crate::support::{Kind, on_both_stores};

on_both_stores! {
    a_request_is_nasty
}

async fn a_request_is_nasty(kind: Kind) {
    let house = House::open(kind).await;
    house.server.client().await.booked(1, &[1, 2]).await;
    house.is_unchanged();
    corpus("request").check(CASES, |request| {
        let answers = send(house.port(), request);
        let Some(reply) = first_reply(&answers) else {
            assert!(house.is_unchanged(), "no answer, and yet");
            return;
        };
        // What is not even HTTP is refused without a body; HEAD never has one.
        if reply.body.is_empty() {
            assert!(reply.status < 500, "{reply:?}");
        } else {
            judge(&reply);
        }
        let is_unchanged = house.is_unchanged();
        // A piece of another request may stand behind the first, and be a good one.
        let all_refused = !answers.windows(10).any(|window| window == b"HTTP/1.1 2" || window == b"HTTP/1.0 2");
        assert!(is_unchanged || !all_refused, "refused, and yet: {}", String::from_utf8_lossy(&answers));
    });
    house.close().await;
}
