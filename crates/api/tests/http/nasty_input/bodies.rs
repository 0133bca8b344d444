//! Bodies.

use serde_json::{Value, json};

use super::{CASES, House, corpus, get, judge, post};
use crate::support::{Kind, on_both_stores};

on_both_stores! {
    the_body_of_a_hold_is_nasty
    the_body_of_a_confirm_is_nasty
    the_body_of_a_show_is_nasty
}

/// The body as another reader of JSON sees it. Of a member that stands there twice, the last counts.
fn understood(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

async fn the_body_of_a_hold_is_nasty(kind: Kind) {
    let house = House::open(kind).await;
    corpus("hold").check(CASES, |body| {
        let reply = post(house.port(), "/book", "", body);
        judge(&reply);
        if reply.status != 201 {
            assert!(house.is_unchanged(), "refused, and yet: {reply:?}");
            return;
        }
        let (asked, id) = (understood(body), reply.expect(201)["bookingId"].as_i64().unwrap());
        let booking = get(house.port(), &format!("/book/{id}")).expect(200)["booking"].clone();
        let mut seats: Vec<i64> = asked["seats"].as_array().unwrap().iter().map(|seat| seat.as_i64().unwrap()).collect();
        seats.sort_unstable();
        assert_eq!((&booking["show_id"], &booking["seat_numbers"]), (&asked["showId"], &json!(seats)));
        let name = asked["userName"].as_str().unwrap_or_default().trim();
        assert_eq!(booking["user_name"], if name.is_empty() { "guest" } else { name });
        assert!(!house.is_unchanged());
    });
    house.close().await;
}

async fn the_body_of_a_confirm_is_nasty(kind: Kind) {
    let house = House::open(kind).await;
    let mut client = house.server.client().await;
    for seat in 1..=20 {
        client.booked(1, &[seat]).await;
    }
    house.is_unchanged();
    corpus("confirm").check(CASES, |body| {
        let reply = post(house.port(), "/book/confirm", "", body);
        judge(&reply);
        if reply.status != 200 {
            assert!(house.is_unchanged(), "refused, and yet: {reply:?}");
            return;
        }
        let id = reply.expect(200)["bookingId"].clone();
        assert_eq!(understood(body)["bookingId"], id);
        assert_eq!(get(house.port(), &format!("/book/{id}")).expect(200)["booking"]["status"], "CONFIRMED");
        assert!(!house.is_unchanged());
    });
    house.close().await;
}

async fn the_body_of_a_show_is_nasty(kind: Kind) {
    let house = House::open(kind).await;
    corpus("show").check(CASES, |body| {
        let reply = post(house.port(), "/admin/shows", "", body);
        judge(&reply);
        if reply.status != 201 {
            assert!(house.is_unchanged(), "refused, and yet: {reply:?}");
            return;
        }
        let (asked, id) = (understood(body), reply.expect(201)["showId"].clone());
        let show = get(house.port(), "/shows?limit=1").expect(200)[0].clone();
        assert_eq!((&show["id"], &show["total_seats"]), (&id, &asked["total_seats"]));
        assert_eq!(show["name"].as_str(), asked["name"].as_str().map(str::trim));
        assert!(!house.is_unchanged());
    });
    house.close().await;
}
