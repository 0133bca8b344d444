//! What a customer counts while it works.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::client::CallError;

/// Answers by status code with their latencies, and calls that had no answer.
///
/// A latency is four bytes pushed to a list: a histogram a customer would push everything else out of the cache.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Latency of every answer, in microseconds.
    pub(crate) latencies_us: Vec<u32>,
    /// How many answers had which status.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// How many calls had no answer.
    pub(crate) errors: u64,
    /// What the first of them said.
    pub(crate) first_error: Option<String>,
    /// Whether one of them may have had its effect all the same.
    pub(crate) outcome_unknown: bool,
}

impl Tally {
    /// Counts an answer.
    pub(crate) fn answered(&mut self, status: u16, took: Duration) {
        self.latencies_us.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
        *self.statuses.entry(status).or_default() += 1;
    }

    /// Counts a call that had no answer.
    pub(crate) fn failed(&mut self, error: &CallError) {
        self.errors += 1;
        self.outcome_unknown |= error.outcome_unknown();
        self.first_error.get_or_insert_with(|| error.to_string());
    }

    /// How many calls there were.
    pub(crate) const fn calls(&self) -> u64 {
        self.latencies_us.len() as u64 + self.errors
    }

    /// How many answers had this status.
    pub(crate) fn count(&self, status: u16) -> u64 {
        self.statuses.get(&status).copied().unwrap_or(0)
    }

    /// How many answers said that the server failed.
    pub(crate) fn server_errors(&self) -> u64 {
        self.statuses.range(500..600).map(|(_, count)| count).sum()
    }

    /// The sum of these tallies.
    pub(crate) fn sum(tallies: impl IntoIterator<Item = Self>) -> Self {
        let mut sum = Self::default();
        for tally in tallies {
            sum.latencies_us.extend(tally.latencies_us);
            for (status, count) in tally.statuses {
                *sum.statuses.entry(status).or_default() += count;
            }
            sum.errors += tally.errors;
            sum.first_error = sum.first_error.or(tally.first_error);
            sum.outcome_unknown |= tally.outcome_unknown;
        }
        sum
    }
}
