//! What the load generator itself can do: holds against a server that does nothing.
//!
//! A measurement that comes near this figure measures the load generator.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::baseline::{LoadOptions, ServerOptions, ServerProcess, Way};
use crate::progress::Progress;
use crate::report::{PhaseReport, Report};
use crate::sell_out;
use crate::target::Target;

/// The most that can be measured here.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CeilingReport {
    /// The holds.
    pub holds: PhaseReport,
}

/// Starts a server that does nothing, in a process of its own, and measures a hold phase on it.
///
/// # Errors
/// If the server does not start, or can't be reached.
pub async fn run(program: &Path, load: &LoadOptions, workers: usize, progress: &Progress) -> anyhow::Result<CeilingReport> {
    let idle = ServerOptions { database_url: None, pool_size: 1, workers, way: Way::default() };
    let server = ServerProcess::start(program, &idle).await?;
    let target = Target::open(server.url().clone());
    Ok(CeilingReport { holds: sell_out::hold_only(&target, &load.house(), progress).await? })
}

impl Report for CeilingReport {
    fn passed(&self) -> bool {
        self.holds.errors == 0
    }
}

impl fmt::Display for CeilingReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.holds.fmt(f)
    }
}
