//! Reports: numbers for people and for programs.

mod latency;
mod phase;

pub use latency::LatencyMs;
pub use phase::PhaseReport;
pub(crate) use phase::{Measured, cpu_time};

/// What a run found.
pub trait Report: std::fmt::Display + serde::Serialize {
    /// Whether everything that the run checks held.
    fn passed(&self) -> bool;
}

/// The first of these lines, and how many more there are; "ok" if there is none.
pub(crate) fn list(f: &mut std::fmt::Formatter<'_>, wrong: &[String]) -> std::fmt::Result {
    const SHOWN_MAX: usize = 20;
    if wrong.is_empty() {
        return write!(f, "ok: the seat map says what the answers said");
    }
    write!(f, "WRONG:")?;
    for line in wrong.iter().take(SHOWN_MAX) {
        write!(f, "\n  {line}")?;
    }
    match wrong.len().checked_sub(SHOWN_MAX) {
        Some(more @ 1..) => write!(f, "\n  and {more} more"),
        Some(0) | None => Ok(()),
    }
}
