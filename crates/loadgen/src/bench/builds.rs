//! Builds of the product, compared with each other.

use std::collections::BTreeSet;
use std::fmt;

use super::record::{Record, Run};
use super::spread::{Spread, figure};

/// The first build under one workload, as shares of another one's figures in the same round, in which both had the same weather.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Comparison {
    /// Which workload, of which size, by how many clients; and which two builds.
    what: String,
    /// What was done in a second.
    rate: Spread,
    /// The slowest call but one of a hundred; nothing where there are no calls.
    p99: Option<Spread>,
    /// Processor time of server, PostgreSQL and load, where the system tells.
    cost: Option<Spread>,
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<58} rate {}", self.what, self.rate)?;
        self.p99.iter().try_for_each(|p99| write!(f, ", p99 {p99}"))?;
        self.cost.iter().try_for_each(|cost| write!(f, ", processor time {}", figure(cost.median)))
    }
}

/// The first build of the record compared with each of the others, wherever both ran; nothing if there is only one.
pub(super) fn comparisons(record: &Record) -> Vec<Comparison> {
    let names: Vec<&str> = record.setting.products.iter().map(|(name, _)| name.as_str()).collect();
    let Some((first, others)) = names.split_first() else { return Vec::new() };
    let mut seen = BTreeSet::new();
    let cells = record.runs.iter().map(|run| (run.workload.as_str(), run.clients, run.size));
    let cells: Vec<_> = cells.filter(|cell| seen.insert(*cell)).collect();
    let compared = |cell| others.iter().filter_map(move |other| compare(record, cell, (first, other)));
    cells.into_iter().flat_map(compared).collect()
}

fn compare(record: &Record, (workload, clients, size): (&str, u32, u64), (first, other): (&str, &str)) -> Option<Comparison> {
    let of = |name: &str, round: u32| {
        let cell = |run: &&Run| (run.workload.as_str(), run.clients, run.size, run.round) == (workload, clients, size, round);
        record.runs.iter().filter(cell).find(|run| run.contestant == name)
    };
    let rounds: BTreeSet<u32> = record.runs.iter().map(|run| run.round).collect();
    let pairs: Vec<(&Run, &Run)> = rounds.iter().filter_map(|round| of(first, *round).zip(of(other, *round))).collect();
    let shares = |figure: &dyn Fn(&Run) -> Option<f64>| {
        let share = |(first, other): &(&Run, &Run)| Some(figure(first)? / figure(other).filter(|figure| *figure > 0.0)?);
        Spread::of(pairs.iter().filter_map(share))
    };
    Some(Comparison {
        what: format!("{workload} {size}, {clients} clients: {first} to {other}"),
        rate: shares(&|run| Some(run.per_second))?,
        p99: shares(&|run| Some(run.latency_ms.p99)),
        cost: shares(&|run| Some(run.cost.server_us? + run.cost.postgres_us? + run.cost.client_us?)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::record::Setting;

    #[test]
    fn builds_are_compared_round_by_round_where_both_ran() {
        let run = |workload: &str, contestant: &str, round, per_second| Run {
            workload: workload.into(),
            contestant: contestant.into(),
            round,
            per_second,
            ..Run::default()
        };
        let runs = vec![
            run("buy", "new", 1, 90.0),
            run("buy", "old", 1, 100.0),
            run("buy", "new", 2, 60.0),
            run("buy", "old", 2, 50.0),
            run("buy", "old", 3, 50.0),
            run("hot", "old", 1, 1.0),
        ];
        let products = ["new", "old"].map(|name| (name.to_owned(), String::new())).to_vec();
        let mut record = Record { setting: Setting { products, ..Setting::default() }, runs, budgets: Vec::new() };
        let found = comparisons(&record);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].rate.min, found[0].rate.max, found[0].rate.runs), (0.9, 1.2, 2));
        assert_eq!((found[0].p99, found[0].cost), (None, None));
        record.setting.products.pop();
        assert_eq!(comparisons(&record), []);
    }
}
