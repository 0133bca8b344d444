//! The targets, and whether they were reached.

use std::fmt;

use super::figures::Key;
use crate::bench::plan::{CEILING, PGBENCH, POOL};
use crate::bench::record::{Record, Run};
use crate::bench::spread::{Spread, figure};

/// A target and what was reached.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::bench) struct Verdict {
    /// What it is about.
    pub(super) target: &'static str,
    /// The bound, and on which side of it is well.
    pub(super) bound: Bound,
    /// What was reached, by medians; nothing if it was not measured.
    pub(super) reached: Option<f64>,
    /// The same, round by round.
    pub(super) by_round: Option<Spread>,
}

/// The bound of a target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bound {
    AtLeast(f64),
    AtMost(f64),
    Above(f64),
    Below(f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
            Self::Above(bound) => value > bound,
            Self::Below(bound) => value < bound,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(bound) => write!(f, "at least {}", figure(*bound)),
            Self::AtMost(bound) => write!(f, "at most {}", figure(*bound)),
            Self::Above(bound) => write!(f, "above {}", figure(*bound)),
            Self::Below(bound) => write!(f, "below {}", figure(*bound)),
        }
    }
}

impl Verdict {
    /// What is to be said of it.
    pub(super) fn word(&self) -> &'static str {
        match self.reached {
            None => "not measured",
            Some(value) if self.bound.holds(value) => "met",
            Some(_) => "**missed**",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reached = self.reached.map_or_else(|| "-".into(), figure);
        write!(f, "{:<62} {:>20}: {reached:>9}, {}", self.target, self.bound.to_string(), self.word().trim_matches('*'))
    }
}

/// Every target of the project, judged by this record.
pub(in crate::bench) fn verdicts(record: &Record) -> Vec<Verdict> {
    use Bound::{Above, AtLeast, AtMost, Below};
    let judged = record.judged();
    let judge = Judge { record };
    let spread = |contestant, clients| Key::new("spread", contestant, clients, 0);
    let at_64 = |workload, size| Key::new(workload, judged, 64, size);
    let holds = spread(judged, 64);
    let largest = |workload| record.varied(workload, |run| run.size).last().copied().unwrap_or(0);
    let sweep = |workload| Key::new(workload, judged, 0, largest(workload));
    vec![
        judge.ratio("holds, 64 clients, to the no-op ceiling", AtLeast(0.4), holds, spread(CEILING, 64)),
        judge.ratio("holds, 64 clients, to pgbench with five statements", AtLeast(5.0), holds, spread(PGBENCH[0], 64)),
        judge.ratio("holds, 64 clients, to pgbench with one statement", AtLeast(2.5), holds, spread(PGBENCH[1], 64)),
        judge.value("p99 of a hold, 64 clients, ms", Below(5.0), holds, |run| run.latency_ms.p99),
        judge.ratio_of(
            "p50 of a lone hold, to one statement through a pool",
            AtMost(1.2),
            spread(judged, 1),
            spread(POOL[1], 1),
            |run| run.latency_ms.p50,
        ),
        judge.ratio("holds, 8 clients, to five statements through a pool", Above(1.0), spread(judged, 8), spread(POOL[0], 8)),
        judge.ratio("holds, 8 clients, to one statement through a pool", Above(1.0), spread(judged, 8), spread(POOL[1], 8)),
        judge.ratio(
            "losers on one sold seat, to the no-op ceiling",
            AtLeast(0.7),
            at_64("losers-one-seat", 0),
            spread(CEILING, 64),
        ),
        judge.ratio("holds with their confirms, to holds", AtLeast(0.5), at_64("buy", 0), holds),
        judge.ratio(
            "10,000,000 seats in the table, to 100,000",
            AtLeast(0.85),
            at_64("tables", 10_000_000),
            at_64("tables", 100_000),
        ),
        judge.ratio("one hot show of 100,000 seats, to spread holds", AtLeast(0.9), at_64("hot", 100_000), holds),
        judge.value("sweep of baskets of four, seats/s", AtLeast(100_000.0), sweep("sweep, baskets"), |run| run.per_second),
        judge.ratio(
            "the same with a long-lived snapshot, to the sweep without",
            AtLeast(0.8),
            sweep("sweep, baskets, snapshot"),
            sweep("sweep, baskets"),
        ),
        judge.value("SQLite, holds/s, 64 clients", AtLeast(15_000.0), at_64("sqlite", 0), |run| run.per_second),
    ]
}

struct Judge<'a> {
    record: &'a Record,
}

impl Judge<'_> {
    fn value(&self, target: &'static str, bound: Bound, key: Key<'_>, figure: impl Fn(&Run) -> f64) -> Verdict {
        let by_round = self.record.spread(key, figure);
        Verdict { target, bound, reached: by_round.map(|spread| spread.median), by_round }
    }

    fn ratio(&self, target: &'static str, bound: Bound, of: Key<'_>, to: Key<'_>) -> Verdict {
        self.ratio_of(target, bound, of, to, |run| run.per_second)
    }

    /// By medians; and by round, in which both had the same weather.
    fn ratio_of(&self, target: &'static str, bound: Bound, of: Key<'_>, to: Key<'_>, figure: impl Fn(&Run) -> f64) -> Verdict {
        let (above, below) = (self.record.spread(of, &figure), self.record.spread(to, &figure));
        let reached = above.zip(below).filter(|(_, below)| below.median > 0.0).map(|(above, below)| above.median / below.median);
        let in_round = |round: u32, key| Spread::of(self.record.of(key).filter(|run| run.round == round).map(&figure));
        let rounds = self.record.of(of).map(|run| run.round).max().unwrap_or(0);
        let by_round = Spread::of((1..=rounds).filter_map(|round| {
            let (above, below) = (in_round(round, of)?.median, in_round(round, to)?.median);
            (below > 0.0).then(|| above / below)
        }));
        Verdict { target, bound, reached, by_round }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(workload: &str, contestant: &str, clients: u32, round: u32, per_second: f64) -> Run {
        Run { workload: workload.into(), contestant: contestant.into(), clients, round, per_second, ..Run::default() }
    }

    #[test]
    fn a_ratio_is_that_of_the_medians_and_is_told_round_by_round() {
        let mut runs = Vec::new();
        for (round, holds, nothing) in [(1, 30.0, 100.0), (2, 60.0, 100.0), (3, 45.0, 150.0)] {
            runs.extend([run("spread", "product", 64, round, holds), run("spread", CEILING, 64, round, nothing)]);
        }
        let record = Record { setting: crate::bench::record::Setting::default(), runs, budgets: Vec::new() };
        let found = verdicts(&record);
        let first = &found[0];
        assert_eq!((first.reached, first.word()), (Some(0.45), "met"));
        let by_round = first.by_round.unwrap();
        assert_eq!((by_round.min, by_round.max), (0.3, 0.6));
        assert_eq!(found[1].word(), "not measured");
        // The p99 of runs without latencies is 0, which is below any bound.
        assert_eq!(found.iter().filter(|verdict| verdict.reached.is_some()).count(), 2);
    }

    #[test]
    fn a_bound_is_met_on_its_side() {
        assert!(Bound::AtLeast(1.0).holds(1.0) && !Bound::Above(1.0).holds(1.0));
        assert!(Bound::AtMost(1.0).holds(1.0) && !Bound::Below(1.0).holds(1.0));
        let missed = Verdict { target: "", bound: Bound::AtLeast(2.0), reached: Some(1.9), by_round: None };
        assert_eq!(missed.word(), "**missed**");
    }
}
