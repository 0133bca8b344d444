//! `expiry-worker`: fails holds that have run out, so that their bookings say so soon. Any number can run on one database.

mod health;
mod settings;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use box_office::{SweepPlan, Sweeper, call_off_shows, forget_keys};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use domain::{StoreHealth, TimeSource, Unready};
use postgres_adapter::{PgSettings, PgStore};
use telemetry::{Metrics, Page, SweepWatch, Traces, watch_pools};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::settings::WorkerSettings;

/// Gives the seats of expired holds back.
#[derive(Parser)]
#[command(name = "expiry-worker", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Settings file; without it `rowlock.toml` in the working directory, if there is one
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the settings in force, without secrets, and exit
    #[arg(long)]
    print_config: bool,
}

#[derive(Clone, Copy, Subcommand)]
enum Command {
    /// Sweep (the default)
    Run,
    /// Ask the worker on this machine how it is, and exit with 1 if it is not well
    Health,
}

fn main() -> ExitCode {
    let help = format!(
        "Settings, from the environment or in lower case from the file:\n{}",
        ::settings::help_table(&WorkerSettings::table())
    );
    let matches = Arguments::command().after_help(help).get_matches();
    let result = Arguments::from_arg_matches(&matches).map_err(anyhow::Error::from).and_then(|arguments| run(&arguments));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("expiry-worker: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let reader = ::settings::Reader::of_process(&WorkerSettings::table(), arguments.config.as_deref());
    if arguments.print_config {
        print!("{}", reader.print_config());
    }
    let settings = WorkerSettings::read(reader)?;
    if arguments.print_config {
        return Ok(());
    }
    match arguments.command.unwrap_or(Command::Run) {
        Command::Health => health::probe(settings.health_port),
        Command::Run => {
            ::settings::logs::init(&settings.log)?;
            tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(sweep(settings))
        }
    }
}

async fn sweep(settings: WorkerSettings) -> anyhow::Result<()> {
    let database = PgSettings {
        ca_file: settings.ca_file,
        // One more to forget keys with, and one for the bookings of cancelled shows.
        writers_max: Sweeper::AT_ONCE_WHEN_BEHIND + 2,
        readers_max: 1,
        ..PgSettings::new(settings.url.expose())
    };
    let store = PgStore::new(&database, TimeSource::Store).context("the database settings can't be used")?;
    let plan = SweepPlan { tick: settings.sweep.tick, batch: settings.sweep.batch };
    let traces = Traces::start(&settings.traces, "rowlock-worker", env!("CARGO_PKG_VERSION"))?;
    let sweeper = watched(Sweeper::new(store.bookings(), plan), &store, settings.metrics, traces.clone())?;
    let listener = health::listen(settings.health_port).await?;
    tokio::spawn(health::answer(listener, sweeper.health()));
    tracing::info!(tick_ms = u64::try_from(plan.tick.as_millis()).unwrap_or(u64::MAX), batch = plan.batch, "sweeping");
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (stop, stopped) = watch::channel(());
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        drop(stop);
    });
    let health = store.health();
    let ready = tokio::select! {
        ready = until_ready(health.as_ref()) => Some(ready),
        () = ended(stopped.clone()) => None,
    };
    if let Some(ready) = ready {
        ready?;
        tokio::join!(
            sweeper.run(ended(stopped.clone())),
            forget_keys(store.bookings(), plan.batch, ended(stopped.clone())),
            call_off_shows(store.shows(), store.bookings(), ended(stopped))
        );
    }
    if let Some(traces) = traces {
        traces.close().await;
    }
    tracing::info!("closed");
    Ok(())
}

/// Waits until a signal has come.
async fn ended(mut stopped: watch::Receiver<()>) {
    let _ = stopped.changed().await;
}

/// The sweeper, counted and traced; the metrics are served at this address, if at any.
fn watched(
    sweeper: Sweeper,
    store: &PgStore,
    address: Option<SocketAddr>,
    traces: Option<Arc<Traces>>,
) -> anyhow::Result<Sweeper> {
    let metrics = Metrics::new("expiry-worker", env!("CARGO_PKG_VERSION"))?;
    let watch = SweepWatch::new(&metrics, traces)?;
    watch_pools(&metrics, store)?;
    if let Some(address) = address {
        tokio::spawn(Page::new(metrics, store.health())?.keep_serving(address));
    }
    Ok(sweeper.observed_by(Arc::new(watch)))
}

/// Waits for a database with this program's schema.
async fn until_ready(health: &dyn StoreHealth) -> anyhow::Result<()> {
    loop {
        match health.ready().await {
            Ok(()) => return Ok(()),
            Err(error @ Unready::TooNew { .. }) => return Err(error.into()),
            Err(error @ (Unready::Unreachable(_) | Unready::Outdated { .. })) => tracing::warn!(%error, "not ready"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
