//! Paths and queries.

use super::raw::{first_reply, send};
use super::{CASES, House, corpus, judge};
use crate::support::{Kind, on_both_stores};

on_both_stores! {
    an_address_is_nasty
}

async fn an_address_is_nasty(kind: Kind) {
    let house = House::open(kind).await;
    house.server.client().await.booked(1, &[1, 2]).await;
    house.is_unchanged();
    corpus("address").check(CASES, |address| {
        let request = [b"GET ".as_slice(), address, b" HTTP/1.1\r\nHost: localhost\r\n\r\n"].concat();
        // Cut in two by a blank, it is no HTTP any more, which is refused without a body, or is not even a request.
        if let Some(reply) = first_reply(&send(house.port(), &request)).filter(|reply| !reply.body.is_empty()) {
            judge(&reply);
            assert!(reply.status >= 400 || serde_json::from_slice::<serde_json::Value>(&reply.body).is_ok(), "{reply:?}");
        }
        assert!(house.is_unchanged(), "nobody asked for a change");
    });
    house.close().await;
}
