//! The baseline on a real database, as a process of its own.

use std::path::Path;

use loadgen::baseline::{self, LoadOptions, ServerOptions, ServerProcess, Way};
use loadgen::client::Connection;
use loadgen::report::Report;
use loadgen::{Progress, Target, ceiling, compare, one_seat, verify};
use throwaway_postgres::Cluster;
use tokio_postgres::NoTls;

const PROGRAM: &str = env!("CARGO_BIN_EXE_loadgen");
const LOAD: LoadOptions = LoadOptions { seats: 300, customers: 8, warm_up_holds: 30 };

/// The product's tables, which the baseline writes into as well.
const MIGRATIONS: [&str; 6] = [
    include_str!("../../../../migrations/V1__shows_seats_bookings.sql"),
    include_str!("../../../../migrations/V2__history_keys_terms.sql"),
    include_str!("../../../../migrations/V3__payments_limits_sales.sql"),
    include_str!("../../../../migrations/V4__history_as_a_chain.sql"),
    include_str!("../../../../migrations/V5__domains.sql"),
    include_str!("../../../../migrations/V6__room_on_pages.sql"),
];

pub(crate) async fn database_with_tables() -> ServerOptions {
    let url = Cluster::shared().fresh_database();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    for migration in MIGRATIONS {
        client.batch_execute(migration).await.unwrap();
    }
    ServerOptions { database_url: Some(url), pool_size: 4, workers: 1, way: Way::default() }
}

async fn assert_books_in_order(server: &ServerOptions) {
    let report = verify::postgres_without_history(server.database_url.as_deref().unwrap(), false).await.unwrap();
    assert!(report.passed(), "{report}");
}

#[tokio::test]
async fn the_baseline_holds_a_house_either_way_and_leaves_the_books_in_order() {
    for way in [Way::FiveStatements, Way::OneStatement] {
        let server = ServerOptions { way, ..database_with_tables().await };
        let options = baseline::Options { server: server.clone(), load: LOAD };
        let report = baseline::run(Path::new(PROGRAM), &options, &Progress::hidden()).await.unwrap();
        assert!(report.passed() && report.holds.done == 300, "{way:?}: {report}");
        assert_books_in_order(&server).await;
    }
}

#[tokio::test]
async fn the_baseline_sells_a_seat_once_either_way_and_answers_as_the_product_does() {
    for way in [Way::FiveStatements, Way::OneStatement] {
        let options = ServerOptions { way, ..database_with_tables().await };
        let server = ServerProcess::start(Path::new(PROGRAM), &options).await.unwrap();
        let mut connection = Connection::open(server.url()).await.unwrap();
        let show_id = connection.create_show("Hamlet", 3).await.unwrap();
        let statuses = [(&[3, 1][..], 201), (&[1, 2], 409), (&[2, 4], 409), (&[4], 409), (&[1], 409), (&[2], 201)];
        for (seats, status) in statuses {
            let answer = connection.book(show_id, seats).await.unwrap();
            assert_eq!((answer.status, answer.held.is_some()), (status, status == 201), "{way:?}: {seats:?}");
        }
        assert_books_in_order(&options).await;
    }
}

#[tokio::test]
async fn the_baseline_looks_at_no_more_seats_of_a_new_show_than_it_holds() {
    for way in [Way::FiveStatements, Way::OneStatement] {
        let options = ServerOptions { way, ..database_with_tables().await };
        let (client, connection) = tokio_postgres::connect(options.database_url.as_deref().unwrap(), NoTls).await.unwrap();
        tokio::spawn(connection);
        let server = ServerProcess::start(Path::new(PROGRAM), &options).await.unwrap();
        let mut connection = Connection::open(server.url()).await.unwrap();
        for _ in 0..30 {
            connection.create_show("Known to the statistics", 50).await.unwrap();
        }
        client.batch_execute("ANALYZE seats").await.unwrap();
        let show_id = connection.create_show("Younger than they are", 3000).await.unwrap();
        for seat in 1..=100 {
            assert_eq!(connection.book(show_id, &[seat, seat + 1000]).await.unwrap().status, 201);
        }
        // A session tells what it has looked at when it ends.
        drop(server);
        let looked_at = "SELECT coalesce(idx_tup_fetch, 0) + seq_tup_read FROM pg_stat_user_tables WHERE relname = 'seats'";
        let mut seats = 0_i64;
        for _ in 0..1000 {
            seats = client.query_one(looked_at, &[]).await.unwrap().get(0);
            if seats >= 200 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert!((200..2000).contains(&seats), "{way:?} looked at {seats} seats to hold 200");
    }
}

#[tokio::test]
async fn the_server_ends_with_whoever_started_it() {
    let options = ServerOptions { database_url: None, pool_size: 1, workers: 1, way: Way::default() };
    let server = ServerProcess::start(Path::new(PROGRAM), &options).await.unwrap();
    let target = Target::open(server.url().clone());
    assert!(target.connect().await.is_ok());
    drop(server);
    for _ in 0..200 {
        if target.connect().await.is_err() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the server still listens");
}

#[tokio::test]
async fn a_comparison_runs_both_in_turn() {
    let server = database_with_tables().await;
    // The product is played by another baseline.
    let product = ServerProcess::start(Path::new(PROGRAM), &server).await.unwrap();
    let target = Target::open(product.url().clone());
    let options = compare::Options { server: server.clone(), load: LOAD, rounds: 2, settle_ms: 0 };
    let report = compare::run(Path::new(PROGRAM), &target, &options, &Progress::hidden()).await.unwrap();
    assert_eq!((report.product.len(), report.baseline.len()), (2, 2));
    assert!(report.ratio > 0.0 && report.product.iter().chain(&report.baseline).all(|run| run.done == 300), "{report}");
    assert_books_in_order(&server).await;
}

#[tokio::test]
async fn a_server_that_does_nothing_gives_everybody_the_seat_and_is_found_out() {
    let report = ceiling::run(Path::new(PROGRAM), &LOAD, 1, &Progress::hidden()).await.unwrap();
    assert!(report.passed() && report.holds.done == 300, "{report}");
    let options = ServerOptions { database_url: None, pool_size: 1, workers: 1, way: Way::default() };
    let server = ServerProcess::start(Path::new(PROGRAM), &options).await.unwrap();
    let target = Target::open(server.url().clone());
    // It has no seat map, which is an error of its own.
    let race = one_seat::run(&target, &one_seat::Options { callers: 5 }, &Progress::hidden()).await;
    assert!(format!("{:#}", race.unwrap_err()).contains("can't read the seats"));
}
