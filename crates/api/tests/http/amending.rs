//! Bookings cancelled, extended and changed, and what happened to them, over HTTP.

use loadgen::client::Method;
use serde_json::{Value, json};

use crate::support::{Client, Data, Kind, Reply, Server, on_both_stores};

on_both_stores! {
    a_booking_is_cancelled_once_and_for_all
    a_hold_is_extended_to_its_limit
    a_hold_is_changed_wholly_or_not_at_all
    a_show_says_how_its_seats_are_sold
    what_happened_is_told_to_admins
    a_show_is_told_alone_and_in_numbers
    new_members_are_checked
}

async fn start(kind: Kind, settings: &[(&str, &str)]) -> (Data, Server) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, settings).await;
    (data, server)
}

impl Client {
    async fn cancel(&mut self, booking: i64) -> Reply {
        self.post("/book/cancel", json!({ "bookingId": booking })).await
    }

    async fn extend(&mut self, booking: i64) -> Reply {
        self.post("/book/extend", json!({ "bookingId": booking })).await
    }

    async fn change(&mut self, booking: i64, add: &[i64], remove: &[i64]) -> Reply {
        self.post("/book/change", json!({ "bookingId": booking, "add": add, "remove": remove })).await
    }

    async fn statuses(&mut self, show: i64) -> Vec<String> {
        let seats = self.get(&format!("/shows/{show}/seats")).await.expect(200);
        seats.as_array().unwrap().iter().map(|seat| seat["status"].as_str().unwrap().to_owned()).collect()
    }
}

async fn a_booking_is_cancelled_once_and_for_all(kind: Kind) {
    let (data, server) = start(kind, &[]).await;
    let client = &mut server.client().await;
    let show = client.show(3).await;
    let booking = client.booked(show, &[1, 2]).await;
    let cancelled = json!({"message": "Booking cancelled", "bookingId": booking, "status": "FAILED", "refundDue": false});
    for _ in 0..2 {
        assert_eq!(client.cancel(booking).await.expect(200), cancelled);
    }
    assert_eq!(client.statuses(show).await, ["AVAILABLE"; 3]);
    let found = client.get(&format!("/book/{booking}")).await.expect(200);
    assert_eq!((&found["booking"]["status"], &found["booking"]["failure_reason"]), (&json!("FAILED"), &json!("cancelled")));
    client.confirm(booking).await.problem(409, "booking_not_pending");

    let sold = client.booked(show, &[1]).await;
    client.confirm(sold).await.expect(200);
    client.cancel(sold).await.problem(409, "sale_is_final");
    let path = format!("/admin/bookings/{sold}/cancel");
    let refunded = json!({"message": "Booking cancelled", "bookingId": sold, "status": "FAILED", "refundDue": true});
    assert_eq!(client.post(&path, json!({})).await.expect(200), refunded);
    assert_eq!(client.cancel(sold).await.expect(200), refunded, "what is cancelled stays so, whoever asks");
    assert_eq!(client.get(&format!("/book/{sold}")).await.expect(200)["booking"]["refund_due"], true);
    client.cancel(77).await.problem(404, "no_such_booking");
    client.post("/admin/bookings/77/cancel", json!({})).await.problem(404, "no_such_booking");
    client.post("/admin/bookings/x/cancel", json!({})).await.problem(400, "invalid_id");
    data.verify().await;
}

async fn a_hold_is_extended_to_its_limit(kind: Kind) {
    let (data, server) = start(kind, &[("HOLD_SECONDS", "60"), ("HOLD_LIMIT_SECONDS", "60.5")]).await;
    let client = &mut server.client().await;
    let show = client.show(1).await;
    let held = client.book(show, &[1]).await.expect(201);
    let booking = held["bookingId"].as_i64().unwrap();
    // A little time has gone by, so that it can live a little longer; at last no longer.
    let mut before = held["expiresAt"].clone();
    let last = loop {
        let reply = client.extend(booking).await;
        if reply.status == 409 {
            break reply.problem(409, "hold_limit_reached");
        }
        let extended = reply.expect(200);
        assert_eq!((&extended["message"], &extended["bookingId"]), (&json!("Booking extended"), &json!(booking)));
        assert!(extended["expiresAt"].as_str().unwrap() >= before.as_str().unwrap(), "{extended} {before}");
        before = extended["expiresAt"].clone();
    };
    assert_eq!(last["expires_at"], before);
    let created: Value = client.get(&format!("/book/{booking}")).await.expect(200)["booking"].clone();
    assert_eq!(created["expires_at"], before);
    client.confirm(booking).await.expect(200);
    client.extend(booking).await.problem(409, "booking_not_pending");
    client.extend(77).await.problem(404, "no_such_booking");
    data.verify().await;
}

async fn a_hold_is_changed_wholly_or_not_at_all(kind: Kind) {
    let (data, server) = start(kind, &[("SEATS_PER_BOOKING_MAX", "3")]).await;
    let client = &mut server.client().await;
    let show = client.show(8).await;
    let held = client.book(show, &[1, 2]).await.expect(201);
    let booking = held["bookingId"].as_i64().unwrap();
    let rival = client.booked(show, &[5]).await;
    let refused = client.change(booking, &[2, 5, 9], &[3]).await.problem(409, "seats_not_free");
    let reasons: Vec<(&Value, &Value)> =
        refused["seats"].as_array().unwrap().iter().map(|seat| (&seat["seat_number"], &seat["reason"])).collect();
    let expected = [(2, "had_already"), (3, "not_had"), (5, "held"), (9, "unknown")];
    assert_eq!(reasons.len(), expected.len(), "{refused}");
    assert!(reasons.iter().zip(expected).all(|(seen, (number, reason))| *seen.0 == number && *seen.1 == reason), "{refused}");
    client.change(booking, &[], &[1, 2]).await.problem(409, "no_seat_left");
    assert_eq!(client.change(booking, &[3, 4], &[]).await.problem(409, "too_many_seats")["max"], 3);
    client.change(booking, &[], &[]).await.problem(400, "no_seats");
    client.change(booking, &[3], &[3]).await.problem(400, "duplicate_seats");
    client.change(booking, &[3, 4, 6, 7], &[]).await.problem(400, "too_many_seats");
    client.change(77, &[3], &[]).await.problem(404, "no_such_booking");
    let changed = client.change(booking, &[8, 3], &[1]).await.expect(200);
    let expected = json!({"message": "Booking changed", "bookingId": booking, "status": "PENDING", "seats": [2, 3, 8],
                          "expiresAt": held["expiresAt"]});
    assert_eq!(changed, expected);
    let statuses = client.statuses(show).await;
    let taken: Vec<usize> = (1..=8).filter(|n| statuses[n - 1] == "PENDING").collect();
    assert_eq!(taken, [2, 3, 5, 8]);
    client.confirm(booking).await.expect(200);
    client.confirm(rival).await.expect(200);
    data.verify().await;
}

async fn a_show_says_how_its_seats_are_sold(kind: Kind) {
    let (data, server) = start(kind, &[]).await;
    let client = &mut server.client().await;
    let body = json!({"name": "Hamlet", "start_time": "2030-12-11 19:00", "total_seats": 2,
                      "hold_seconds": 30, "hold_limit_seconds": 40, "customers_may_cancel": true});
    let show = client.post("/admin/shows", body).await.expect(201)["showId"].as_i64().unwrap();
    let listed = client.get("/shows").await.expect(200)[0].clone();
    let terms = (&listed["hold_seconds"], &listed["hold_limit_seconds"], &listed["customers_may_cancel"]);
    assert_eq!(terms, (&json!(30), &json!(40), &json!(true)));
    let booking = client.booked(show, &[1]).await;
    client.confirm(booking).await.expect(200);
    assert_eq!(client.cancel(booking).await.expect(200)["refundDue"], true);
    client.booked(show, &[1]).await;
    data.verify().await;
}

async fn what_happened_is_told_to_admins(kind: Kind) {
    let (data, server) = start(kind, &[]).await;
    let client = &mut server.client().await;
    let show = client.show(3).await;
    let booking = client.booked(show, &[1, 2]).await;
    client.change(booking, &[3], &[1]).await.expect(200);
    client.confirm(booking).await.expect(200);
    client.post(&format!("/admin/bookings/{booking}/cancel"), json!({})).await.expect(200);
    let history = client.get(&format!("/admin/bookings/{booking}/history")).await.expect(200);
    let expected = [
        (1, "held", Value::Null, "PENDING", Value::Null, json!([1, 2]), "customer"),
        (2, "changed", json!("PENDING"), "PENDING", Value::Null, json!([2, 3]), "customer"),
        (3, "confirmed", json!("PENDING"), "CONFIRMED", Value::Null, json!([2, 3]), "customer"),
        (4, "failed", json!("CONFIRMED"), "FAILED", json!("cancelled"), json!([2, 3]), "admin:admin"),
    ];
    for (step, (number, event, from, to, reason, seats, by)) in history.as_array().unwrap().iter().zip(expected.clone()) {
        let members = json!({"show_id": show, "booking_id": booking, "number": number, "event": event, "from": from, "to": to,
                             "reason": reason, "seat_numbers": seats, "by": by, "at": step["at"]});
        assert_eq!(*step, members);
        assert!(step["at"].as_str().unwrap().ends_with('Z'));
    }
    assert_eq!(history.as_array().unwrap().len(), expected.len());
    client.get("/admin/bookings/77/history").await.problem(404, "no_such_booking");
    client.get("/admin/bookings/0/history").await.problem(404, "no_such_booking");
    client.get("/admin/bookings/x/history").await.problem(400, "invalid_id");
    data.verify().await;
}

async fn a_show_is_told_alone_and_in_numbers(kind: Kind) {
    let (data, server) = start(kind, &[]).await;
    let client = &mut server.client().await;
    let (other, show) = (client.show(3).await, client.show(5).await);
    let found = client.get(&format!("/shows/{show}")).await.expect(200);
    assert_eq!(found, client.get("/shows").await.expect(200)[0]);
    client.booked(other, &[1]).await;
    let (sold, held) = (client.booked(show, &[1, 2]).await, client.booked(show, &[3]).await);
    client.confirm(sold).await.expect(200);
    let counts = client.get(&format!("/admin/shows/{show}/counts")).await.expect(200);
    let expected = json!({"show_id": show, "seats": {"AVAILABLE": 2, "PENDING": 1, "CONFIRMED": 2, "BLOCKED": 0},
                          "bookings": {"PENDING": 1, "CONFIRMED": 1, "FAILED": 0}, "refunds_due": 0});
    assert_eq!(counts, expected);
    let listed = client.get(&format!("/admin/bookings?show={show}")).await.expect(200);
    let ids: Vec<i64> = listed.as_array().unwrap().iter().map(|booking| booking["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [held, sold]);
    let page = client.get(&format!("/admin/bookings?show={show}&limit=1&status=CONFIRMED")).await;
    let link = page.headers["link"].to_str().unwrap().to_owned();
    assert!(link.contains(&format!("before={sold}&status=CONFIRMED&show={show}>")), "{link}");
    let page = client.get(&format!("/admin/bookings?show=%2B{show}&limit=1")).await;
    assert!(page.headers["link"].to_str().unwrap().contains(&format!("&show={show}>")), "{page:?}");
    for wrong in ["x", "0", "-1", "1.5", "99999999999999999999"] {
        client.get(&format!("/admin/bookings?show={wrong}")).await.problem(400, "invalid_query");
    }
    for path in ["/shows/77", "/admin/shows/77/counts", "/shows/0"] {
        client.get(path).await.problem(404, "no_such_show");
    }
    client.get("/shows/x").await.problem(400, "invalid_id");
    client.get("/admin/shows/x/counts").await.problem(400, "invalid_id");
    data.verify().await;
}

/// Each new member missing, mistyped, at its limit and past it.
async fn new_members_are_checked(kind: Kind) {
    let (data, server) = start(kind, &[]).await;
    let client = &mut server.client().await;
    let show = client.show(3).await;
    let booking = client.booked(show, &[1]).await;
    for path in ["/book/cancel", "/book/extend", "/book/change"] {
        for body in [json!({}), json!({"bookingId": null}), json!({"bookingId": "5"}), json!({"bookingId": 1.5})] {
            client.post(path, body).await.problem(400, "invalid_request");
        }
        client.call(Method::POST, path, Some(b"[]"), &[]).await.problem(400, "invalid_json");
    }
    for seats in [json!(1), json!("1"), json!([1.5]), json!(["1"]), json!([null])] {
        client.post("/book/change", json!({"bookingId": booking, "add": seats})).await.problem(400, "invalid_request");
        client.post("/book/change", json!({"bookingId": booking, "remove": seats})).await.problem(400, "invalid_request");
    }
    client.change(booking, &[0], &[]).await.problem(400, "invalid_request");
    client.change(booking, &[2, 2], &[]).await.problem(400, "duplicate_seats");
    client.post("/book/change", json!({"bookingId": booking, "add": null, "remove": null})).await.problem(400, "no_seats");
    client.change(booking, &[i64::MAX], &[]).await.problem(409, "seats_not_free");

    let show = |member: &str, value: Value| {
        let mut body = json!({"name": "Hamlet", "start_time": "2030-12-11 19:00", "total_seats": 2});
        body[member] = value;
        body
    };
    for (member, good, bad) in [
        (
            "hold_seconds",
            vec![json!(1), json!(86_400), Value::Null],
            vec![json!(0), json!(-1), json!(86_401), json!(1.5), json!("9"), json!(i64::MAX)],
        ),
        (
            "hold_limit_seconds",
            vec![json!(1), json!(86_400), Value::Null],
            vec![json!(0), json!(i64::MIN), json!(86_401), json!([])],
        ),
        ("customers_may_cancel", vec![json!(true), json!(false), Value::Null], vec![json!(1), json!("true"), json!([])]),
    ] {
        for value in good {
            client.post("/admin/shows", show(member, value)).await.expect(201);
        }
        for value in bad {
            client.post("/admin/shows", show(member, value)).await.problem(400, "invalid_request");
        }
    }
    let mut contradiction = show("hold_seconds", json!(300));
    contradiction["hold_limit_seconds"] = json!(299);
    client.post("/admin/shows", contradiction).await.problem(400, "invalid_request");
    data.verify().await;
}
