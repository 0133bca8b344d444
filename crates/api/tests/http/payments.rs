//! Confirms that name a payment, come too late, or are for some of the seats, over HTTP.

use serde_json::{Value, json};

use crate::support::{Client, Data, Kind, Reply, Server, on_both_stores};

on_both_stores! {
    a_payment_buys_one_booking_and_is_said_again
    a_late_payment_is_to_be_paid_back
    a_late_confirm_gets_its_seats_while_they_are_free
    a_cancelled_show_is_not_sold_to_who_pays_too_late
    some_of_the_seats_are_confirmed
    a_payment_under_a_key_is_repeated
    members_of_a_confirm_are_checked
}

async fn start(kind: Kind, settings: &[(&str, &str)]) -> (Data, Server) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, settings).await;
    (data, server)
}

impl Client {
    async fn pay(&mut self, booking: i64, reference: &str) -> Reply {
        self.post("/book/confirm", json!({"bookingId": booking, "paymentReference": reference})).await
    }

    async fn until_failed(&mut self, booking: i64) {
        while self.get(&format!("/book/{booking}")).await.expect(200)["booking"]["status"] != "FAILED" {}
    }

    async fn found(&mut self, booking: i64) -> Value {
        self.get(&format!("/book/{booking}")).await.expect(200)["booking"].clone()
    }
}

async fn a_payment_buys_one_booking_and_is_said_again(kind: Kind) {
    let (data, server) = start(kind, &[]).await;
    let client = &mut server.client().await;
    let show = client.show(3).await;
    let (first, second) = (client.booked(show, &[1]).await, client.booked(show, &[2]).await);
    let confirmed = json!({"message": "Booking confirmed", "bookingId": first});
    for _ in 0..2 {
        assert_eq!(client.pay(first, "pi_1").await.expect(200), confirmed);
    }
    client.confirm(first).await.problem(409, "booking_not_pending");
    client.pay(second, "pi_1").await.problem(409, "payment_used");
    for _ in 0..2 {
        assert_eq!(client.pay(first, "pi_2").await.problem(409, "booking_not_pending")["refundDue"], true);
    }
    assert_eq!(client.found(first).await["payment_reference"], "pi_1");
    assert_eq!(client.found(second).await["status"], "PENDING");
    data.verify().await;
}

async fn a_late_payment_is_to_be_paid_back(kind: Kind) {
    let (data, server) = start(kind, &[("HOLD_SECONDS", "0.2"), ("SWEEP_SECONDS", "3600")]).await;
    let client = &mut server.client().await;
    let show = client.show(2).await;
    let late = client.booked(show, &[1]).await;
    client.until_failed(late).await;
    assert_eq!(client.confirm(late).await.problem(409, "hold_expired")["refundDue"], Value::Null);
    assert_eq!(client.found(late).await["refund_due"], false);
    for _ in 0..2 {
        assert_eq!(client.pay(late, "pi_1").await.problem(409, "hold_expired")["refundDue"], true);
    }
    let found = client.found(late).await;
    assert_eq!((&found["refund_due"], &found["payment_reference"]), (&json!(true), &json!("pi_1")));
    let steps = client.get(&format!("/admin/bookings/{late}/history")).await.expect(200);
    let steps: Vec<&str> = steps.as_array().unwrap().iter().map(|step| step["event"].as_str().unwrap()).collect();
    assert_eq!(steps, ["held", "failed", "refund_due"]);
    assert_eq!(client.get(&format!("/admin/shows/{show}/counts")).await.expect(200)["refunds_due"], 1);
    data.verify().await;
}

async fn a_late_confirm_gets_its_seats_while_they_are_free(kind: Kind) {
    let (data, server) = start(kind, &[("SWEEP_SECONDS", "3600")]).await;
    let client = &mut server.client().await;
    let show =
        json!({"name": "Lear", "start_time": "2025-12-11 19:00", "total_seats": 4, "hold_seconds": 1, "late_confirm": true});
    let show = client.post("/admin/shows", show).await.expect(201)["showId"].as_i64().unwrap();
    let (free, taken) = (client.booked(show, &[1]).await, client.booked(show, &[2, 3]).await);
    client.until_failed(free).await;
    client.until_failed(taken).await;
    let rival = client.booked(show, &[3]).await;
    client.confirm(rival).await.expect(200);
    for _ in 0..2 {
        let reclaimed = json!({"message": "Booking confirmed", "bookingId": free, "reclaimed": true});
        assert_eq!(client.pay(free, "pi_1").await.expect(200), reclaimed);
    }
    let found = client.found(free).await;
    assert_eq!((&found["status"], &found["reclaimed"]), (&json!("CONFIRMED"), &json!(true)));
    assert_eq!(client.pay(taken, "pi_2").await.problem(409, "hold_expired")["refundDue"], true);
    data.verify().await;
}

async fn a_cancelled_show_is_not_sold_to_who_pays_too_late(kind: Kind) {
    let (data, server) = start(kind, &[("SWEEP_SECONDS", "3600")]).await;
    let client = &mut server.client().await;
    let show =
        json!({"name": "Lear", "start_time": "2025-12-11 19:00", "total_seats": 4, "hold_seconds": 1, "late_confirm": true});
    let show = client.post("/admin/shows", show).await.expect(201)["showId"].as_i64().unwrap();
    let booking = client.booked(show, &[1]).await;
    client.until_failed(booking).await;
    // Whoever takes the seat puts down that the hold has run out; and lets it go.
    let rival = client.booked(show, &[1]).await;
    client.post("/book/cancel", json!({"bookingId": rival})).await.expect(200);
    client.post(&format!("/admin/shows/{show}/cancel"), json!({})).await.expect(200);
    assert_eq!(client.pay(booking, "pi_1").await.problem(409, "hold_expired").get("refundDue"), Some(&json!(true)));
    assert_eq!(client.found(booking).await["status"], "FAILED");
    data.verify().await;
}

async fn some_of_the_seats_are_confirmed(kind: Kind) {
    let (data, server) = start(kind, &[]).await;
    let client = &mut server.client().await;
    let show = client.show(4).await;
    let booking = client.booked(show, &[1, 2, 3]).await;
    let some = |seats: &[i64]| json!({"bookingId": booking, "seats": seats});
    let problem = client.post("/book/confirm", some(&[1, 4])).await.problem(409, "seats_not_free");
    assert_eq!(problem["seats"], json!([{"seat_number": 4, "reason": "not_had"}]));
    assert_eq!(client.found(booking).await["status"], "PENDING");
    client.post("/book/confirm", some(&[1, 3])).await.expect(200);
    assert_eq!(client.found(booking).await["seat_numbers"], json!([1, 3]));
    client.booked(show, &[2]).await;
    data.verify().await;
}

async fn a_payment_under_a_key_is_repeated(kind: Kind) {
    let (data, server) = start(kind, &[]).await;
    let client = &mut server.client().await;
    let show = client.show(1).await;
    let booking = client.booked(show, &[1]).await;
    let body = json!({"bookingId": booking, "paymentReference": "pi_1"}).to_string();
    for again in [None, Some("true")] {
        let headers = [("idempotency-key", "k1")];
        let reply = client.call(loadgen::client::Method::POST, "/book/confirm", Some(body.as_bytes()), &headers).await;
        assert_eq!(reply.headers.get("idempotency-replayed").map(|value| value.to_str().unwrap()), again);
        reply.expect(200);
    }
    data.verify().await;
}

async fn members_of_a_confirm_are_checked(kind: Kind) {
    let (data, server) = start(kind, &[]).await;
    let client = &mut server.client().await;
    let show = client.show(3).await;
    let booking = client.booked(show, &[1, 2]).await;
    let with = |member: &str, value: Value| json!({"bookingId": booking, member: value});
    for reference in [json!(""), json!(7), json!("a b"), json!("é"), json!("a\u{7f}"), json!("p".repeat(256)), json!(["p"])] {
        let problem = client.post("/book/confirm", with("paymentReference", reference)).await.problem(400, "invalid_request");
        assert_eq!(problem["mistakes"][0]["member"], "paymentReference");
    }
    for (seats, code) in [
        (json!([]), "no_seats"),
        (json!([1, 1]), "duplicate_seats"),
        (json!([0]), "invalid_request"),
        (json!("1"), "invalid_request"),
        (json!((1..=51).collect::<Vec<i64>>()), "too_many_seats"),
    ] {
        client.post("/book/confirm", with("seats", seats)).await.problem(400, code);
    }
    assert_eq!(client.found(booking).await["status"], "PENDING");
    let nulls = json!({"bookingId": booking, "seats": null, "paymentReference": null});
    client.post("/book/confirm", nulls).await.expect(200);
    let other = client.booked(show, &[3]).await;
    client.pay(other, &"p".repeat(255)).await.expect(200);
    data.verify().await;
}
