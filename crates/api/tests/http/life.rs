//! The life of the process: starting, closing, its command line.

use loadgen::client::Method;
use rustix::process::Signal;
use serde_json::json;

use crate::support::{Data, Kind, Server, command, on_both_stores};

on_both_stores! {
    a_signal_closes_the_server_and_loses_nothing
    the_process_is_healthy_and_ready
}

async fn a_signal_closes_the_server_and_loses_nothing(kind: Kind) {
    let data = Data::fresh(kind);
    for signal in [Signal::TERM, Signal::INT] {
        let server = Server::start(&data, &[]).await;
        let show = server.client().await.show(400).await;
        // Customers that book until the server goes away; each remembers what it was told.
        let customers: Vec<_> = (0..8)
            .map(|customer| {
                let base = server.base_url();
                tokio::spawn(async move {
                    let mut told = Vec::new();
                    let Ok(connection) = loadgen::client::Connection::open(&base).await else { return told };
                    let mut client = crate::support::Client(connection);
                    for seat in (1..=400).filter(|seat| seat % 8 == customer) {
                        let body = json!({"showId": show, "seats": [seat]}).to_string();
                        match client.0.call(Method::POST, "/book", Some(body.as_bytes()), &[]).await {
                            Ok(answer) if answer.status == 201 => {
                                told.push(answer.json::<serde_json::Value>().unwrap()["bookingId"].as_i64().unwrap());
                            }
                            Ok(answer) => assert_eq!(answer.status, 503, "{}", answer.text()),
                            Err(_) => break,
                        }
                    }
                    told
                })
            })
            .collect();
        let mut watcher = server.client().await;
        let of_this_show = |bookings: &serde_json::Value| {
            bookings.as_array().unwrap().iter().filter(|booking| booking["show_id"].as_i64() == Some(show)).count()
        };
        while of_this_show(&watcher.get("/admin/bookings?limit=20").await.expect(200)) < 5 {}
        server.signal(signal);
        assert!(server.exited().await.success());
        let mut told = Vec::new();
        for customer in customers {
            told.extend(customer.await.unwrap());
        }
        let server = Server::start(&data, &[]).await;
        let mut client = server.client().await;
        for id in &told {
            assert_eq!(client.get(&format!("/book/{id}")).await.expect(200)["booking"]["status"], "PENDING");
        }
        assert!(told.len() >= 5);
        data.verify().await;
    }
}

async fn the_process_is_healthy_and_ready(kind: Kind) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, &[]).await;
    let mut client = server.client().await;
    assert_eq!(client.get("/healthz").await.expect(200)["status"], "ok");
    assert_eq!(client.get("/readyz").await.expect(200)["status"], "ready");
    let reply = client.call(Method::GET, "/healthz", None, &[("x-request-id", "my-own-id")]).await;
    assert_eq!(reply.headers["x-request-id"], "my-own-id");
    let port = server.port.to_string();
    assert!(command(&[("PORT", &port)]).arg("health").status().unwrap().success());
    drop(server);
    assert!(!command(&[("PORT", &port)]).arg("health").status().unwrap().success());
}

#[test]
fn migrate_applies_the_migrations_and_exits() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let data = Data::fresh(kind);
        let (name, value) = data.environment();
        for _ in 0..2 {
            assert!(command(&[(name, &value)]).arg("migrate").status().unwrap().success());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_newer_than_the_program_is_not_touched() {
    let data = Data::fresh(Kind::Postgres);
    drop(Server::start(&data, &[]).await);
    let Data::Postgres(url) = &data else { unreachable!() };
    let name = url.rsplit('/').next().unwrap();
    let newer = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) VALUES (99, 'later', '', '0')";
    throwaway_postgres::Cluster::shared().psql(name, newer).unwrap();
    let server = Server::start_unready(&data, &[]);
    let log = server.log();
    assert!(!server.exited().await.success(), "{log}");
    let migrate = command(&[("DATABASE_URL", url)]).arg("migrate").output().unwrap();
    assert!(!migrate.status.success());
    assert!(String::from_utf8_lossy(&migrate.stderr).contains("version 99"), "{migrate:?}");
}

#[test]
fn all_mistakes_in_the_settings_are_reported_at_once() {
    let wrong = [
        ("PORT", "99999"),
        ("HOLD_SECONDS", "soon"),
        ("TIME_ZONE", "Mars"),
        ("LANES", "0"),
        ("CORS_ALLOWED_ORIGINS", "http://a b"),
        ("DATABASE_URL", "nope"),
    ];
    let output = command(&wrong).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    for (name, _) in wrong {
        assert!(text.contains(name), "{name} in {text}");
    }
}

#[test]
fn print_config_and_help_name_every_setting_and_no_secret() {
    let settings = [
        ("ADMIN_TOKEN", "an-admin-token-to-hide"),
        ("BOOKING_SECRET", "a-booking-secret-to-hide"),
        ("DATABASE_URL", "postgres://me:hidden-password@localhost/rowlock"),
    ];
    let print = command(&settings).arg("--print-config").stdout(std::process::Stdio::piped()).output().unwrap();
    let text = String::from_utf8(print.stdout).unwrap();
    assert!(print.status.success() && text.contains("HOLD_SECONDS=120"), "{text}");
    assert!(!text.contains("to-hide") && !text.contains("hidden-password"), "{text}");
    let help = command(&[]).arg("--help").stdout(std::process::Stdio::piped()).output().unwrap();
    let text = String::from_utf8(help.stdout).unwrap();
    for name in [
        "DATABASE_URL",
        "DATA_DIR",
        "HOST",
        "PORT",
        "HOLD_SECONDS",
        "SWEEP_SECONDS",
        "ADMIN_TOKEN",
        "BOOKING_SECRET",
        "ACCESS",
        "CORS_ALLOWED_ORIGINS",
        "RUST_LOG",
    ] {
        assert!(text.contains(name), "{name} in {text}");
    }
}
