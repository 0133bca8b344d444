//! The sweep: holds that have all run out, and one expiry-worker.

use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::time::sleep;
use tokio_postgres::Client;

use super::Bench;
use super::books;
use super::fill;
use super::programs::Product;
use super::record::Run;
use super::recorder::Recorder;
use super::rounds::rate;
use super::stage::{Stage, connect};
use crate::verify;

/// How long a sweep may take before something is wrong.
const LIMIT: Duration = Duration::from_mins(5);
const POLL: Duration = Duration::from_millis(20);

/// Sweeps in rounds: one round of dead holds alone, then as many as fit into the life of a snapshot.
pub(super) async fn run(bench: &Bench, stage: &Stage, recorder: &mut Recorder) -> anyhow::Result<()> {
    for round in 1..=bench.rounds() {
        for product in &bench.products {
            for snapshot in [false, true] {
                let url = stage.database("bench_sweep").await?;
                product.migrate(&url).await?;
                let sweeping = Sweeping { bench, stage, product, url: &url, round };
                if snapshot {
                    sweeping.under_a_snapshot(recorder).await?;
                } else {
                    sweeping.once("sweep", recorder).await?;
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
}

impl Sweeping<'_> {
    /// Sweeps again and again while somebody reads a report that takes its time: no version of a row that has been since the
    /// snapshot can be removed, and no entry of an index.
    async fn under_a_snapshot(&self, recorder: &mut Recorder) -> anyhow::Result<()> {
        let reader = connect(self.url).await?;
        reader.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM seats").await?;
        let ends = Instant::now() + self.bench.snapshot();
        while Instant::now() < ends {
            self.once("sweep, snapshot", recorder).await?;
        }
        reader.batch_execute("COMMIT").await.context("the snapshot did not last")
    }

    async fn once(&self, workload: &str, recorder: &mut Recorder) -> anyhow::Result<()> {
        let session = connect(self.url).await?;
        let holds = self.bench.dead_holds();
        let (show, last) = fill::dead_holds(&session, holds).await?;
        session.batch_execute("ANALYZE shows, seats, bookings").await?;
        self.stage.settle(self.bench.rest()).await;
        let worker = self.product.sweep(self.url, &self.bench.worker_settings()).await?;
        let swept = wait_for(&session, last).await;
        worker.end().await?;
        swept?;

        let row = session.query_one(include_str!("../../sql/bench/swept.sql"), &[&show]).await?;
        let (counted, seconds, all): (i64, f64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let mut wrong = books::broken(&verify::postgres(self.url, true).await?);
        if all.unsigned_abs() != holds {
            wrong.push(format!("{all} of {holds} dead holds were swept"));
        }
        let done = counted.unsigned_abs();
        recorder.run(Run {
            workload: workload.into(),
            contestant: self.product.name.clone(),
            size: holds,
            round: self.round,
            done,
            seconds,
            per_second: rate(done, seconds),
            wrong,
            ..Run::default()
        })
    }
}

/// Waits until the last booking is swept. It is asked for by its key: a look for what is left would itself be a load.
async fn wait_for(session: &Client, booking: i64) -> anyhow::Result<()> {
    let began = Instant::now();
    while began.elapsed() < LIMIT {
        let row = session.query_one("SELECT status FROM bookings WHERE id = $1", &[&booking]).await?;
        if row.try_get::<_, &str>(0)? == "FAILED" {
            return Ok(());
        }
        sleep(POLL).await;
    }
    anyhow::bail!("dead holds were not swept within {LIMIT:?}")
}
