//! A good deal of load for a long time: whether latency, memory and tables stay as they are.
//!
//! Customers hold, most of them confirm, the others let their holds run out; some look at bookings and seat maps. Shows are made
//! as they sell out. What was sold is compared with the seat map of each show when it is over.

mod customer;
mod journal;
mod playhouse;
mod report;
mod tables;
mod trend;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::goodput;
use crate::open_loop::{self, Plan, Stretch};
use crate::progress::Progress;
use crate::target::Target;
use crate::verify;
use customer::Customers;
use journal::Journal;
use playhouse::Playhouse;
pub use report::{Sample, SoakReport};
pub use tables::Table;
pub use trend::Trend;

/// How much, for how long.
#[derive(Clone, Debug, PartialEq, clap::Args)]
pub struct Options {
    /// How long
    #[arg(long, default_value_t = 1800.0)]
    pub seconds: f64,
    /// The load, as a share of the best goodput
    #[arg(long, default_value_t = 0.7)]
    pub share: f64,
    /// Between two samples
    #[arg(long, default_value_t = 10.0)]
    pub sample_seconds: f64,
    /// Seats of a show
    #[arg(long, default_value_t = 1000)]
    pub seats: u32,
    /// Most connections
    #[arg(long, default_value_t = 1000)]
    pub connections: usize,
    /// Customers with which the best goodput is looked for
    #[arg(long, default_value_t = 64)]
    pub customers: usize,
    /// How long this look lasts
    #[arg(long, default_value_t = 3.0)]
    pub probe_seconds: f64,
    /// The server's process, whose memory is watched
    #[arg(long)]
    pub pid: Option<u32>,
    /// The server's PostgreSQL, whose tables are watched, and verified at the end
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Write the samples to this file
    #[arg(long)]
    pub csv: Option<PathBuf>,
}

/// Soaks the server.
///
/// # Errors
/// If the server or its database can't be reached, or a show can't be created or read.
pub async fn run(target: &Target, options: &Options, progress: &Progress) -> anyhow::Result<SoakReport> {
    let length = |seconds| Duration::try_from_secs_f64(seconds).context("no length of time");
    let (lasts, every) = (length(options.seconds)?, length(options.sample_seconds)?.max(Duration::from_millis(50)));
    anyhow::ensure!(options.share > 0.0, "there must be a load");
    let playhouse = Arc::new(Playhouse::open(target, options.seats).await?);
    let managing = playhouse.manage();
    let line = progress.phase("looking for the best goodput");
    let visits = Customers::new(Arc::clone(&playhouse), Arc::default(), progress.clone());
    let look = length(options.probe_seconds)?;
    let best =
        goodput::probe(target, options.customers, look, move |connection, arrival| visits.clone().visit(connection, arrival));
    let best = best.await?;
    drop(line);
    anyhow::ensure!(best.per_second >= 1.0, "the server serves nothing");

    let tables = match &options.database_url {
        Some(url) => Some(tables::Watch::connect(url).await?),
        None => None,
    };
    let journal = Arc::new(Journal::default());
    let began = Instant::now();
    let visits = Customers::new(Arc::clone(&playhouse), Arc::clone(&journal), progress.clone());
    let stretch = Stretch { per_second: best.visits_per_second * options.share, lasts };
    let plan = Plan { stretches: vec![stretch], connections_max: options.connections };
    let line = progress.phase("soak");
    let keeping = journal.keep(every, options.pid, tables);
    let offered = open_loop::offer(target, plan, began, move |connection, arrival| {
        let visits = visits.clone();
        async move { visits.visit(connection, arrival).await.0 }
    })
    .await?;
    let samples = keeping.finish().await?;
    drop(line);

    let shows = managing.finish(&playhouse).await?;
    let verified = match &options.database_url {
        Some(url) => Some(verify::postgres(url, false).await?),
        None => None,
    };
    let report = report::write(best, stretch, &offered, samples, shows, verified);
    if let Some(file) = &options.csv {
        std::fs::write(file, report.csv()).with_context(|| format!("can't write {}", file.display()))?;
    }
    Ok(report)
}
