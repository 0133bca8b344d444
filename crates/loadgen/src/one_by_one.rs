//! Lone calls, one after the other: what one customer waits when nobody else is there.

use std::fmt;

use serde::Serialize;

use crate::progress::Progress;
use crate::report::{PhaseReport, Report};
use crate::sell_out;
use crate::target::Target;

/// How many calls.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Options {
    /// Holds, one seat each
    #[arg(long, default_value_t = 2000)]
    pub holds: u32,
    /// Holds on a show of their own beforehand, not counted
    #[arg(long, default_value_t = 200)]
    pub warm_up_holds: u32,
}

/// How long they took.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OneByOneReport {
    /// The holds.
    pub holds: PhaseReport,
    /// How many there should have been.
    pub wanted: u32,
}

/// Holds seat after seat of a new show on one connection.
///
/// # Errors
/// If the server can't be reached or a show can't be created. Answers of any kind are in the report.
pub async fn run(target: &Target, options: &Options, progress: &Progress) -> anyhow::Result<OneByOneReport> {
    let Options { holds: seats, warm_up_holds } = *options;
    let alone = sell_out::Options { seats, warm_up_holds, customers: 1, ..sell_out::Options::default() };
    Ok(OneByOneReport { holds: sell_out::hold_only(target, &alone, progress).await?, wanted: seats })
}

impl Report for OneByOneReport {
    fn passed(&self) -> bool {
        self.holds.done == u64::from(self.wanted)
    }
}

impl fmt::Display for OneByOneReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.holds.fmt(f)
    }
}
