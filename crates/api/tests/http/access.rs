//! Who may do what when the server is guarded.

use loadgen::client::Method;
use serde_json::json;

use crate::support::{Client, Data, Kind, Reply, Server, command, on_both_stores};

on_both_stores! {
    a_guarded_server_asks_everyone_to_prove_who_they_are
}

const ADMIN: &str = "the-admin-s-own-token";
const GUARDED: [(&str, &str); 3] =
    [("ACCESS", "guarded"), ("ADMIN_TOKEN", ADMIN), ("BOOKING_SECRET", "a secret that nobody can guess")];

async fn with(client: &mut Client, method: Method, path: &str, body: Option<&str>, token: Option<&str>) -> Reply {
    let bearer = token.map(|token| format!("Bearer {token}")).unwrap_or_default();
    let headers = [("authorization", bearer.as_str())];
    client.call(method, path, body.map(str::as_bytes), &headers[..usize::from(token.is_some())]).await
}

async fn a_guarded_server_asks_everyone_to_prove_who_they_are(kind: Kind) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, &[&GUARDED[..], &[("RUST_LOG", "info")]].concat()).await;
    let client = &mut server.client().await;
    let show = r#"{"name":"Hamlet","start_time":"2025-12-11 19:00","total_seats":9}"#;
    for (method, path, body) in [(Method::POST, "/admin/shows", Some(show)), (Method::GET, "/admin/bookings", None)] {
        let anonymous = with(client, method.clone(), path, body, None).await;
        assert_eq!(anonymous.headers["www-authenticate"], "Bearer");
        assert!(anonymous.headers.contains_key("x-request-id"));
        anonymous.problem(401, "unauthorized");
        for wrong in ["nonsense", "", &ADMIN[1..], &format!("{ADMIN}x")] {
            let status = with(client, method.clone(), path, body, Some(wrong)).await.status;
            assert!(status == 403 || (wrong.is_empty() && status == 401), "{path} {wrong:?} {status}");
        }
    }
    with(client, Method::GET, "/admin/nope", None, None).await.problem(401, "unauthorized");
    assert_eq!(client.get("/shows").await.expect(200), json!([]));
    with(client, Method::POST, "/admin/shows", Some(show), Some(ADMIN)).await.expect(201);

    let mine = client.book(1, &[1]).await.expect(201);
    let theirs = client.book(1, &[2]).await.expect(201);
    let (mine, theirs) = (mine["bookingToken"].as_str().unwrap(), theirs["bookingToken"].as_str().unwrap());
    let confirm = r#"{"bookingId":1}"#;
    for (method, path, body) in [(Method::GET, "/book/1", None), (Method::POST, "/book/confirm", Some(confirm))] {
        with(client, method.clone(), path, body, None).await.problem(401, "unauthorized");
        for wrong in [theirs, &mine[1..], &mine[..63], "nonsense", ADMIN] {
            with(client, method.clone(), path, body, Some(wrong)).await.problem(404, "no_such_booking");
        }
    }
    let absent = with(client, Method::GET, "/book/77", None, Some(theirs)).await;
    absent.problem(404, "no_such_booking");
    assert_eq!(with(client, Method::GET, "/book/1", None, Some(mine)).await.expect(200)["booking"]["status"], "PENDING");
    let in_the_body = json!({"bookingId": 1, "bookingToken": mine});
    client.post("/book/confirm", in_the_body).await.expect(200);
    with(client, Method::POST, "/book/confirm", Some(r#"{"bookingId":2}"#), Some(theirs)).await.expect(200);
    assert!(server.log().contains(r#""status":403"#), "refusals are logged: {}", server.log());
    assert!(!server.log().contains(ADMIN) && !server.log().contains(mine), "no secret in a log");
    drop(server);

    let other_secret = [GUARDED[0], GUARDED[1], ("BOOKING_SECRET", "another secret that nobody can guess")];
    let server = Server::start(&data, &other_secret).await;
    with(&mut server.client().await, Method::GET, "/book/1", None, Some(mine)).await.problem(404, "no_such_booking");
}

fn refusal_to_start(settings: &[(&str, &str)]) -> String {
    let output = command(settings).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_server_that_others_can_reach_does_not_start_unguarded() {
    let refusal = refusal_to_start(&[("HOST", "0.0.0.0")]);
    assert!(refusal.contains("ADMIN_TOKEN") && refusal.contains("BOOKING_SECRET"), "{refusal}");
    let refusal = refusal_to_start(&[("ACCESS", "guarded"), ("ADMIN_TOKEN", ADMIN)]);
    assert!(!refusal.contains("ADMIN_TOKEN is not set") && refusal.contains("BOOKING_SECRET"), "{refusal}");
    let same = [("ACCESS", "guarded"), ("ADMIN_TOKEN", ADMIN), ("BOOKING_SECRET", ADMIN)];
    assert!(refusal_to_start(&same).contains("another secret"));
    let unsendable = [("ACCESS", "guarded"), ("ADMIN_TOKEN", "pässwörd-pässwörd"), GUARDED[2]];
    assert!(refusal_to_start(&unsendable).contains("ADMIN_TOKEN"));
    let refusal = refusal_to_start(&[("HOST", "0.0.0.0"), ("ADMIN_TOKEN", "short"), ("BOOKING_SECRET", "short too")]);
    assert!(refusal.contains("16 bytes") && !refusal.contains("short too"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_can_be_opened_to_everyone_with_a_warning() {
    let data = Data::fresh(Kind::Sqlite);
    let server = Server::start(&data, &[("HOST", "0.0.0.0"), ("ACCESS", "open")]).await;
    server.client().await.show(1).await;
    assert!(server.log().contains("ACCESS=open"));
}
