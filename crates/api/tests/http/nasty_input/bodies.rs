//! Bodies.

use serde_json::{Value, json};

use super::{CASES, House, corpus, get, judge, post};
use crate::support::{Kind, on_both_stores};

on_both_stores! {
    the_body_of_a_hold_is_nasty
    the_body_of_a_confirm_is_nasty
    the_body_of_a_show_is_nasty
    the_body_of_a_block_is_nasty
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
        assert_eq!(booking["customer_id"], asked["customerId"]);
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
    client.booked(1, &[21, 22, 23]).await;
    house.is_unchanged();
    corpus("confirm").check(CASES, |body| {
        let reply = post(house.port(), "/book/confirm", "", body);
        judge(&reply);
        if reply.status != 200 {
            assert!(house.is_unchanged() || understood(&reply.body)["refundDue"] == true, "refused, and yet: {reply:?}");
            return;
        }
        let (asked, id) = (understood(body), reply.expect(200)["bookingId"].clone());
        assert_eq!(asked["bookingId"], id);
        let booking = get(house.port(), &format!("/book/{id}")).expect(200)["booking"].clone();
        assert_eq!((&booking["status"], &booking["payment_reference"]), (&json!("CONFIRMED"), &asked["paymentReference"]));
        if let Some(seats) = asked["seats"].as_array() {
            let mut seats: Vec<i64> = seats.iter().map(|seat| seat.as_i64().unwrap()).collect();
            seats.sort_unstable();
            assert_eq!(booking["seat_numbers"], json!(seats));
        }
        // The same payment for the same booking is answered alike.
        assert!(!house.is_unchanged() || asked["paymentReference"].is_string());
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
        for limit in ["seats_per_booking", "seats_per_customer", "holds_per_customer"] {
            assert_eq!(show[limit], asked[limit], "{limit}");
        }
        for time in ["on_sale_at", "off_sale_at"] {
            assert_eq!(show[time].is_null(), asked[time].is_null(), "{time}");
        }
        assert_eq!(show["late_confirm"], asked["late_confirm"].as_bool().unwrap_or(false));
        assert!(!house.is_unchanged());
    });
    house.close().await;
}

async fn the_body_of_a_block_is_nasty(kind: Kind) {
    let house = House::open(kind).await;
    corpus("block").check(CASES, |body| {
        let reply = post(house.port(), "/admin/shows/1/blocks", "", body);
        judge(&reply);
        if reply.status != 201 {
            assert!(house.is_unchanged(), "refused, and yet: {reply:?}");
            return;
        }
        let (asked, id) = (understood(body), reply.expect(201)["bookingId"].as_i64().unwrap());
        let booking = get(house.port(), &format!("/book/{id}")).expect(200)["booking"].clone();
        let mut seats: Vec<i64> = asked["seats"].as_array().unwrap().iter().map(|seat| seat.as_i64().unwrap()).collect();
        seats.sort_unstable();
        assert_eq!((&booking["status"], &booking["seat_numbers"]), (&json!("CONFIRMED"), &json!(seats)));
        assert_eq!(booking["blocked_for"].as_str(), asked["reason"].as_str().map(str::trim));
        assert!(!house.is_unchanged());
    });
    house.close().await;
}
