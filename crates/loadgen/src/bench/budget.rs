//! What a booking costs, and where: processor time by process, time by statement, bytes of log, flushes.

use anyhow::Context;
use tokio_postgres::Client;

use super::Bench;
use super::deal::Deal;
use super::fill;
use super::load::{self, Script};
use super::plan::{POOL, WAYS};
use super::programs::{Running, Store};
use super::record::{Budget, Statement};
use super::recorder::{Recorder, tell};
use super::stage::{Stage, connect};
use super::watch::Watch;
use crate::baseline::{ServerOptions, ServerProcess};
use crate::target::Target;

/// Seats of a table and of a house.
const TABLE: u64 = 100_000;
const HOUSE: u64 = 3000;
/// Seats that are made for the first try, by those who are quick and by those who are not. The first touch of a page is dear
/// after a checkpoint: with many more seats than are sold, few bookings would share it.
const SEATS_A_SECOND: [u64; 2] = [40_000, 10_000];
/// Statements that are written down.
const STATEMENTS_MAX: i64 = 8;
const CLIENTS: u32 = 64;

/// Makes the budgets, on a PostgreSQL that counts statements. Without `pg_stat_statements` there are none.
pub(super) async fn run(bench: &Bench, recorder: &mut Recorder) -> anyhow::Result<()> {
    let stage = match Stage::open(bench.database_url.as_deref(), true).await {
        Ok(stage) => stage,
        Err(error) => {
            tell(&format!("no budget, PostgreSQL does not start with pg_stat_statements: {error:#}"));
            return Ok(());
        }
    };
    let Some(product) = bench.products.first() else { return Ok(()) };
    for contestant in [None, Some(0), Some(1)] {
        let url = stage.database("bench_budget").await?;
        product.migrate(&url).await?;
        let session = connect(&url).await?;
        if let Err(error) = session.batch_execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").await {
            tell(&format!("no budget, there is no pg_stat_statements: {error}"));
            return Ok(());
        }
        fill::table(&session, TABLE).await?;
        let seconds = (bench.span().warm_up + bench.span().counted).as_secs() + 1;
        let mut shows = SEATS_A_SECOND[usize::from(contestant.is_some())] * seconds / HOUSE + 1;
        let budget = loop {
            match measure(bench, &stage, (&session, &url), contestant, shows).await? {
                Some(budget) => break budget,
                None => shows *= 3,
            }
        };
        recorder.budget(budget)?;
        drop(session);
        stage.drop_database("bench_budget").await?;
    }
    Ok(())
}

/// One contestant's budget: the product's, or that of a way through a pool. None if the seats did not last.
async fn measure(
    bench: &Bench,
    stage: &Stage,
    (session, url): (&Client, &str),
    way: Option<usize>,
    shows: u64,
) -> anyhow::Result<Option<Budget>> {
    let (first_show, _) = fill::new_shows(session, shows, HOUSE).await?;
    let deal = Deal { first_show, shows, seats_a_show: HOUSE, basket: 1, in_turn: false };
    let product = match way {
        None => Some(bench.products[0].serve(Store::Postgres(url), &bench.product_settings).await?),
        Some(_) => None,
    };
    let usual = match way {
        Some(way) => {
            let options = ServerOptions { database_url: Some(url.into()), way: WAYS[way], ..bench.usual_server() };
            Some(ServerProcess::start(&bench.loadgen, &options).await?)
        }
        None => None,
    };
    let address = product.as_ref().map(Running::url).or(usual.as_ref().map(ServerProcess::url));
    let target = Target::open(address.context("no server")?.clone());
    let server = product.as_ref().map_or_else(|| usual.as_ref().and_then(ServerProcess::id), Running::id);
    stage.settle(bench.rest()).await;
    session.batch_execute("SELECT pg_stat_statements_reset()").await.context("can't count statements")?;
    let before = flushes(session).await?;
    let client = Some(std::process::id());
    let watch = Watch { server, postmaster: stage.postmaster(), client, session: Some(session) };
    let (loaded, used) = load::run(&target, CLIENTS, (deal, Script::Hold), bench.span(), &watch).await?;
    // A session tells its figures when it ends, if not before.
    if let Some(running) = product {
        running.end().await?;
    }
    drop(usual);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let after = flushes(session).await?;

    if loaded.ran_out {
        return Ok(None);
    }
    let bookings = loaded.statuses.get(&201).copied().unwrap_or(0);
    let count = (after.0 - before.0).max(0);
    Ok(Some(Budget {
        contestant: way.map_or_else(|| bench.products[0].name.clone(), |way| POOL[way].into()),
        clients: CLIENTS,
        bookings,
        cost: used.for_each(super::rounds::rate(loaded.done, bench.span().counted.as_secs_f64())),
        flushes: count.unsigned_abs(),
        flush_ms: super::rounds::per(after.1 - before.1, count.unsigned_abs()),
        statements: statements(session, bookings).await?,
    }))
}

/// How often the log was flushed so far, and how many milliseconds that took.
async fn flushes(session: &Client) -> anyhow::Result<(i64, f64)> {
    let row = session.query_one("SELECT wal_sync, wal_sync_time FROM pg_stat_wal", &[]).await;
    let row = row.context("can't read how often the log was flushed")?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

async fn statements(session: &Client, bookings: u64) -> anyhow::Result<Vec<Statement>> {
    let sql = include_str!("../../sql/bench/statements.sql");
    let rows = session.query(sql, &[&STATEMENTS_MAX]).await.context("can't read what was counted")?;
    let statements = rows.into_iter().map(|row| {
        let (calls, ms, wal_bytes): (i64, f64, f64) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        let calls = calls.unsigned_abs();
        Ok(Statement {
            text: one_line(row.try_get(0)?),
            calls,
            ms_a_call: super::rounds::per(ms, calls),
            us_a_booking: super::rounds::per(ms * 1000.0, bookings),
            wal_bytes_a_booking: super::rounds::per(wal_bytes, bookings),
        })
    });
    statements.collect()
}

/// Without its comments and line breaks.
fn one_line(text: &str) -> String {
    let words = text.lines().filter(|line| !line.trim_start().starts_with("--")).flat_map(str::split_whitespace);
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_one_line_without_its_header() {
        assert_eq!(one_line("-- What it does.\nSELECT a,\n       b FROM c"), "SELECT a, b FROM c");
    }
}
