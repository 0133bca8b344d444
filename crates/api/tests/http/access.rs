//! Who may do what when the server is guarded.

use std::process::Stdio;

use loadgen::client::Method;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::support::{Client, Data, Kind, Reply, Server, command, on_both_stores};

on_both_stores! {
    every_route_asks_for_what_the_table_says
    an_absent_booking_and_another_s_look_alike
    a_booking_s_token_is_taken_from_the_header_and_from_the_body
    tokens_of_another_secret_open_nothing
    an_admin_who_may_not_sell_has_no_more_say_than_the_customer
}

const ADMIN: &str = "the-admin-s-own-token";
const GUARDED: [(&str, &str); 3] =
    [("ACCESS", "guarded"), ("ADMIN_TOKEN", ADMIN), ("BOOKING_SECRET", "a secret that nobody can guess")];
const SHOW: &str = r#"{"name":"Hamlet","start_time":"2025-12-11 19:00","total_seats":9}"#;

/// What a route asks for.
#[derive(Clone, Copy)]
enum Needs {
    Nothing,
    /// An admin with this scope.
    Scope(&'static str),
    /// Booking 1's token, or an admin with one of these scopes; the last one is named to those who have none.
    Booking(&'static [&'static str]),
}

/// Every route but health. A new one is a line; what it asks of booking 1 may fail for another reason than access.
const ROUTES: &[(Method, &str, Option<&str>, Needs)] = &[
    (Method::GET, "/shows", None, Needs::Nothing),
    (Method::GET, "/shows/1/seats", None, Needs::Nothing),
    (Method::POST, "/book", Some(r#"{"showId":1,"seats":[1]}"#), Needs::Nothing),
    (Method::GET, "/book/1", None, Needs::Booking(&["sell", "read"])),
    (Method::POST, "/book/confirm", Some(r#"{"bookingId":1}"#), Needs::Booking(&["sell"])),
    (Method::POST, "/book/extend", Some(r#"{"bookingId":1}"#), Needs::Booking(&["sell"])),
    (Method::POST, "/book/change", Some(r#"{"bookingId":1,"add":[9]}"#), Needs::Booking(&["sell"])),
    (Method::POST, "/book/cancel", Some(r#"{"bookingId":1}"#), Needs::Booking(&["sell"])),
    (Method::GET, "/admin/bookings", None, Needs::Scope("read")),
    (Method::GET, "/admin/holds", None, Needs::Scope("read")),
    (Method::GET, "/admin/refunds", None, Needs::Scope("read")),
    (Method::GET, "/shows/1", None, Needs::Nothing),
    (Method::GET, "/admin/shows/1/counts", None, Needs::Scope("read")),
    (Method::GET, "/admin/bookings/1/history", None, Needs::Scope("read")),
    (Method::POST, "/admin/bookings/1/cancel", Some("{}"), Needs::Scope("sell")),
    (Method::POST, "/admin/shows", Some(SHOW), Needs::Scope("manage")),
    (Method::POST, "/admin/shows/1/edit", Some(r#"{"name":"Macbeth"}"#), Needs::Scope("manage")),
    (Method::POST, "/admin/shows/1/blocks", Some(r#"{"seats":[1],"reason":"the mayor"}"#), Needs::Scope("sell")),
    (Method::POST, "/admin/shows/2/cancel", Some("{}"), Needs::Scope("manage")),
];

/// Admins by name, token and scopes, besides `ADMIN_TOKEN`.
const ADMINS: [(&str, &str, &str); 4] = [
    ("auditor", "token of the auditor", "read"),
    ("box-office", "token of the box office", "read+sell"),
    ("payments", "token of the payments", "sell"),
    ("deploy", "token of the deployment", "manage"),
];

pub(crate) fn entry((name, token, scopes): (&str, &str, &str)) -> String {
    let hash: Vec<String> = Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{name}:{scopes}:{}", hash.concat())
}

async fn guarded(data: &Data) -> Server {
    let admins = ADMINS.map(entry).join(",");
    Server::start(data, &[&GUARDED[..], &[("ADMIN_TOKENS", admins.as_str()), ("RUST_LOG", "info")]].concat()).await
}

async fn with(client: &mut Client, method: &Method, path: &str, body: Option<&str>, token: Option<&str>) -> Reply {
    let bearer = token.map(|token| format!("Bearer {token}")).unwrap_or_default();
    let headers = [("authorization", bearer.as_str())];
    client.call(method.clone(), path, body.map(str::as_bytes), &headers[..usize::from(token.is_some())]).await
}

/// A show with bookings 1 and 2: their tokens.
async fn two_bookings(client: &mut Client) -> [String; 2] {
    with(client, &Method::POST, "/admin/shows", Some(SHOW), Some(ADMIN)).await.expect(201);
    let mut tokens = Vec::new();
    for seat in [1, 2] {
        tokens.push(client.book(1, &[seat]).await.expect(201)["bookingToken"].as_str().unwrap().to_owned());
    }
    tokens.try_into().unwrap()
}

/// What a route that needs this answers to the holder of a token: `None` if it lets it in, else status, code and missing scope.
fn refusal(needs: Needs, token: Option<&str>, mine: &str) -> Option<(u16, &'static str, Option<&'static str>)> {
    let admins = ADMINS.into_iter().chain([("admin", ADMIN, "read+sell+manage")]);
    let scopes = admins.filter(|(_, held, _)| Some(*held) == token).map(|(_, _, scopes)| scopes).next();
    let has = |scope: &&str| scopes.is_some_and(|scopes| scopes.split('+').any(|held| held == *scope));
    let is_anonymous = token.is_none_or(str::is_empty);
    match needs {
        Needs::Nothing => None,
        _ if is_anonymous => Some((401, "unauthorized", None)),
        Needs::Scope(scope) if has(&scope) => None,
        Needs::Scope(scope) if scopes.is_some() => Some((403, "insufficient_scope", Some(scope))),
        Needs::Scope(_) => Some((403, "forbidden", None)),
        Needs::Booking(enough) if token == Some(mine) || enough.iter().any(has) => None,
        Needs::Booking(enough) if scopes.is_some() => Some((403, "insufficient_scope", enough.last().copied())),
        Needs::Booking(_) => Some((404, "no_such_booking", None)),
    }
}

async fn every_route_asks_for_what_the_table_says(kind: Kind) {
    let data = Data::fresh(kind);
    let server = guarded(&data).await;
    let client = &mut server.client().await;
    let [mine, theirs] = two_bookings(client).await;
    let longer = format!("{mine}0");
    let wrong = ["nonsense", "", &ADMIN[1..], &theirs, &mine[1..], &mine[..63], &longer, &mine.to_uppercase()];
    let tokens: Vec<&str> = ADMINS.iter().map(|(_, token, _)| *token).chain([ADMIN, &mine]).chain(wrong).collect();
    for (method, path, body, needs) in ROUTES {
        for token in [None].into_iter().chain(tokens.iter().copied().map(Some)) {
            let reply = with(client, method, path, *body, token).await;
            let Some((status, code, scope)) = refusal(*needs, token, &mine) else {
                assert!([200, 201, 409].contains(&reply.status), "{method} {path} with {token:?}: {reply:?}");
                continue;
            };
            assert_eq!((reply.status, reply.body["code"].as_str()), (status, Some(code)), "{method} {path} with {token:?}");
            assert!(reply.headers.contains_key("x-request-id"));
            let challenge = reply.headers.get("www-authenticate").map(|challenge| challenge.to_str().unwrap().to_owned());
            let of_scope = scope.map(|scope| format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\""));
            assert_eq!(challenge, of_scope.or((status == 401).then(|| "Bearer".to_owned())));
            assert_eq!(reply.problem(status, code)["scope"], json!(scope));
        }
    }
    // Nor is anyone else told what is not there.
    with(client, &Method::GET, "/admin/nope", None, None).await.problem(401, "unauthorized");
    with(client, &Method::GET, "/admin/nope", None, Some("nonsense")).await.problem(403, "forbidden");
    with(client, &Method::DELETE, "/admin/shows", None, None).await.problem(401, "unauthorized");
    with(client, &Method::GET, "/admin/nope", None, Some(ADMIN)).await.problem(404, "unknown_route");
    data.verify().await;
    let log = server.log();
    assert!(log.contains(r#""status":403"#), "refusals are logged: {log}");
    let is_secret = |token: &&str| token.len() > 15 && log.contains(*token);
    assert_eq!(tokens.into_iter().find(is_secret), None, "no secret in a log");
    assert!(!ADMINS.map(entry).iter().any(|entry| log.contains(&entry[entry.len() - 64..])), "no hash in a log");
}

/// The headers, but for those that differ between any two answers, and the body with the id taken out.
async fn as_seen(
    client: &mut Client,
    method: &Method,
    path: &str,
    body: Option<&str>,
    token: &str,
    id: &str,
) -> (Vec<String>, String) {
    let bearer = format!("Bearer {token}");
    let answer = client.0.call(method.clone(), path, body.map(str::as_bytes), &[("authorization", &bearer)]).await.unwrap();
    assert_eq!(answer.status, 404);
    let headers = answer.headers.iter().filter(|(name, _)| *name != "x-request-id" && *name != "date");
    let mut headers: Vec<String> = headers.map(|(name, value)| format!("{name}: {value:?}")).collect();
    headers.sort();
    (headers, answer.text().replace(id, "ID"))
}

async fn an_absent_booking_and_another_s_look_alike(kind: Kind) {
    let data = Data::fresh(kind);
    let server = guarded(&data).await;
    let client = &mut server.client().await;
    let [_, theirs] = two_bookings(client).await;
    let confirm = |id| format!(r#"{{"bookingId":{id}}}"#);
    for token in [theirs.as_str(), "nonsense"] {
        let there = as_seen(client, &Method::GET, "/book/1", None, token, "1").await;
        assert_eq!(there, as_seen(client, &Method::GET, "/book/7", None, token, "7").await);
        let there = as_seen(client, &Method::POST, "/book/confirm", Some(&confirm(1)), token, "1").await;
        assert_eq!(there, as_seen(client, &Method::POST, "/book/confirm", Some(&confirm(7)), token, "7").await);
    }
    // Nor does a stranger hear anything else than the box office does, which is told the truth.
    let (box_office, theirs) = (ADMINS[1].1, theirs.as_str());
    for (method, path, body) in [(Method::GET, "/book/7", None), (Method::POST, "/book/confirm", Some(confirm(7)))] {
        let truth = as_seen(client, &method, path, body.as_deref(), box_office, "7").await;
        assert_eq!(truth, as_seen(client, &method, path, body.as_deref(), theirs, "7").await);
    }
}

async fn a_booking_s_token_is_taken_from_the_header_and_from_the_body(kind: Kind) {
    let data = Data::fresh(kind);
    let server = guarded(&data).await;
    let client = &mut server.client().await;
    let [mine, theirs] = two_bookings(client).await;
    assert_eq!(with(client, &Method::GET, "/book/1", None, Some(&mine)).await.expect(200)["booking"]["status"], "PENDING");
    for wrong in [json!(theirs), json!(mine[1..]), json!("nonsense")] {
        client.post("/book/confirm", json!({"bookingId": 1, "bookingToken": wrong})).await.problem(404, "no_such_booking");
    }
    client.post("/book/confirm", json!({"bookingId": 1, "bookingToken": null})).await.problem(401, "unauthorized");
    client.post("/book/confirm", json!({"bookingId": 1, "bookingToken": ""})).await.problem(401, "unauthorized");
    client.post("/book/confirm", json!({"bookingId": 1, "bookingToken": mine})).await.expect(200);
    with(client, &Method::POST, "/book/confirm", Some(r#"{"bookingId":2}"#), Some(&theirs)).await.expect(200);
}

async fn tokens_of_another_secret_open_nothing(kind: Kind) {
    let data = Data::fresh(kind);
    let server = guarded(&data).await;
    let [mine, _] = two_bookings(&mut server.client().await).await;
    drop(server);
    let server = Server::start(&data, &[GUARDED[0], GUARDED[1], ("BOOKING_SECRET", "another secret that nobody guesses")]).await;
    let client = &mut server.client().await;
    with(client, &Method::GET, "/book/1", None, Some(&mine)).await.problem(404, "no_such_booking");
    client.post("/book/confirm", json!({"bookingId": 1, "bookingToken": mine})).await.problem(404, "no_such_booking");
    for (_, token, _) in ADMINS {
        with(client, &Method::GET, "/admin/bookings", None, Some(token)).await.problem(403, "forbidden");
    }
}

/// While an old token is exchanged for a new one both are good; `ADMIN_TOKEN` is not needed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_rotated_while_the_other_one_is_live() {
    let data = Data::fresh(Kind::Sqlite);
    let (old, new) = (("deploy-1", "the old token", "manage"), ("deploy-2", "the new token", "manage"));
    for (live, old_status) in [(vec![old], 201), (vec![old, new], 201), (vec![new], 403)] {
        let admins = live.iter().copied().map(entry).collect::<Vec<_>>().join(", ");
        let server = Server::start(&data, &[GUARDED[0], GUARDED[2], ("ADMIN_TOKENS", admins.as_str())]).await;
        let client = &mut server.client().await;
        assert_eq!(with(client, &Method::POST, "/admin/shows", Some(SHOW), Some(old.1)).await.status, old_status);
        let new_status = if live.contains(&new) { 201 } else { 403 };
        assert_eq!(with(client, &Method::POST, "/admin/shows", Some(SHOW), Some(new.1)).await.status, new_status);
        for admin in live {
            server.until_logged(&format!(r#""caller":"admin:{}""#, admin.0)).await;
        }
    }
}

/// What it says instead of starting; if it would start, it only prints its settings.
fn refusal_to_start(settings: &[(&str, &str)]) -> String {
    let output = command(settings).arg("--print-config").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_server_that_others_can_reach_does_not_start_unguarded() {
    let refusal = refusal_to_start(&[("HOST", "0.0.0.0")]);
    assert!(refusal.contains("ADMIN_TOKEN") && refusal.contains("BOOKING_SECRET"), "{refusal}");
    let refusal = refusal_to_start(&[("ACCESS", "guarded"), ("ADMIN_TOKEN", ADMIN)]);
    assert!(!refusal.contains("ADMIN_TOKEN is not set") && refusal.contains("BOOKING_SECRET"), "{refusal}");
    let refusal = refusal_to_start(&[GUARDED[0], GUARDED[2], ("ADMIN_TOKENS", " , ")]);
    assert!(refusal.contains("ADMIN_TOKEN is not set"), "{refusal}");
    let unsendable = [("ACCESS", "guarded"), ("ADMIN_TOKEN", "pässwörd-pässwörd"), GUARDED[2]];
    assert!(refusal_to_start(&unsendable).contains("ADMIN_TOKEN"));
    let refusal = refusal_to_start(&[("HOST", "0.0.0.0"), ("ADMIN_TOKEN", "short"), ("BOOKING_SECRET", "short too")]);
    assert!(refusal.contains("16 bytes") && !refusal.contains("short too"), "{refusal}");
}

#[test]
fn a_server_does_not_start_with_tokens_that_are_wrong_or_not_apart_and_shows_none() {
    let deploy = entry(ADMINS[3]);
    let hash = &deploy[deploy.len() - 64..];
    for (tokens, secret, expected) in [
        (hash.to_owned(), GUARDED[2].1, "three parts, as in name:scopes:hash"),
        (format!("{deploy},deploy:all:{hash}"), GUARDED[2].1, "scopes from read, sell and manage, joined by +, in entry 2"),
        (format!("{deploy},{deploy}"), GUARDED[2].1, "names that differ"),
        (format!("{deploy},other:read:{hash}"), GUARDED[2].1, "tokens that differ"),
        (entry(("admin", "whatever else", "read")), GUARDED[2].1, "names that differ"),
        (entry(("other", ADMIN, "read")), GUARDED[2].1, "tokens that differ"),
        (deploy.clone(), ADMIN, "another secret"),
        (deploy.clone(), ADMINS[3].1, "another secret"),
    ] {
        let settings = [GUARDED[1], ("ADMIN_TOKENS", tokens.as_str()), ("BOOKING_SECRET", secret)];
        let refusal = refusal_to_start(&settings);
        assert!(refusal.contains(expected), "{settings:?}: {refusal}");
        assert!(!refusal.contains(hash) && !refusal.contains(secret) && !refusal.contains(ADMIN), "{refusal}");
    }
    let mut printing = command(&[GUARDED[1], ("ADMIN_TOKENS", &deploy)]);
    let printed = printing.arg("--print-config").stdout(Stdio::piped()).output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    assert!(printed.contains("ADMIN_TOKENS=***") && !printed.contains(hash), "{printed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_can_be_opened_to_everyone_with_a_warning() {
    let data = Data::fresh(Kind::Sqlite);
    let server = Server::start(&data, &[("HOST", "0.0.0.0"), ("ACCESS", "open")]).await;
    server.client().await.show(1).await;
    assert!(server.log().contains("ACCESS=open"));
    server.until_logged(r#""caller":"customer""#).await;
}

/// With the customer's token in the body, the token of an admin who may only read opens no more than the customer's alone.
async fn an_admin_who_may_not_sell_has_no_more_say_than_the_customer(kind: Kind) {
    let data = Data::fresh(kind);
    let server = guarded(&data).await;
    let client = &mut server.client().await;
    let [mine, _] = two_bookings(client).await;
    let body = format!(r#"{{"bookingId":1,"bookingToken":"{mine}"}}"#);
    with(client, &Method::POST, "/book/confirm", Some(&body), None).await.expect(200);
    let [reader, seller] = [ADMINS[0].1, ADMINS[1].1];
    for token in [None, Some(reader)] {
        with(client, &Method::POST, "/book/cancel", Some(&body), token).await.problem(409, "sale_is_final");
    }
    let cancelled = with(client, &Method::POST, "/book/cancel", Some(&body), Some(seller)).await.expect(200);
    assert_eq!(cancelled["refundDue"], true);
    let history = with(client, &Method::GET, "/admin/bookings/1/history", None, Some(reader)).await.expect(200);
    assert_eq!((&history[1]["by"], &history[2]["by"]), (&json!("customer"), &json!("admin:box-office")));
    data.verify().await;
}
