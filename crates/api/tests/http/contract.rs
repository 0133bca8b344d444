//! The wire contract, row by row, on a fresh database.

use loadgen::client::Method;
use serde_json::{Value, json};

use crate::support::{Data, Kind, Server, on_both_stores};

on_both_stores! {
    the_original_s_requests_are_answered_as_the_original_answered_them
    every_shape_of_a_start_time_is_taken
    an_expired_hold_is_refused_and_failed_and_its_seats_are_free
    with_no_worker_a_dead_hold_is_dead_all_the_same
    shows_and_bookings_are_listed_newest_first_and_in_pages
    the_configured_origins_may_call_from_a_page
    a_seat_map_is_small_on_the_wire
}

fn is_rfc3339_utc(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(text).is_ok())
}

async fn the_original_s_requests_are_answered_as_the_original_answered_them(kind: Kind) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, &[]).await;
    let mut client = server.client().await;

    let show = json!({"name": "Avengers Movie", "start_time": "2025-12-11 19:00", "total_seats": 40});
    let created = client.post("/admin/shows", show).await.expect(201);
    assert_eq!(created, json!({"message": "Show created", "showId": 1}));

    let shows = client.get("/shows").await.expect(200);
    let show = &shows[0];
    assert_eq!(shows.as_array().unwrap().len(), 1);
    assert_eq!((&show["id"], &show["name"], &show["total_seats"]), (&json!(1), &json!("Avengers Movie"), &json!(40)));
    assert_eq!(show["start_time"], "2025-12-11T19:00:00.000Z");
    assert!(is_rfc3339_utc(&show["created_at"]));

    let seats = client.get("/shows/1/seats").await.expect(200);
    let seats = seats.as_array().unwrap();
    assert_eq!(seats.len(), 40);
    assert_eq!(seats[10], json!({"id": 11, "seat_number": 11, "status": "AVAILABLE", "booking_id": null}));

    let booked = client.post("/book", json!({"showId": 1, "seats": [1, 2], "userName": "Alice"})).await.expect(201);
    assert_eq!(booked["message"], "Booking created");
    assert_eq!((&booked["bookingId"], &booked["status"]), (&json!(1), &json!("PENDING")));
    let seats = client.get("/shows/1/seats").await.expect(200);
    assert_eq!(seats[1], json!({"id": 2, "seat_number": 2, "status": "PENDING", "booking_id": 1}));

    let conflict = client.book(1, &[2, 3]).await.problem(409, "seats_not_free");
    assert_eq!(conflict["error"], "Seat 2 is not available.");

    let confirmed = client.confirm(1).await.expect(200);
    assert_eq!(confirmed, json!({"message": "Booking confirmed", "bookingId": 1}));
    client.confirm(1).await.problem(409, "booking_not_pending");
    client.confirm(99).await.problem(404, "no_such_booking");

    let found = client.get("/book/1").await.expect(200);
    let booking = &found["booking"];
    assert_eq!((&booking["id"], &booking["show_id"]), (&json!(1), &json!(1)));
    assert_eq!((&booking["user_name"], &booking["status"]), (&json!("Alice"), &json!("CONFIRMED")));
    let sold = json!([{"seat_number": 1, "status": "CONFIRMED"}, {"seat_number": 2, "status": "CONFIRMED"}]);
    assert_eq!(found["seats"], sold);

    for (nameless, id) in [json!({}), json!({"userName": ""}), json!({"userName": null})].into_iter().zip(2..) {
        let mut body = json!({"showId": 1, "seats": [id + 10]});
        body.as_object_mut().unwrap().extend(nameless.as_object().unwrap().clone());
        assert_eq!(client.post("/book", body).await.expect(201)["bookingId"], id);
        assert_eq!(client.get(&format!("/book/{id}")).await.expect(200)["booking"]["user_name"], "guest");
    }

    let all = client.get("/admin/bookings").await.expect(200);
    let ids: Vec<i64> = all.as_array().unwrap().iter().map(|booking| booking["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [4, 3, 2, 1]);
    assert!(is_rfc3339_utc(&all[0]["created_at"]) && is_rfc3339_utc(&all[0]["updated_at"]));
    let pending = client.get("/admin/bookings?status=PENDING").await.expect(200);
    assert!(pending.as_array().unwrap().len() == 3 && pending[0]["status"] == "PENDING");
    assert_eq!(client.get("/admin/bookings?status=FAILED").await.expect(200), json!([]));
    data.verify().await;
}

async fn every_shape_of_a_start_time_is_taken(kind: Kind) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, &[("TIME_ZONE", "Europe/Berlin")]).await;
    let mut client = server.client().await;
    for (text, read) in [
        ("2025-12-11 19:00", "2025-12-11T18:00:00.000Z"),
        ("2025-07-11 19:00:30", "2025-07-11T17:00:30.000Z"),
        ("2025-12-11T19:00", "2025-12-11T18:00:00.000Z"),
        ("2025-12-11T19:00:00+05:30", "2025-12-11T13:30:00.000Z"),
        ("2025-12-11T19:00:00Z", "2025-12-11T19:00:00.000Z"),
    ] {
        client.post("/admin/shows", json!({"name": text, "start_time": text, "total_seats": 1})).await.expect(201);
        assert_eq!(client.get("/shows").await.expect(200)[0]["start_time"], read, "{text}");
    }
}

async fn an_expired_hold_is_refused_and_failed_and_its_seats_are_free(kind: Kind) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, &[("HOLD_SECONDS", "0.3")]).await;
    let mut client = server.client().await;
    let show = client.show(5).await;
    let booking = client.booked(show, &[2, 3]).await;
    until_failed(&mut client, booking).await;
    let found = client.get(&format!("/book/{booking}")).await.expect(200);
    assert_eq!(found["booking"]["failure_reason"], "expired");
    let freed = json!([{"seat_number": 2, "status": "AVAILABLE"}, {"seat_number": 3, "status": "AVAILABLE"}]);
    assert_eq!(found["seats"], freed, "a FAILED booking still lists its seats");
    let refused = client.confirm(booking).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    client.booked(show, &[1, 2, 3]).await;
    data.verify().await;
}

async fn until_failed(client: &mut crate::support::Client, booking: i64) {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while client.get(&format!("/book/{booking}")).await.expect(200)["booking"]["status"] != "FAILED" {
        assert!(std::time::Instant::now() < until, "the hold did not fail");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn with_no_worker_a_dead_hold_is_dead_all_the_same(kind: Kind) {
    let data = Data::fresh(kind);
    // On PostgreSQL no worker runs here; the one inside an embedded server sleeps an hour after it finds nothing due.
    let server = Server::start(&data, &[("HOLD_SECONDS", "0.3"), ("SWEEP_SECONDS", "3600")]).await;
    let mut client = server.client().await;
    let show = client.show(5).await;
    // The embedded sweeper learns of deadlines only when it looks, which it did before this hold was made.
    let booking = client.booked(show, &[2, 3]).await;
    until_failed(&mut client, booking).await;
    client.confirm(booking).await.problem(409, "hold_expired");
    assert_eq!(client.get(&format!("/shows/{show}/seats")).await.expect(200)[1]["status"], "AVAILABLE");
    assert_eq!(client.get("/admin/bookings?status=FAILED").await.expect(200)[0]["id"], booking);
    assert_eq!(client.get("/admin/bookings?status=PENDING").await.expect(200), json!([]));
    let next = client.booked(show, &[3, 4]).await;
    client.confirm(next).await.expect(200);
    client.confirm(booking).await.problem(409, "hold_expired");
    data.verify().await;
}

async fn shows_and_bookings_are_listed_newest_first_and_in_pages(kind: Kind) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, &[]).await;
    let mut client = server.client().await;
    for seats in 1..=5 {
        let show = client.show(seats).await;
        client.booked(show, &[1]).await;
    }
    for list in ["/shows", "/admin/bookings?status=PENDING", "/admin/bookings"] {
        let mut path = Some(format!("{list}{}limit=2", if list.contains('?') { '&' } else { '?' }));
        let mut ids = Vec::new();
        while let Some(next) = path {
            let page = client.get(&next).await;
            let link = page.headers.get("link").map(|link| link.to_str().unwrap().to_owned());
            path = link.map(|link| link.split(['<', '>']).nth(1).unwrap().to_owned());
            ids.extend(page.expect(200).as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()));
        }
        assert_eq!(ids, [5, 4, 3, 2, 1], "{list}");
    }
}

async fn a_seat_map_is_small_on_the_wire(kind: Kind) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, &[]).await;
    let mut client = server.client().await;
    let show = client.show(5_000).await;
    let path = format!("/shows/{show}/seats");
    let answer = client.0.call(Method::GET, &path, None, &[("accept-encoding", "gzip")]).await.unwrap();
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert!(answer.body.len() < 50_000, "{} bytes", answer.body.len());
    assert_eq!(client.get(&path).await.expect(200).as_array().unwrap().len(), 5_000);
    let absent = client.call(Method::GET, "/shows/99/seats", None, &[("accept-encoding", "gzip")]).await;
    absent.problem(404, "no_such_show");
}

async fn the_configured_origins_may_call_from_a_page(kind: Kind) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, &[("CORS_ALLOWED_ORIGINS", "https://tickets.example, https://other.example")]).await;
    let mut client = server.client().await;
    let asks = |origin| {
        [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type, idempotency-key"),
        ]
    };
    let allowed = client.call(Method::OPTIONS, "/book", None, &asks("https://tickets.example")).await;
    assert_eq!(allowed.status, 200);
    assert_eq!(allowed.headers["access-control-allow-origin"], "https://tickets.example");
    let refused = client.call(Method::OPTIONS, "/book", None, &asks("https://evil.example")).await;
    assert!(!refused.headers.contains_key("access-control-allow-origin"));
    refused.problem(400, "cors_refused");
    let failed = client.call(Method::POST, "/book", Some(b"{"), &[("origin", "https://tickets.example")]).await;
    assert_eq!(failed.headers["access-control-allow-origin"], "https://tickets.example", "failures can be read too");
    let failed = client.call(Method::POST, "/admin/nope", Some(b"{"), &[("origin", "https://tickets.example")]).await;
    assert_eq!(failed.headers["access-control-allow-origin"], "https://tickets.example", "failures can be read too");
    let exposed = failed.headers["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.contains("idempotency-replayed"), "{exposed}");
}
