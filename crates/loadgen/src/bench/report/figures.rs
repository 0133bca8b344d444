//! Looking figures up.

use crate::bench::record::{Record, Run};
use crate::bench::spread::Spread;

/// Which runs: those of one contestant under one workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key<'a> {
    pub(super) workload: &'a str,
    pub(super) size: u64,
    pub(super) clients: u32,
    pub(super) contestant: &'a str,
}

impl<'a> Key<'a> {
    pub(super) const fn new(workload: &'a str, contestant: &'a str, clients: u32, size: u64) -> Self {
        Self { workload, size, clients, contestant }
    }

    pub(super) fn of(run: &'a Run) -> Self {
        Self { workload: &run.workload, size: run.size, clients: run.clients, contestant: &run.contestant }
    }
}

impl Record {
    /// The build that is judged.
    pub(super) fn judged(&self) -> &str {
        self.setting.products.first().map_or("product", |(name, _)| name)
    }

    /// The runs of this key, in order.
    pub(super) fn of<'a>(&'a self, key: Key<'a>) -> impl Iterator<Item = &'a Run> + use<'a> {
        self.runs.iter().filter(move |run| Key::of(run) == key)
    }

    /// A figure of these runs.
    pub(super) fn spread(&self, key: Key<'_>, figure: impl Fn(&Run) -> f64) -> Option<Spread> {
        Spread::of(self.of(key).map(figure))
    }

    /// How often a second.
    pub(super) fn rate(&self, key: Key<'_>) -> Option<Spread> {
        self.spread(key, |run| run.per_second)
    }

    /// The contestants under a workload, in the order in which they first ran.
    pub(super) fn contestants(&self, workload: &str) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        for run in self.runs.iter().filter(|run| run.workload == workload && run.round == 1) {
            if !found.contains(&run.contestant.as_str()) {
                found.push(&run.contestant);
            }
        }
        found
    }

    /// The values that a workload varies, ascending.
    pub(super) fn varied<T: Ord + Copy>(&self, workload: &str, value: impl Fn(&Run) -> T) -> Vec<T> {
        let mut values: Vec<T> = self.runs.iter().filter(|run| run.workload == workload).map(value).collect();
        values.sort_unstable();
        values.dedup();
        values
    }
}
