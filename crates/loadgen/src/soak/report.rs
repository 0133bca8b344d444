//! What a soak showed.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use serde::Serialize;

use super::playhouse::Season;
use super::tables::Table;
use super::trend::{Trend, trends};
use crate::goodput::Probe;
use crate::open_loop::{Offered, Stretch};
use crate::report::{LatencyMs, Report, list};
use crate::verify::VerifyReport;

/// More refusals than this share of the calls are too many for a load that the server can serve.
const REFUSED_PERCENT_MAX: u64 = 1;

/// Rows of the printed table.
const ROWS_SHOWN_MAX: usize = 30;

/// A few seconds of a soak.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Sample {
    /// When it was taken, since the beginning.
    pub seconds: f64,
    /// Holds, confirms and reads that were served.
    pub calls_per_second: f64,
    /// Latencies of holds, from the moment that a customer came, and of confirms.
    pub writes_ms: LatencyMs,
    /// Latencies of reads.
    pub reads_ms: LatencyMs,
    /// 503s and 429s.
    pub refused: u64,
    /// Any other answer that is no success, by status code.
    pub others: BTreeMap<u16, u64>,
    /// Calls without an answer.
    pub errors: u64,
    /// What the first of them said.
    pub first_error: Option<String>,
    /// Resident memory of the server.
    pub server_kib: Option<u64>,
    /// The tables, if the database is known.
    pub tables: Vec<Table>,
}

/// How the server stood it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SoakReport {
    /// Calls a second that a closed loop got served.
    pub best: Probe,
    /// Customers a second who were let in; each makes one call or two.
    pub offered_per_second: f64,
    /// Customers who came.
    pub arrivals: u64,
    /// Customers who went away, having found every connection busy.
    pub turned_away: u64,
    /// Shows that were made.
    pub shows: u64,
    /// Seats that customers were told they had bought.
    pub seats_sold: u64,
    /// The samples.
    pub samples: Vec<Sample>,
    /// The last third against the first.
    pub trends: Vec<Trend>,
    /// What the books say, if the database is known.
    pub verified: Option<VerifyReport>,
    /// What should not have happened.
    pub wrong: Vec<String>,
}

pub(super) fn write(
    best: Probe,
    stretch: Stretch,
    offered: &Offered,
    samples: Vec<Sample>,
    season: Season,
    verified: Option<VerifyReport>,
) -> SoakReport {
    let admitted = offered.stretches.first().copied().unwrap_or_default();
    let mut wrong = season.wrong;
    let mut others = BTreeMap::<u16, u64>::new();
    for (status, count) in samples.iter().flat_map(|sample| &sample.others) {
        *others.entry(*status).or_default() += count;
    }
    wrong.extend(others.iter().map(|(status, count)| format!("{count} answers are {status}")));
    let errors = samples.iter().map(|sample| sample.errors).sum::<u64>() + admitted.unconnected;
    if errors > 0 {
        let first = samples.iter().find_map(|sample| sample.first_error.as_deref()).unwrap_or("no connection");
        wrong.push(format!("{errors} calls had no answer, the first: {first}"));
    }
    let refused = samples.iter().map(|sample| sample.refused).sum::<u64>() + admitted.turned_away;
    if refused * 100 > admitted.arrivals * REFUSED_PERCENT_MAX {
        wrong.push(format!("{refused} of {} customers were refused or found every connection busy", admitted.arrivals));
    }
    SoakReport {
        best,
        offered_per_second: stretch.per_second,
        arrivals: admitted.arrivals,
        turned_away: admitted.turned_away,
        shows: season.shows,
        seats_sold: season.seats_sold,
        trends: trends(&samples),
        samples,
        verified,
        wrong,
    }
}

impl SoakReport {
    /// The samples, a line each.
    pub fn csv(&self) -> String {
        let mut text =
            "seconds,calls_per_second,writes_p50_ms,writes_p99_ms,reads_p50_ms,reads_p99_ms,refused,errors,server_kib".to_owned();
        let columns = ["heap_bytes", "index_bytes", "live_rows", "dead_rows", "updates", "hot_updates", "vacuums"];
        let tables = self.samples.first().map(|sample| sample.tables.as_slice()).unwrap_or_default();
        for table in tables {
            for column in columns {
                text.extend([",", &table.name, "_", column]);
            }
        }
        for sample in &self.samples {
            let Sample { seconds, calls_per_second, writes_ms: writes, reads_ms: reads, refused, errors, .. } = sample;
            let kib = sample.server_kib.map(|kib| kib.to_string()).unwrap_or_default();
            // Writing into a String can't fail.
            let _ = write!(text, "\n{seconds:.1},{calls_per_second:.0},{:.3},{:.3},", writes.p50, writes.p99);
            let _ = write!(text, "{:.3},{:.3},{refused},{errors},{kib}", reads.p50, reads.p99);
            for Table { heap_bytes, index_bytes, live_rows, dead_rows, updates, hot_updates, vacuums, .. } in &sample.tables {
                let _ = write!(text, ",{heap_bytes},{index_bytes},{live_rows},{dead_rows},{updates},{hot_updates},{vacuums}");
            }
        }
        text.push('\n');
        text
    }
}

impl Report for SoakReport {
    fn passed(&self) -> bool {
        let verified = self.verified.as_ref().is_none_or(Report::passed);
        verified && self.wrong.is_empty() && self.trends.iter().all(Trend::is_flat)
    }
}

impl fmt::Display for SoakReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Probe { customers, per_second, .. } = self.best;
        writeln!(
            f,
            "closed loop, {customers} customers: {per_second:.0} calls/s; offered: {:.0} customers/s",
            self.offered_per_second
        )?;
        writeln!(
            f,
            "{:>8} {:>8}  {:>17}  {:>17} {:>8} {:>8}",
            "s", "calls/s", "writes p50/p99 ms", "reads p50/p99 ms", "refused", "MiB"
        )?;
        let step = self.samples.len().div_ceil(ROWS_SHOWN_MAX).max(1);
        for sample in self.samples.iter().step_by(step) {
            write!(f, "{sample}")?;
        }
        for Trend { what, first, last, last_max } in &self.trends {
            let verdict = if last <= last_max { "flat " } else { "GROWS" };
            writeln!(f, "{verdict}  {what}: {first:.2}, in the last third {last:.2} (at most {last_max:.2})")?;
        }
        if self.trends.is_empty() {
            writeln!(f, "too few samples to judge how flat it is")?;
        }
        if let Some(verified) = &self.verified {
            writeln!(f, "{verified}")?;
        }
        let Self { arrivals, turned_away, shows, seats_sold, .. } = self;
        writeln!(f, "{arrivals} customers, {turned_away} found every connection busy; {shows} shows, {seats_sold} seats sold")?;
        list(f, &self.wrong)
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seconds, calls_per_second, writes_ms, reads_ms, refused, .. } = self;
        let latency = |latency: &LatencyMs| format!("{:.2}/{:.2}", latency.p50, latency.p99);
        write!(f, "{seconds:>8.1} {calls_per_second:>8.0}  {:>17}  {:>17} {refused:>8}", latency(writes_ms), latency(reads_ms))?;
        let mib = self.server_kib.map_or_else(|| "-".to_owned(), |kib| (kib / 1024).to_string());
        write!(f, " {mib:>8}")?;
        for Table { name, heap_bytes, index_bytes, live_rows, dead_rows, .. } in &self.tables {
            let mib = (heap_bytes + index_bytes) / (1 << 20);
            write!(f, "  {name} {mib} MiB, {live_rows} rows, {dead_rows} dead")?;
        }
        writeln!(f)
    }
}
