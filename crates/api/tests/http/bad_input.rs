//! Bad input gets a clear 4xx and changes nothing.

use loadgen::client::Method;
use serde_json::{Value, json};

use crate::support::{Client, Data, Kind, Server, on_both_stores};

on_both_stores! {
    a_show_that_makes_no_sense_is_refused
    a_booking_that_makes_no_sense_is_refused
    ids_that_no_row_has_are_refused
    bodies_that_are_not_what_they_should_be_are_refused
    addresses_and_methods_that_are_not_there_are_refused
    a_conflict_names_every_seat_and_its_reason
    odd_but_good_names_are_kept
}

async fn a_show_that_makes_no_sense_is_refused(kind: Kind) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, &[]).await;
    let mut client = server.client().await;
    let good = json!({"name": "Hamlet", "start_time": "2025-12-11 19:00", "total_seats": 40});
    let wrong = |member: &str, value: Value| {
        let mut show = good.clone();
        show[member] = value;
        show
    };
    let mut shows = vec![json!({}), json!({"name": "Hamlet"})];
    shows.extend(
        [json!(-5), json!(0), json!(1_000_001), json!(1.5), json!("40"), json!(null), json!([40])]
            .map(|v| wrong("total_seats", v)),
    );
    shows.extend(
        ["18446744073709551616", "99999999999999999999999"].map(|n| wrong("total_seats", serde_json::from_str(n).unwrap())),
    );
    shows
        .extend([json!(""), json!("  "), json!("x".repeat(201)), json!("a\0b"), json!(7), json!(null)].map(|v| wrong("name", v)));
    shows.extend(
        [
            json!("tomorrow"),
            json!(""),
            json!("2025-13-45 99:99"),
            json!("2025-02-30 19:00"),
            json!(1_765_000_000),
            json!(null),
            json!("2025-12-11 19:00\0"),
        ]
        .map(|v| wrong("start_time", v)),
    );
    for show in shows {
        let problem = client.post("/admin/shows", show.clone()).await.problem(400, "invalid_request");
        assert!(problem["error"].as_str().unwrap().len() > 10, "{show}");
    }
    assert_eq!(client.get("/shows").await.expect(200), json!([]));
    let both = client.post("/admin/shows", json!({"name": 1, "start_time": "x", "total_seats": 1})).await;
    let members = both.problem(400, "invalid_request")["mistakes"].clone();
    let members: Vec<&str> = members.as_array().unwrap().iter().map(|m| m["member"].as_str().unwrap()).collect();
    assert_eq!(members, ["name", "start_time"], "all mistakes at once");
}

async fn a_booking_that_makes_no_sense_is_refused(kind: Kind) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, &[]).await;
    let mut client = server.client().await;
    let show = client.show(60).await;
    let seats = |seats: Value| json!({"showId": show, "seats": seats});
    for body in [
        json!({}),
        json!({"seats": [1]}),
        json!({"showId": show}),
        seats(json!(1)),
        seats(json!("1")),
        seats(json!(["x"])),
        seats(json!(["1"])),
        seats(json!([1.5])),
        seats(json!([null])),
        seats(json!([[1]])),
        seats(json!({"0": 1})),
        seats(json!([0])),
        seats(json!([-1])),
        seats(serde_json::from_str("[9223372036854775808]").unwrap()),
        json!({"showId": "1", "seats": [1]}),
        json!({"showId": null, "seats": [1]}),
        json!({"showId": 1.5, "seats": [1]}),
        json!({"showId": show, "seats": [1], "userName": 5}),
        json!({"showId": show, "seats": [1], "userName": "a\0b"}),
        json!({"showId": show, "seats": [1], "userName": "x".repeat(201)}),
    ] {
        client.post("/book", body).await.problem(400, "invalid_request");
    }
    client.book(show, &[]).await.problem(400, "no_seats");
    let twice = client.book(show, &[3, 7, 3, 7, 1]).await.problem(400, "duplicate_seats");
    let duplicate = |number: i64| json!({"seat_number": number, "reason": "duplicate"});
    assert_eq!(twice["seats"], json!([duplicate(3), duplicate(7)]));
    let many: Vec<i64> = (1..=51).collect();
    client.book(show, &many).await.problem(400, "too_many_seats");
    let map = client.get(&format!("/shows/{show}/seats")).await.expect(200);
    assert!(map.as_array().unwrap().iter().all(|seat| seat["status"] == "AVAILABLE"));
    client.booked(show, &many[..50]).await;
    data.verify().await;
}

async fn ids_that_no_row_has_are_refused(kind: Kind) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, &[]).await;
    let mut client = server.client().await;
    client.show(1).await;
    for id in ["0", "-1", "2", "9223372036854775807", "9223372036854775808", "99999999999999999999999999"] {
        client.get(&format!("/shows/{id}/seats")).await.problem(404, "no_such_show");
        client.get(&format!("/book/{id}")).await.problem(404, "no_such_booking");
    }
    let huge = client.get("/shows/9223372036854775808/seats").await.problem(404, "no_such_show");
    assert_eq!(huge["error"], "There is no show 9223372036854775808.");
    for id in ["x", "1x", "1.5", "+1", "--1", "-", "%00", "1%20", "%F0%9F%8E%AD", "NaN", "0x1"] {
        client.get(&format!("/shows/{id}/seats")).await.problem(400, "invalid_id");
        client.get(&format!("/book/{id}")).await.problem(400, "invalid_id");
    }
    for id in [json!(0), json!(-1), json!(2), json!(i64::MAX)] {
        client.post("/book/confirm", json!({"bookingId": id})).await.problem(404, "no_such_booking");
        client.post("/book", json!({"showId": id, "seats": [1]})).await.problem(404, "no_such_show");
    }
    for id in ["9223372036854775808", "1e3", "1.0", "\"1\"", "null", "true", "[1]", "{}"] {
        let id: Value = serde_json::from_str(id).unwrap();
        client.post("/book/confirm", json!({"bookingId": id})).await.problem(400, "invalid_request");
    }
    for query in [
        "limit=0",
        "limit=-1",
        "limit=x",
        "limit=10001",
        "before=x",
        "before=0",
        "before=-1",
        "status=pending",
        "status=OPEN",
        "limit=1&limit=2",
    ] {
        client.get(&format!("/admin/bookings?{query}")).await.problem(400, "invalid_query");
    }
}

async fn bodies_that_are_not_what_they_should_be_are_refused(kind: Kind) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, &[]).await;
    let mut client = server.client().await;
    let mut post =
        async |body: &[u8], kind: &str| client.call(Method::POST, "/book", Some(body), &[("content-type", kind)]).await;
    for body in ["", "{", "nonsense", "{\"showId\":1,}", "[1]", "\"text\"", "null", "1", "{\"a\":\u{0}}", "{\"a\":\"\\ud800\"}"] {
        post(body.as_bytes(), "application/json").await.problem(400, "invalid_json");
    }
    post(&[0xff, 0xfe], "application/json").await.problem(400, "invalid_json");
    post("[".repeat(10_000).as_bytes(), "application/json").await.problem(400, "invalid_json");
    post(b"{}", "application/x-www-form-urlencoded").await.problem(415, "not_json");
    client_without_a_type(&server).await;
    post(b"{}", "text/plain").await.problem(415, "not_json");
    post(b"{}", "Application/JSON").await.problem(400, "invalid_request");
    post(b"{}", "application/json; charset=utf-8").await.problem(400, "invalid_request");
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    server.client().await.call(Method::POST, "/book", Some(b"{}"), &headers).await.problem(415, "not_json");
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(64 * 1024));
    post(large.as_bytes(), "application/json").await.problem(413, "body_too_large");
    let mut client = server.client().await;
    let show = client.show(2).await;
    let ignored = json!({"showId": show, "seats": [1], "userName": "Ada", "status": "CONFIRMED", "id": 77, "x": {}});
    let booked = client.post("/book", ignored).await.expect(201);
    assert_eq!((&booked["bookingId"], &booked["status"]), (&json!(1), &json!("PENDING")), "unknown members are ignored");
}

/// A page of another site can send a body without a type, unasked.
async fn client_without_a_type(server: &Server) {
    let show = r#"{"name":"Hamlet","start_time":"2025-12-11 19:00","total_seats":4}"#;
    for kind in ["", ";;;"] {
        let headers = [("content-type", kind)];
        let reply = server.client().await.call(Method::POST, "/admin/shows", Some(show.as_bytes()), &headers).await;
        reply.problem(415, "not_json");
    }
}

async fn addresses_and_methods_that_are_not_there_are_refused(kind: Kind) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, &[]).await;
    let mut client = server.client().await;
    for path in ["/", "/nope", "/shows/1/seats/1", "/book/1/2", "/admin", "/admin/nope", "/SHOWS", "/shows/"] {
        client.get(path).await.problem(404, "unknown_route");
    }
    for (method, path, allowed) in [
        (Method::DELETE, "/shows", "GET, HEAD"),
        (Method::GET, "/book", "POST"),
        (Method::PUT, "/book/1", "GET, HEAD"),
        (Method::GET, "/book/confirm", "POST"),
        (Method::GET, "/admin/shows", "POST"),
        (Method::PATCH, "/admin/bookings", "GET, HEAD"),
    ] {
        let reply = client.call(method, path, None, &[]).await;
        assert_eq!(reply.headers["allow"], allowed, "{path}");
        reply.problem(405, "method_not_allowed");
    }
    let head = client.call(Method::HEAD, "/shows", None, &[]).await;
    assert_eq!((head.status, head.headers["content-length"].to_str().unwrap()), (200, "2"));
}

async fn a_conflict_names_every_seat_and_its_reason(kind: Kind) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, &[]).await;
    let mut client = server.client().await;
    let show = client.show(10).await;
    let sold = client.booked(show, &[1]).await;
    client.confirm(sold).await.expect(200);
    let held = client.book(show, &[2, 3]).await.expect(201);
    let free_at = &held["expiresAt"];
    let problem = client.book(show, &[4, 11, 3, 2, 1, 1_000_000_000_000]).await.problem(409, "seats_not_free");
    assert_eq!(
        problem["seats"],
        json!([
            {"seat_number": 1, "reason": "sold"},
            {"seat_number": 2, "reason": "held", "free_at": free_at},
            {"seat_number": 3, "reason": "held", "free_at": free_at},
            {"seat_number": 11, "reason": "unknown"},
            {"seat_number": 1_000_000_000_000_i64, "reason": "unknown"},
        ])
    );
    assert_eq!(problem["retryable"], false);
    assert_eq!(client.book(show, &[2]).await.problem(409, "seats_not_free")["retryable"], true);
    client.booked(show, &[4]).await;
    data.verify().await;
}

async fn odd_but_good_names_are_kept(kind: Kind) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, &[]).await;
    let mut client: Client = server.client().await;
    let show = client.show(10).await;
    for (name, seat) in ["🎭 Zoë", "O'Hara \"; DROP TABLE seats; --", "{1,2}", "\\N", "NULL", "名前"].into_iter().zip(1..) {
        let body = json!({"showId": show, "seats": [seat], "userName": name});
        let id = client.post("/book", body).await.expect(201)["bookingId"].as_i64().unwrap();
        assert_eq!(client.get(&format!("/book/{id}")).await.expect(200)["booking"]["user_name"], name);
    }
}
