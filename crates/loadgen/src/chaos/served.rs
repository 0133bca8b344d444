//! How much of what was asked was answered.

use std::time::Duration;

use serde::Serialize;

use super::history::{Answer, History, Micros, Operation, Unknown};

const SECOND: Micros = 1_000_000;

/// What became of the calls of some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Served {
    /// How many were made, without those whose customers hung up.
    pub asked: u32,
    /// How many were answered, be it with no.
    pub served: u32,
}

impl Served {
    /// Second by second, from the first call to the last.
    pub(super) fn each_second(history: &History) -> Vec<Self> {
        let begins = || history.operations.iter().map(|call| call.began);
        let (Some(first), Some(last)) = (begins().min(), begins().max()) else { return Vec::new() };
        let seconds = usize::try_from((last - first) / SECOND).unwrap_or(0) + 1;
        let mut each = vec![Self::default(); seconds];
        for call in history.operations.iter().filter(|call| !hung_up(call)) {
            if let Some(second) = usize::try_from((call.began - first) / SECOND).ok().and_then(|second| each.get_mut(second)) {
                second.asked += 1;
                second.served += u32::from(is_served(&call.answer));
            }
        }
        each
    }

    /// Of the calls that began in this time.
    pub(super) fn between(history: &History, begin: Micros, end: Micros) -> Self {
        // That a customer hangs up says nothing about the service.
        let calls = history.operations.iter().filter(|call| (begin..end).contains(&call.began) && !hung_up(call));
        calls.fold(Self::default(), |sum, call| Self {
            asked: sum.asked + 1,
            served: sum.served + u32::from(is_served(&call.answer)),
        })
    }

    /// Served of what was asked.
    pub(super) fn share(self) -> f64 {
        if self.asked == 0 { 0.0 } else { f64::from(self.served) / f64::from(self.asked) }
    }

    /// Served a second, if it was this long.
    pub(super) fn per_second(self, time: Micros) -> f64 {
        let seconds = Duration::from_micros(time.unsigned_abs()).as_secs_f64();
        if seconds > 0.0 { f64::from(self.served) / seconds } else { 0.0 }
    }
}

fn hung_up(call: &Operation) -> bool {
    call.answer == Answer::Unknown(Unknown::HungUp)
}

/// Whether the service has said what the caller wanted to know, be it no.
fn is_served(answer: &Answer) -> bool {
    answer.is_definite()
}
