//! Holds on the embedded store, which is as durable as it is when a theatre uses it.

use anyhow::Context;

use super::Bench;
use super::books;
use super::deal::Deal;
use super::load::{self, Script};
use super::programs::{Product, Store};
use super::record::Run;
use super::recorder::Recorder;
use super::rounds::{filled_in, unexpected};
use super::watch::Watch;
use crate::target::Target;
use crate::verify;

/// Seats of a house.
const HOUSE: u32 = 3000;
/// Holds a second that seats are made for.
const RATE_MAX: f64 = 60_000.0;

/// Runs every build on a file of its own, in rounds.
pub(super) async fn run(bench: &Bench, recorder: &mut Recorder) -> anyhow::Result<()> {
    for round in 1..=bench.rounds() {
        for product in &bench.products {
            for clients in [1, 64] {
                recorder.run(one_run(bench, product, clients, round).await?)?;
            }
        }
    }
    Ok(())
}

async fn one_run(bench: &Bench, product: &Product, clients: u32, round: u32) -> anyhow::Result<Run> {
    let folder = tempfile::tempdir().context("can't make a folder for the embedded store")?;
    let running = product.serve(Store::Sqlite(folder.path()), &bench.product_settings).await?;
    let target = Target::open(running.url().clone());
    let span = bench.span();
    let seats = if clients == 1 { RATE_MAX / 10.0 } else { RATE_MAX } * (span.warm_up + span.counted).as_secs_f64();
    let mut box_office = target.connect().await?;
    let (mut first_show, mut shows) = (None, 0_u32);
    while f64::from(shows * HOUSE) < seats {
        let show = box_office.create_show("Measured by loadgen", HOUSE).await?;
        first_show.get_or_insert(show);
        shows += 1;
    }
    let first_show = first_show.context("no show")?;
    let deal = Deal { first_show, shows: shows.into(), seats_a_show: HOUSE.into(), basket: 1, in_turn: false };
    tokio::time::sleep(bench.rest()).await;
    let watch = Watch { server: running.id(), postmaster: None, client: Some(std::process::id()), session: None };
    let (loaded, used) = load::run(&target, clients, (deal, Script::Hold), span, &watch).await?;
    // Killed, so that the file has nothing but what was made durable.
    running.end().await?;

    let seconds = span.counted.as_secs_f64();
    let blank = Run { workload: "sqlite".into(), contestant: product.name.clone(), clients, round, seconds, ..Run::default() };
    let mut run = filled_in(blank, &loaded)?;
    run.cost = used.for_each(run.per_second);
    run.wrong = unexpected(Script::Hold, &loaded);
    let file = folder.path().join("rowlock.db");
    run.wrong.extend(books::broken(&verify::sqlite_without_history(&file, false)?));
    let booked = books::in_sqlite(&file, first_show, first_show + i64::from(shows) - 1)?;
    run.wrong.extend(books::differences(&deal, &loaded.answered, &booked, loaded.errors > 0));
    anyhow::ensure!(!loaded.ran_out, "the embedded store sells faster than seats were made for");
    Ok(run)
}
