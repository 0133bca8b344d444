//! Who asks too often is refused, and nobody else is.
//!
//! Nothing waits here: tokens come back so slowly that none does within a test. How they do is a matter of the unit tests.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use loadgen::client::Method;
use serde_json::json;

use crate::overload::{answer, head};
use crate::support::{Client, Data, Kind, Reply, Server, command};

const ADMIN: &str = "the-admin-s-own-token";

async fn get(client: &mut Client, headers: &[(&str, &str)]) -> Reply {
    client.call(Method::GET, "/shows", None, headers).await
}

/// Which of its reads a client may do that says of each where it comes from.
async fn admitted(server: &Server, forwarded: &[&str]) -> Vec<bool> {
    let client = &mut server.client().await;
    let mut admitted = Vec::new();
    for forwarded in forwarded {
        admitted.push(get(client, &[("x-forwarded-for", forwarded)]).await.status == 200);
    }
    admitted
}

fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    reply.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_is_told_how_it_stands_and_refused_when_its_tokens_are_used_up() {
    let data = Data::fresh(Kind::Sqlite);
    let server = Server::start(&data, &[("RATE_LIMIT_READS", "2/h burst 3"), ("RATE_LIMIT_WRITES", "1/h burst 2")]).await;
    let client = &mut server.client().await;
    for left in ["2", "1", "0"] {
        // Whatever the answer, a request counts.
        let reply = if left == "1" { client.get("/book/77").await } else { client.get("/shows").await };
        assert!([200, 404].contains(&reply.status), "{reply:?}");
        assert_eq!(header(&reply, "ratelimit-policy"), "\"reads\";q=3;w=5400");
        let standing = header(&reply, "ratelimit").strip_prefix(&format!("\"reads\";r={left};t=")).map(str::parse::<u64>);
        assert!(matches!(standing, Some(Ok(1..=1800))), "{reply:?}");
    }
    for (method, path) in [(Method::GET, "/shows"), (Method::HEAD, "/shows/1/seats"), (Method::GET, "/nowhere")] {
        let refused = client.call(method.clone(), path, None, &[("origin", "http://localhost:3000")]).await;
        let seconds = header(&refused, "retry-after").to_owned();
        assert!(matches!(seconds.parse::<u64>(), Ok(1..=1800)), "{refused:?}");
        assert_eq!(header(&refused, "ratelimit"), format!("\"reads\";r=0;t={seconds}"));
        assert_eq!(header(&refused, "ratelimit-policy"), "\"reads\";q=3;w=5400");
        // A page of the front end can read it.
        assert_eq!(header(&refused, "access-control-allow-origin"), "http://localhost:3000");
        assert!(header(&refused, "access-control-expose-headers").to_ascii_lowercase().contains("ratelimit-policy"));
        if method == Method::HEAD {
            assert_eq!(refused.status, 429);
        } else {
            assert_eq!(refused.problem(429, "rate_limited")["retryable"], true);
        }
    }
    // Writes are counted apart, and health not at all.
    let show = json!({"name": "Hamlet", "start_time": "2025-12-11 19:00", "total_seats": 4});
    assert_eq!(header(&client.post("/admin/shows", show.clone()).await, "ratelimit"), "\"writes\";r=1;t=3600");
    client.book(1, &[]).await.problem(400, "no_seats");
    client.book(1, &[1]).await.problem(429, "rate_limited");
    client.post("/admin/shows", show).await.problem(429, "rate_limited");
    for path in ["/healthz", "/readyz"] {
        for _ in 0..5 {
            let reply = client.get(path).await;
            assert!(reply.status == 200 && !reply.headers.contains_key("ratelimit"), "{reply:?}");
        }
    }
    data.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_setting_there_is_no_limit() {
    let data = Data::fresh(Kind::Sqlite);
    let server = Server::start(&data, &[]).await;
    let reply = server.client().await.get("/shows").await;
    assert!(!reply.headers.keys().any(|name| name.as_str().starts_with("ratelimit")), "{reply:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_is_not_limited_and_a_wrong_token_makes_no_admin() {
    let data = Data::fresh(Kind::Sqlite);
    for access in ["open", "guarded"] {
        let settings = [("ACCESS", access), ("ADMIN_TOKEN", ADMIN), ("BOOKING_SECRET", "a secret that nobody can guess")];
        let server = Server::start(&data, &[&settings[..], &[("RATE_LIMIT_READS", "1/h")]].concat()).await;
        let client = &mut server.client().await;
        let (admin, nobody) = (format!("Bearer {ADMIN}"), format!("Bearer {ADMIN}x"));
        for _ in 0..5 {
            let reply = get(client, &[("authorization", &admin)]).await;
            assert!(reply.status == 200 && !reply.headers.contains_key("ratelimit"), "{reply:?}");
        }
        assert_eq!(get(client, &[("authorization", &nobody)]).await.status, 200);
        get(client, &[("authorization", &nobody)]).await.problem(429, "rate_limited");
        assert_eq!(get(client, &[("authorization", &admin)]).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_trusted_proxy_each_client_counts_for_itself() {
    let data = Data::fresh(Kind::Sqlite);
    let settings = [("TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8"), ("RATE_LIMIT_READS", "1/h burst 2")];
    let server = Server::start(&data, &settings).await;
    let spoofs = ["203.0.113.9", "198.51.100.1, 203.0.113.9", "198.51.100.2, 203.0.113.9, 10.0.0.7", "10.0.0.8,203.0.113.9:443"];
    assert_eq!(admitted(&server, &spoofs).await, [true, true, false, false]);
    let others = ["198.51.100.1", "203.0.113.10", "2001:db8::1", "[2001:db8::2]:443", "2001:db8::3", "2001:db8:0:1::1"];
    assert_eq!(admitted(&server, &others).await, [true, true, true, true, false, true]);
    // What can't be read is the proxy's own.
    assert_eq!(admitted(&server, &["nonsense", "203.0.113.10, unknown", ""]).await, [true, true, false]);
    assert!(!server.log().contains("TRUSTED_PROXIES"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_s_word_on_where_it_comes_from_counts_for_nothing_and_is_reported_once() {
    let data = Data::fresh(Kind::Sqlite);
    for proxies in ["", "10.0.0.0/8"] {
        let server = Server::start(&data, &[("TRUSTED_PROXIES", proxies), ("RATE_LIMIT_READS", "1/h burst 2")]).await;
        let chosen = ["203.0.113.1", "203.0.113.2", "203.0.113.3", "10.0.0.1, 203.0.113.4", "127.0.0.1"];
        assert_eq!(admitted(&server, &chosen).await, [true, true, false, false, false]);
        server.until_logged("TRUSTED_PROXIES").await;
        assert_eq!(server.log().matches("TRUSTED_PROXIES").count(), 1, "{}", server.log());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_refused_hears_of_it_before_the_body_is_read() {
    let data = Data::fresh(Kind::Sqlite);
    let server = Server::start(&data, &[("RATE_LIMIT_WRITES", "1/h")]).await;
    server.client().await.show(4).await;
    let connect = move || {
        let stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        stream
    };
    let asking = move || {
        // After a whole request, sense or nonsense, the connection can be used again.
        let mut connection = connect();
        for body in ["nonsense", "{}"] {
            connection.write_all((head("/book", body.len()) + body).as_bytes()).unwrap();
            let answer = answer(&mut connection);
            assert!(answer.starts_with("http/1.1 429 ") && !answer.contains("\r\nconnection: close\r\n"), "{answer}");
        }
        // A head and no body: an answer all the same, and then the connection is closed, since the body may yet come.
        let mut connection = connect();
        connection.write_all(head("/book", 50).as_bytes()).unwrap();
        let answer = answer(&mut connection);
        assert!(answer.starts_with("http/1.1 429 ") && answer.contains("\r\nretry-after: "), "{answer}");
        assert!(answer.contains("\"code\":\"rate_limited\"") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
        connection.shutdown(Shutdown::Write).unwrap();
        assert_eq!(connection.read(&mut [0]).unwrap(), 0);
    };
    tokio::task::spawn_blocking(asking).await.unwrap();
}

#[test]
fn limits_and_proxies_that_make_no_sense_are_refused() {
    for (name, value, expected) in [
        ("RATE_LIMIT_READS", "fast", "a rate like 100/s"),
        ("RATE_LIMIT_READS", "100", "a rate like 100/s"),
        ("RATE_LIMIT_WRITES", "0/s", "a rate like 100/s"),
        ("RATE_LIMIT_WRITES", "10/s burst 0", "a rate like 100/s"),
        ("TRUSTED_PROXIES", "proxy.example", "addresses like"),
        ("TRUSTED_PROXIES", "10.0.0.7/8", "addresses like"),
        ("TRUSTED_PROXIES", "10.0.0.1,0.0.0.0/0", "the proxies' own networks"),
    ] {
        let output = command(&[(name, value)]).arg("--print-config").output().unwrap();
        let refusal = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && refusal.contains(name) && refusal.contains(expected), "{refusal}");
    }
}
