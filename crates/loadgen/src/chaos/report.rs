//! What a run has done, injected, answered and found: for a person, in Markdown, and for a program.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::history::{History, Operation, Repeats};
use super::recovery::Recovery;
use super::served::Served;
use crate::report::Report;

/// Seconds in a line of the report.
const SECONDS_A_LINE: usize = 20;
/// Findings of one kind that are shown to a person.
const SHOWN_MAX: usize = 10;

/// The report of a run.
#[derive(Clone, Debug, Serialize)]
pub struct ChaosReport {
    /// The command that does the same again.
    pub again: String,
    /// What decided everything that was drawn.
    pub seed: u64,
    /// How long customers called.
    pub seconds: u64,
    /// Whether there was a standby.
    pub standby: bool,
    /// Shows that were sold.
    pub shows: usize,
    /// Bookings in the books at the end.
    pub bookings: usize,
    /// Calls by kind, then by answer.
    pub calls: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    /// Calls under keys.
    pub repeats: Repeats,
    /// How many answers took how long.
    pub latency: Vec<LatencyClass>,
    /// Calls made and served, second by second.
    pub each_second: Vec<Served>,
    /// How long this program did not get to run, on a busy machine.
    pub missed_seconds: f64,
    /// What was injected.
    pub faults: Vec<Injected>,
    /// How often the books were checked while customers called.
    pub looks: u32,
    /// How often they could not be read meanwhile.
    pub looks_in_vain: u32,
    /// How the service came back.
    pub recovery: Recovery,
    /// What should not be.
    pub findings: Vec<Finding>,
    /// Where logs, history and books were left, if something was found.
    pub folder: Option<PathBuf>,
}

/// Calls that took about as long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LatencyClass {
    /// Less than this.
    pub below_ms: Option<u32>,
    /// How many.
    pub calls: u64,
}

/// A fault as it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Injected {
    /// Which.
    pub fault: String,
    /// What it struck.
    pub place: String,
    /// Seconds from the first call.
    pub began_seconds: f64,
    /// Seconds from the first call, undone.
    pub ended_seconds: f64,
    /// What has been done in particular.
    pub note: String,
    /// Why it was not done, if it was not.
    pub not_done: Option<String>,
}

/// Something that should not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind.
    pub kind: String,
    /// What it is.
    pub says: String,
}

impl Finding {
    pub(super) fn new(kind: impl Into<String>, says: impl Into<String>) -> Self {
        Self { kind: kind.into(), says: says.into() }
    }
}

/// The boundaries of the classes of latency.
const CLASSES_MS: [u32; 6] = [10, 30, 100, 300, 1000, 3000];

/// How long the calls took.
pub(super) fn latency(history: &History) -> Vec<LatencyClass> {
    let ms = |call: &Operation| (call.ended - call.began) / 1000;
    let mut before = 0;
    let mut class = |below_ms: Option<u32>| {
        let limit = below_ms.map_or(i64::MAX, i64::from);
        let below = history.operations.iter().filter(|call| ms(call) < limit).count() as u64;
        let calls = below - before;
        before = below;
        LatencyClass { below_ms, calls }
    };
    let mut classes: Vec<LatencyClass> = CLASSES_MS.into_iter().map(|limit| class(Some(limit))).collect();
    classes.push(class(None));
    classes
}

/// Calls by kind, then by answer.
pub(super) fn calls(history: &History) -> BTreeMap<&'static str, BTreeMap<&'static str, u64>> {
    let mut calls: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for ((call, answer), count) in history.counts() {
        calls.entry(call).or_default().insert(answer, count);
    }
    calls
}

impl Report for ChaosReport {
    fn passed(&self) -> bool {
        self.findings.is_empty()
    }
}

impl fmt::Display for ChaosReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.passed() { "nothing found" } else { "SOMETHING IS WRONG" };
        writeln!(f, "# Chaos run, seed {}: {verdict}\n\n    {}\n", self.seed, self.again)?;
        self.done(f)?;
        self.injected(f)?;
        self.came_back(f)?;
        self.found(f)
    }
}

impl ChaosReport {
    fn done(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: u64 = self.calls.values().flat_map(BTreeMap::values).sum();
        let Self { seconds, shows, bookings, .. } = self;
        writeln!(f, "## Done and answered\n\n{total} calls in {seconds} s, {shows} shows, {bookings} bookings.\n")?;
        writeln!(f, "| call | answers |\n|---|---|")?;
        for (call, answers) in &self.calls {
            let answers: Vec<String> = answers.iter().map(|(answer, count)| format!("{answer} {count}")).collect();
            writeln!(f, "| {call} | {} |", answers.join(", "))?;
        }
        let Repeats { keyed, repeats, replayed } = self.repeats;
        writeln!(f, "\n{keyed} calls under keys, {repeats} of them repeats, of which {replayed} were answered as such.")?;
        writeln!(f, "\n| answered within | calls |\n|---|---|")?;
        for LatencyClass { below_ms, calls } in &self.latency {
            match below_ms {
                Some(ms) => writeln!(f, "| {ms} ms | {calls} |")?,
                None => writeln!(f, "| longer | {calls} |")?,
            }
        }
        writeln!(f, "\nServed, second by second:\n")?;
        for seconds in self.each_second.chunks(SECONDS_A_LINE) {
            let served: Vec<String> = seconds.iter().map(|second| format!("{:>5}", second.served)).collect();
            writeln!(f, "    {}", served.concat())?;
        }
        writeln!(f, "\nFor {:.1} s this program did not get to run.", self.missed_seconds)
    }

    fn injected(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n## Injected\n\n| from | to | fault | where | |\n|---|---|---|---|---|")?;
        for Injected { fault, place, began_seconds, ended_seconds, note, not_done } in &self.faults {
            let note = not_done.as_ref().map_or_else(|| note.clone(), |why| format!("not done: {why}"));
            writeln!(f, "| {began_seconds:.1} s | {ended_seconds:.1} s | {fault} | {place} | {note} |")?;
        }
        Ok(())
    }

    fn came_back(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Recovery { ready_seconds, settled_seconds, throughput_seconds, .. } = self.recovery;
        let seconds =
            |seconds: Option<f64>| seconds.map_or_else(|| "not in time".to_owned(), |seconds| format!("{seconds:.1} s"));
        writeln!(f, "\n## After the last fault\n\n| | |\n|---|---|")?;
        writeln!(f, "| every api ready after | {} |", seconds(ready_seconds))?;
        writeln!(f, "| no dead hold older than 5 s, from then on | {} |", seconds(settled_seconds))?;
        writeln!(f, "| throughput back after | {} |", seconds(throughput_seconds))?;
        let Recovery { served_before, served_before_per_second: before, served_after_per_second: after, .. } = self.recovery;
        writeln!(
            f,
            "| served a second before the faults, and at the end | {before:.0} ({:.1} % of what was asked), {after:.0} |",
            served_before * 100.0
        )
    }

    fn found(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { looks, looks_in_vain, findings, folder, .. } = self;
        writeln!(f, "\n## Found\n")?;
        writeln!(
            f,
            "The books were checked {looks} times on the way ({looks_in_vain} more times they could not be read), and at the end."
        )?;
        let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for Finding { kind, says } in findings {
            kinds.entry(kind).or_default().push(says);
        }
        for (kind, says) in kinds {
            writeln!(f, "\n{kind}: {}\n", says.len())?;
            for says in says.iter().take(SHOWN_MAX) {
                writeln!(f, "- {says}")?;
            }
        }
        if findings.is_empty() {
            write!(f, "\nNothing.")?;
        }
        match folder {
            Some(folder) => write!(f, "\nLogs, history and books: {}", folder.display()),
            None => Ok(()),
        }
    }
}
