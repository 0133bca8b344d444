//! Whether the service is itself again when the faults are over.

use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep, timeout};

use super::history::{History, Micros};
use super::pulse::Pulse;
use super::report::Finding;
use super::served::Served;
use super::stage::Stage;
use crate::verify;

/// How long the apis may take to be ready after the last fault.
const READY_LIMIT: Duration = Duration::from_secs(10);
/// How long is waited at a time before the time that we did not get to run is added.
const READY_STEP: Duration = Duration::from_secs(1);
/// From then on, how long it may take until no dead hold is older than 5 s.
const SETTLED_LIMIT: Duration = Duration::from_secs(5);
/// How long the throughput may take to come back, and how long is looked at.
pub(super) const THROUGHPUT_LIMIT: Duration = Duration::from_secs(10);
/// What "back" means, as a share of what was served of what was asked before the faults.
const BACK: f64 = 0.9;
/// What is served is looked at for a second at a time.
const WINDOW: Micros = 1_000_000;
const STEP: Micros = 250_000;
const POLL: Duration = Duration::from_millis(100);
/// A look at the books that takes longer is given up.
const VERIFY_LIMIT: Duration = Duration::from_secs(30);
/// The invariant that a service without faults keeps within some seconds.
const SETTLED: &str = "dead-holds-are-swept";

/// How long everything took.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Recovery {
    /// From the end of the faults until every api was ready.
    pub ready_seconds: Option<f64>,
    /// From then until no dead hold was older than 5 s.
    pub settled_seconds: Option<f64>,
    /// From the end of the faults until a second in which as much was served of what was asked as before, or nearly.
    pub throughput_seconds: Option<f64>,
    /// The share of calls that was served before the faults.
    pub served_before: f64,
    /// Calls served a second before the faults.
    pub served_before_per_second: f64,
    /// The same at the end.
    pub served_after_per_second: f64,
}

impl Recovery {
    /// Waits until the service is ready, and settled. Time in which we did not get to run does not count.
    pub(super) async fn watch(stage: &Stage, pulse: &Pulse) -> Self {
        let mut recovery = Self::default();
        let mut watch = Stopwatch::start(pulse);
        while stage.until_ready(Instant::now() + READY_STEP).await.is_err() {
            if watch.elapsed() > READY_LIMIT {
                return recovery;
            }
        }
        recovery.ready_seconds = Some(watch.elapsed().as_secs_f64());
        watch = Stopwatch::start(pulse);
        loop {
            // Before the look: it may take a while, and what it finds is older than its end.
            let elapsed = watch.elapsed();
            if elapsed > SETTLED_LIMIT {
                return recovery;
            }
            let looked = timeout(VERIFY_LIMIT, verify::postgres(&stage.database.url(), true)).await;
            let is_swept = |report: &verify::VerifyReport| {
                report.findings.iter().any(|finding| finding.invariant == SETTLED && finding.offenders == 0)
            };
            if matches!(&looked, Ok(Ok(report)) if is_swept(report)) {
                recovery.settled_seconds = Some(elapsed.as_secs_f64());
                return recovery;
            }
            sleep(POLL).await;
        }
    }

    /// Reads from the history how much was served before the faults, and from when on that was so again, to the end.
    pub(super) fn judge(&mut self, history: &History, before: (Micros, Micros), after: (Micros, Micros)) {
        let calm = Served::between(history, before.0, before.1);
        self.served_before = calm.share();
        self.served_before_per_second = calm.per_second(before.1 - before.0);
        let is_back = |served: Served| served.asked > 0 && served.share() >= BACK * calm.share();
        let (lifted, end) = after;
        let mut windows = (lifted..=end - WINDOW).step_by(usize::try_from(STEP).unwrap_or(1));
        let back = windows.find(|from| {
            is_back(Served::between(history, *from, from + WINDOW)) && is_back(Served::between(history, *from, end))
        });
        self.throughput_seconds = back.map(|from| Duration::from_micros((from + WINDOW - lifted).unsigned_abs()).as_secs_f64());
        let middle = Micros::midpoint(lifted, end);
        self.served_after_per_second = Served::between(history, middle, end).per_second(end - middle);
    }

    /// What took too long.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut late = |seconds: Option<f64>, says: String| {
            if seconds.is_none() {
                findings.push(Finding::new("recovery", says));
            }
        };
        let ready = format!("an api was not ready {} s after the last fault", READY_LIMIT.as_secs());
        late(self.ready_seconds, ready);
        if self.ready_seconds.is_some() {
            let settled = "dead holds older than 5 s were still PENDING in their rows";
            late(self.settled_seconds, format!("{settled} {} s after the service was ready", SETTLED_LIMIT.as_secs()));
        }
        let share = self.served_before * BACK * 100.0;
        let throughput = format!(
            "within {} s, {share:.0} % of what was asked was not served again, and from then on",
            THROUGHPUT_LIMIT.as_secs()
        );
        late(self.throughput_seconds, throughput);
        findings
    }
}

/// How long something takes, but for the time in which we did not get to run.
struct Stopwatch<'a> {
    pulse: &'a Pulse,
    began: Instant,
    missed_before: Duration,
}

impl<'a> Stopwatch<'a> {
    fn start(pulse: &'a Pulse) -> Self {
        Self { pulse, began: Instant::now(), missed_before: pulse.missed() }
    }

    fn elapsed(&self) -> Duration {
        self.began.elapsed().saturating_sub(self.pulse.missed().saturating_sub(self.missed_before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::history::{Answer, Call, NotDone, Operation, Unknown};

    fn call(began: Micros, answer: Answer) -> Operation {
        let (id, call) = (0, Call::Confirm { booking_id: 1, pays: false, seats: None });
        Operation { id, customer: 0, server: 0, began, ended: began + 1, key: None, call, answer, replayed: false }
    }

    fn done(began: Micros) -> Operation {
        call(began, Answer::Confirmed { booking_id: 1, reclaimed: false })
    }

    fn declined(began: Micros) -> Operation {
        call(began, Answer::NotDone(NotDone::Declined("busy".into())))
    }

    /// 100 calls a second: all served for 5 s; after the faults at 20 s, none until `back`.
    fn history(back: Micros) -> History {
        let before = (0..500).map(|n| done(n * 10_000));
        let after = (0..1100).map(|n| 20_000_000 + n * 10_000);
        let after = after.map(|began| if began < back { declined(began) } else { done(began) });
        let leaving = (0..300).map(|n| call(21_000_000 + n * 10_000, Answer::Unknown(Unknown::HungUp)));
        History { operations: before.chain(after).chain(leaving).collect(), ..History::default() }
    }

    fn judged(back: Micros) -> Recovery {
        let mut recovery = Recovery { ready_seconds: Some(0.1), settled_seconds: Some(0.1), ..Recovery::default() };
        recovery.judge(&history(back), (0, 5_000_000), (20_000_000, 30_000_000));
        recovery
    }

    #[test]
    fn the_throughput_is_back_with_the_first_good_second() {
        assert_eq!(judged(20_000_000).throughput_seconds, Some(1.0));
        assert_eq!(judged(23_000_000).throughput_seconds, Some(4.0));
        assert!((judged(23_000_000).served_before_per_second - 100.0).abs() < 1.0);
        assert_eq!(judged(23_000_000).findings(), []);
    }

    #[test]
    fn a_service_that_does_not_come_back_is_found() {
        let recovery = judged(29_500_000);
        assert_eq!(recovery.throughput_seconds, None);
        assert_eq!(recovery.findings().len(), 1);
        assert_eq!(Served::each_second(&history(29_500_000)).last(), Some(&Served { asked: 100, served: 100 }));
        assert_eq!(Recovery::default().findings().len(), 2, "neither ready nor serving");
    }
}
