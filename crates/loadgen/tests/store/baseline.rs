//! The baseline on a real database, as a process of its own.

use std::path::Path;

use loadgen::baseline::{self, LoadOptions, ServerOptions, ServerProcess};
use loadgen::client::Connection;
use loadgen::report::Report;
use loadgen::{Progress, Target, ceiling, compare, one_seat, verify};
use throwaway_postgres::Cluster;
use tokio_postgres::NoTls;

const PROGRAM: &str = env!("CARGO_BIN_EXE_loadgen");
const LOAD: LoadOptions = LoadOptions { seats: 300, customers: 8, warm_up_holds: 30 };

async fn database_with_tables() -> ServerOptions {
    let url = Cluster::shared().fresh_database();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(include_str!("../../../../migrations/V1__shows_seats_bookings.sql")).await.unwrap();
    ServerOptions { database_url: Some(url), pool_size: 4, workers: 1 }
}

async fn assert_books_in_order(server: &ServerOptions) {
    let report = verify::postgres(server.database_url.as_deref().unwrap(), false).await.unwrap();
    assert!(report.passed(), "{report}");
}

#[tokio::test]
async fn the_baseline_holds_a_house_and_leaves_the_books_in_order() {
    let server = database_with_tables().await;
    let options = baseline::Options { server: server.clone(), load: LOAD };
    let report = baseline::run(Path::new(PROGRAM), &options, &Progress::hidden()).await.unwrap();
    assert!(report.passed() && report.holds.done == 300, "{report}");
    assert_books_in_order(&server).await;
}

#[tokio::test]
async fn the_baseline_sells_a_seat_once_and_answers_as_the_product_does() {
    let options = database_with_tables().await;
    let server = ServerProcess::start(Path::new(PROGRAM), &options).await.unwrap();
    let mut connection = Connection::open(server.url()).await.unwrap();
    let show_id = connection.create_show("Hamlet", 3).await.unwrap();
    let statuses = [(&[3, 1][..], 201), (&[1, 2], 409), (&[4], 409), (&[2], 201)];
    for (seats, status) in statuses {
        let answer = connection.book(show_id, seats).await.unwrap();
        assert_eq!((answer.status, answer.held.is_some()), (status, status == 201), "{seats:?}");
    }
    assert_books_in_order(&options).await;
}

#[tokio::test]
async fn the_server_ends_with_whoever_started_it() {
    let options = ServerOptions { database_url: None, pool_size: 1, workers: 1 };
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
    let options = ServerOptions { database_url: None, pool_size: 1, workers: 1 };
    let server = ServerProcess::start(Path::new(PROGRAM), &options).await.unwrap();
    let target = Target::open(server.url().clone());
    // It has no seat map, which is an error of its own.
    let race = one_seat::run(&target, &one_seat::Options { callers: 5 }, &Progress::hidden()).await;
    assert!(format!("{:#}", race.unwrap_err()).contains("can't read the seats"));
}
