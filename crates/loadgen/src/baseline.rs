//! The hold phase done the usual way, to compare with: an HTTP server on actix-web with a pool of connections, in which every
//! `POST /book` is one transaction of five statements, each its own round trip; or, the other [`Way`], a single statement.
//!
//! It works on the product's own database and tables, with prepared statements and with the seats locked in order: nothing
//! about it is made slow on purpose. It runs in a process of its own, as the product does.

mod booking;
mod process;
mod server;

use std::fmt;

use serde::Serialize;

pub use process::{ServerProcess, this_program};
pub(crate) use server::PLAN_FOR_KEYS;
pub use server::{ServerOptions, ServerStopped, Way, serve};

use crate::progress::Progress;
use crate::report::{PhaseReport, Report};
use crate::sell_out;
use crate::target::Target;

/// Where the baseline works, and what it is asked.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Options {
    /// The baseline's server.
    #[command(flatten)]
    pub server: ServerOptions,
    /// What it is asked.
    #[command(flatten)]
    pub load: LoadOptions,
}

/// A hold phase.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct LoadOptions {
    /// Seats to hold, one a booking
    #[arg(long, default_value_t = 20_000)]
    pub seats: u32,
    /// Customers, each with one connection and one call at a time
    #[arg(long, default_value_t = 256)]
    pub customers: usize,
    /// Holds on a show of their own beforehand, not counted
    #[arg(long, default_value_t = 2000)]
    pub warm_up_holds: u32,
}

impl LoadOptions {
    /// The same, as a house to sell.
    pub(crate) fn house(&self) -> sell_out::Options {
        let Self { seats, customers, warm_up_holds } = *self;
        sell_out::Options { seats, customers, warm_up_holds, ..sell_out::Options::default() }
    }
}

/// How fast the usual way is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BaselineReport {
    /// The holds.
    pub holds: PhaseReport,
    /// How many there should have been.
    pub wanted: u32,
}

/// Starts a baseline server in a process of its own and measures its hold phase.
///
/// # Errors
/// If the server does not start, or can't be reached.
pub async fn run(program: &std::path::Path, options: &Options, progress: &Progress) -> anyhow::Result<BaselineReport> {
    let server = ServerProcess::start(program, &options.server).await?;
    let target = Target::open(server.url().clone());
    let holds = sell_out::hold_only(&target, &options.load.house(), progress).await?;
    Ok(BaselineReport { holds, wanted: options.load.seats })
}

impl Report for BaselineReport {
    fn passed(&self) -> bool {
        self.holds.done == u64::from(self.wanted)
    }
}

impl fmt::Display for BaselineReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.holds.fmt(f)
    }
}
