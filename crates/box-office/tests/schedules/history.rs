//! What happened, and what must not have.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use box_office::{Declined, Plan};
use domain::{BookingId, Outcome, StoreError};

use crate::store::End;

/// Everything that is known of a command, by its number.
#[derive(Clone, Debug, Default)]
struct Fate {
    /// Its customer waits for a reply.
    waits: bool,
    /// How often the store has begun with it.
    begun: usize,
    in_flight: bool,
    commits: usize,
    /// How the store's last call with it ended.
    end: Option<End>,
    /// Its customer was told that nothing has happened.
    declined: bool,
}

#[derive(Default)]
struct Facts {
    fates: BTreeMap<i64, Fate>,
    calls_in_flight: usize,
    panics: usize,
    closing: bool,
    closed: bool,
    offences: Vec<String>,
}

pub(crate) struct History {
    plan: Plan,
    facts: Mutex<Facts>,
}

impl Facts {
    fn fate(&mut self, id: i64) -> &mut Fate {
        self.fates.entry(id).or_default()
    }

    fn must(&mut self, is_so: bool, offence: impl FnOnce() -> String) {
        if !is_so {
            self.offences.push(offence());
        }
    }
}

impl History {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self { plan: plan.clone(), facts: Mutex::default() }
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap()
    }

    pub(crate) fn note(&self, offence: String) {
        self.facts().offences.push(offence);
    }

    /// What must not have happened.
    pub(crate) fn offences(&self) -> Vec<String> {
        let mut facts = self.facts();
        let happened: Vec<i64> =
            facts.fates.iter().filter(|(_, fate)| fate.declined && fate.commits > 0).map(|(id, _)| *id).collect();
        facts.must(happened.is_empty(), || format!("declined, and then it happened: {happened:?}"));
        std::mem::take(&mut facts.offences)
    }

    // --- the store

    pub(crate) fn begun(&self, ids: &[i64]) {
        let facts = &mut *self.facts();
        facts.calls_in_flight += 1;
        let (calls, calls_max) = (facts.calls_in_flight, self.plan.lanes + 2 * self.plan.aside_max);
        facts.must(calls <= calls_max, || format!("{calls} calls at once"));
        facts.must(ids.len() <= self.plan.batch_max, || format!("a batch of {}", ids.len()));
        facts.must(!facts.closed, || format!("{ids:?} begun after closing"));
        let attempts_max = 2 * usize::try_from(self.plan.attempts_max).unwrap();
        for id in ids {
            let fate = facts.fate(*id);
            fate.begun += 1;
            let Fate { begun, in_flight, end, declined, .. } = std::mem::replace(fate, Fate { in_flight: true, ..fate.clone() });
            facts.must(!in_flight, || format!("{id} is in two calls at once"));
            facts.must(!declined, || format!("{id} is begun after it was declined"));
            facts.must(!end.is_some_and(End::is_final), || format!("{id} is begun again after {end:?}"));
            // In its lane, and then as often beside it.
            facts.must(begun <= attempts_max, || format!("{id} is begun {begun} times"));
        }
    }

    pub(crate) fn committed(&self, ids: &[i64]) {
        let mut facts = self.facts();
        for id in ids {
            facts.fate(*id).commits += 1;
            let commits = facts.fate(*id).commits;
            facts.must(commits == 1, || format!("{id} is committed twice"));
        }
    }

    pub(crate) fn ended(&self, ids: &[i64], end: End) {
        let mut facts = self.facts();
        facts.calls_in_flight -= 1;
        facts.panics += usize::from(matches!(end, End::Panics { .. }));
        for id in ids {
            let fate = facts.fate(*id);
            (fate.in_flight, fate.end) = (false, Some(end));
        }
    }

    // --- the customers

    /// The box office has taken the command: it is bounded how many wait.
    pub(crate) fn taken(&self, id: i64) {
        let facts = &mut *self.facts();
        facts.fate(id).waits = true;
        let waiting = facts.fates.values().filter(|fate| fate.waits).count();
        // In the queue of a lane, in its batch, or beside the lanes.
        let waiting_max = self.plan.lanes * (self.plan.queue_max + self.plan.batch_max) + self.plan.queue_max;
        facts.must(waiting <= waiting_max, || format!("{waiting} wait"));
        facts.must(!facts.closing, || format!("{id} is taken after closing"));
    }

    pub(crate) fn left(&self, id: i64) {
        self.facts().fate(id).waits = false;
    }

    pub(crate) fn replied(&self, id: i64, reply: &Result<Outcome, Declined>, waited: Duration) {
        let facts = &mut *self.facts();
        let (closing, lane_died, full) = (facts.closing, facts.panics > 0, self.is_full(facts, id));
        let fate = facts.fate(id);
        fate.waits = false;
        fate.declined = reply.as_ref().is_err_and(|declined| !matches!(declined, Declined::Store(StoreError::OutcomeUnknown(_))));
        let fate = fate.clone();
        let told_the_truth = match reply {
            Ok(Outcome::Confirmed { booking_id }) => {
                Some(*booking_id) == BookingId::new(id) && fate.commits == 1 && fate.end == Some(End::Answered)
            }
            Ok(_) => false,
            Err(Declined::Full) => full && fate.begun == 0,
            Err(Declined::TooLate) => waited >= self.plan.patience && !fate.in_flight,
            Err(Declined::Closing) => (closing || lane_died) && fate.begun == 0,
            Err(Declined::Store(error)) => !fate.in_flight && is_true(error, fate.end, lane_died),
        };
        facts.must(told_the_truth, || format!("{id} is told {reply:?} after {waited:?}: {fate:?}"));
    }

    /// Whether as many commands as a queue holds have been taken and not begun, in the lane of this one.
    fn is_full(&self, facts: &Facts, id: i64) -> bool {
        let lane = |id: i64| usize::try_from(id).unwrap() % self.plan.lanes;
        let queued = facts.fates.iter().filter(|(other, fate)| lane(**other) == lane(id) && fate.begun == 0 && !fate.declined);
        queued.count() >= self.plan.queue_max
    }

    // --- the end

    pub(crate) fn closing(&self) {
        self.facts().closing = true;
    }

    pub(crate) fn closed(&self) {
        let mut facts = self.facts();
        facts.closed = true;
        let in_flight = facts.calls_in_flight;
        facts.must(in_flight == 0, || format!("{in_flight} calls are in flight after closing"));
    }

    pub(crate) fn nobody_waits(&self) {
        let mut facts = self.facts();
        let waiting: Vec<i64> = facts.fates.iter().filter(|(_, fate)| fate.waits).map(|(id, _)| *id).collect();
        facts.must(waiting.is_empty(), || format!("{waiting:?} wait after closing"));
    }
}

/// Whether this is what the store has said. A lane that has died can't say what became of its queue.
fn is_true(error: &StoreError, end: Option<End>, lane_died: bool) -> bool {
    match (error, end) {
        (StoreError::Unavailable(_), Some(End::Unavailable))
        | (StoreError::Contended(_), Some(End::Contended))
        | (StoreError::Corrupt(_), Some(End::Corrupt)) => true,
        (StoreError::OutcomeUnknown(_), end) => lane_died || end.is_some_and(|end| end.is_final() && end != End::Answered),
        (StoreError::Unavailable(_) | StoreError::Contended(_) | StoreError::Corrupt(_), _) => false,
    }
}
