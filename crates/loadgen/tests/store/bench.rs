//! The benchmark without the product's programs: everyone it is compared with really books.

use std::path::Path;

use loadgen::bench::{self, Part, Run};
use loadgen::report::Report;
use loadgen::verify;

use crate::baseline::database_with_tables;

const PROGRAM: &str = env!("CARGO_BIN_EXE_loadgen");

#[tokio::test]
async fn everyone_that_the_product_is_compared_with_books_seats_that_are_there_afterwards() {
    let url = database_with_tables().await.database_url.unwrap();
    let options = bench::Options {
        only: vec![Part::Hot, Part::Baskets],
        database_url: Some(url.clone()),
        without_product: true,
        clients: vec![2],
        seconds: Some(0.2),
        warm_up: Some(0.1),
        pool_size: 4,
        ..bench::Options::default()
    };
    let record = bench::run(Path::new(PROGRAM), &options, 1).await.unwrap();
    assert!(record.passed(), "{:?}", record.runs);
    let mut contestants: Vec<&str> = record.runs.iter().map(|run| run.contestant.as_str()).collect();
    contestants.sort_unstable();
    contestants.dedup();
    let pgbench = record.setting.pgbench.is_some();
    assert_eq!(contestants.len(), if pgbench { 4 } else { 2 }, "{contestants:?}");

    // Nobody's bookings are made up, and none is left out.
    let booked = |run: &Run| run.statuses.get(&201).copied().unwrap_or(0);
    assert!(record.runs.iter().all(|run| booked(run) > 0), "{:?}", record.runs);
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let there: i64 = client.query_one("SELECT count(*) FROM bookings WHERE status = 'PENDING'", &[]).await.unwrap().get(0);
    assert_eq!(there.unsigned_abs(), record.runs.iter().map(booked).sum::<u64>());
    let books = verify::postgres_without_history(&url, false).await.unwrap();
    assert!(books.passed(), "{books}");
}
