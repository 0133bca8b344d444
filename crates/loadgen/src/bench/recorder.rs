//! Writes runs down as they come: half an hour must not be lost to what happens in its last minute.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;

use super::record::{Budget, Record, Run, Setting};
use super::spread::figure;

/// The record, and the file that it is kept in.
pub(super) struct Recorder {
    record: Record,
    file: Option<PathBuf>,
}

impl Recorder {
    pub(super) const fn new(setting: Setting, file: Option<PathBuf>) -> Self {
        Self { record: Record { setting, runs: Vec::new(), budgets: Vec::new() }, file }
    }

    /// A run is over.
    pub(super) fn run(&mut self, run: Run) -> anyhow::Result<()> {
        tell(&format!(
            "{:>2} {:<16} {:<26} {:>4} clients {:>9}: {:>8}/s  p50 {:>7.2} ms  p99 {:>7.2}",
            run.round,
            run.workload,
            run.contestant,
            run.clients,
            run.size,
            figure(run.per_second),
            run.latency_ms.p50,
            run.latency_ms.p99,
        ));
        for wrong in &run.wrong {
            tell(&format!("   WRONG: {wrong}"));
        }
        self.record.runs.push(run);
        self.write()
    }

    /// A budget is made.
    pub(super) fn budget(&mut self, budget: Budget) -> anyhow::Result<()> {
        tell(&format!("   budget of {}: {} bookings, {} flushes", budget.contestant, budget.bookings, budget.flushes));
        self.record.budgets.push(budget);
        self.write()
    }

    pub(super) fn into_record(self) -> Record {
        self.record
    }

    fn write(&self) -> anyhow::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let json = serde_json::to_vec_pretty(&self.record)?;
        std::fs::write(file, json).with_context(|| format!("can't write {}", file.display()))
    }
}

/// A line for whoever waits.
pub(super) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
