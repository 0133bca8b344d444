//! The sweep: holds that have all run out, and one expiry-worker.

use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::time::sleep;
use tokio_postgres::Client;

use super::Bench;
use super::books;
use super::fill;
use super::processor;
use super::programs::Product;
use super::record::{Cost, Run};
use super::recorder::Recorder;
use super::rounds::{per, rate};
use super::stage::{Stage, connect};
use crate::verify;

/// Workloads: their name in the record, the seats of each hold, and whether a snapshot is kept open. One seat is the hardest: every
/// booking has an entry in an index for itself.
const WORKLOADS: [(&str, u64, bool); 4] =
    [("sweep", 1, false), ("sweep, snapshot", 1, true), ("sweep, baskets", 4, false), ("sweep, baskets, snapshot", 4, true)];

/// How long a sweep may take before something is wrong.
const LIMIT: Duration = Duration::from_mins(5);
const POLL: Duration = Duration::from_millis(20);

/// Sweeps in rounds: one round of dead holds alone, then as many as fit into the life of a snapshot.
pub(super) async fn run(bench: &Bench, stage: &Stage, recorder: &mut Recorder) -> anyhow::Result<()> {
    for round in 1..=bench.rounds() {
        for product in &bench.products {
            for (workload, basket, snapshot) in WORKLOADS {
                let url = stage.database("bench_sweep").await?;
                product.migrate(&url).await?;
                let sweeping = Sweeping { bench, stage, product, url: &url, round, workload, basket };
                if snapshot {
                    sweeping.under_a_snapshot(recorder).await?;
                } else {
                    sweeping.once(recorder).await?;
                }
                stage.drop_database("bench_sweep").await?;
            }
        }
    }
    Ok(())
}

struct Sweeping<'a> {
    bench: &'a Bench,
    stage: &'a Stage,
    product: &'a Product,
    url: &'a str,
    round: u32,
    workload: &'static str,
    basket: u64,
}

impl Sweeping<'_> {
    /// Sweeps again and again while somebody reads a report that takes its time: no version of a row that has been since the
    /// snapshot can be removed, and no entry of an index.
    async fn under_a_snapshot(&self, recorder: &mut Recorder) -> anyhow::Result<()> {
        let reader = connect(self.url).await?;
        reader.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM seats").await?;
        let ends = Instant::now() + self.bench.snapshot();
        while Instant::now() < ends {
            self.once(recorder).await?;
        }
        reader.batch_execute("COMMIT").await.context("the snapshot did not last")
    }

    async fn once(&self, recorder: &mut Recorder) -> anyhow::Result<()> {
        let session = connect(self.url).await?;
        let seats = self.bench.dead_seats();
        let (show, last) = fill::dead_holds(&session, seats, self.basket).await?;
        session.batch_execute("ANALYZE shows, seats, bookings").await?;
        self.stage.settle(self.bench.rest()).await;
        let before = self.used(None);
        let worker = self.product.sweep(self.url, &self.bench.worker_settings()).await?;
        let swept = wait_for(&session, last).await;
        let after = self.used(worker.id());
        worker.end().await?;
        swept?;

        let row = session.query_one(include_str!("../../sql/bench/swept.sql"), &[&show]).await?;
        let (counted, seconds, all): (i64, f64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let mut wrong = books::broken(&verify::postgres_without_history(self.url, true).await?);
        if all.unsigned_abs() != seats {
            wrong.push(format!("{all} of {seats} seats were swept"));
        }
        let done = counted.unsigned_abs();
        let each = |used: Option<Duration>| used.map(|used| per(used.as_secs_f64() * 1e6, seats));
        let passed = before.1.zip(after.1).and_then(|(before, after)| after.checked_sub(before));
        recorder.run(Run {
            workload: self.workload.into(),
            contestant: self.product.name.clone(),
            size: seats,
            round: self.round,
            done,
            seconds,
            per_second: rate(done, seconds),
            cost: Cost { server_us: each(after.0), postgres_us: each(passed), ..Cost::default() },
            wrong,
            ..Run::default()
        })
    }

    /// Processor time that the worker and all of PostgreSQL have used so far.
    fn used(&self, worker: Option<u32>) -> (Option<Duration>, Option<Duration>) {
        (worker.and_then(processor::of_process), self.stage.postmaster().and_then(processor::of_family))
    }
}

/// Waits until all is swept. The last booking is asked for by its key, as a look for what is left would itself be a load; only then
/// is looked whether a batch before it is still on its way.
async fn wait_for(session: &Client, booking: i64) -> anyhow::Result<()> {
    let began = Instant::now();
    while began.elapsed() < LIMIT {
        let row = session.query_one(include_str!("../../sql/bench/all-swept.sql"), &[&booking]).await?;
        if row.try_get(0)? {
            return Ok(());
        }
        sleep(POLL).await;
    }
    anyhow::bail!("dead holds were not swept within {LIMIT:?}")
}
