//! What became of a booking after it was held, step by step, and which call did it.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::books::{BookingRow, Step, StepKind};
use super::super::history::{Answer, Call, History, Micros, Operation};
use super::{Kind, Violation, at, named};

/// A step that is neither how it was made nor the end of its time, nor a confirm of all that it held.
#[derive(Clone, Debug)]
pub(super) struct Amendment {
    /// When it was decided.
    pub(super) at: Micros,
    /// What it was.
    pub(super) event: StepKind,
    /// Whether it was a sale that was given up.
    pub(super) was_sold: bool,
    /// The seats of the booking after it.
    pub(super) seats: Vec<u32>,
    /// The deadline after it.
    pub(super) deadline: Micros,
    /// Who was told so first.
    pub(super) told: Option<u64>,
    /// When they had been told.
    pub(super) known: Micros,
}

/// The amendments of each booking.
pub(super) type Amendments = BTreeMap<i64, Vec<Amendment>>;

/// Finds the call behind every step, and a step for every call that was answered so.
pub(super) fn explain(history: &History, rows: &[BookingRow], violations: &mut Vec<Violation>) -> Amendments {
    let mut calls: HashMap<i64, Vec<&Operation>> = HashMap::new();
    for operation in &history.operations {
        if let Some(booking_id) = operation.call.booking_id() {
            calls.entry(booking_id).or_default().push(operation);
        }
    }
    let ends = history.operations.iter().filter(|operation| operation.answer == Answer::ShowCancelled);
    let ends: Vec<&Operation> = ends.collect();
    let mut steps: HashMap<i64, Vec<&Step>> = HashMap::new();
    for row in rows {
        steps.entry(row.show_id).or_default().extend(&row.steps);
    }
    let explained = rows.iter().map(|row| {
        let calls = calls.remove(&row.id).unwrap_or_default();
        let of_show = steps.get(&row.show_id).map_or(&[][..], Vec::as_slice);
        (
            row.id,
            Explaining { history, row, calls, ends: &ends, of_show, used: HashSet::new(), violations: &mut *violations }.all(),
        )
    });
    let explained = explained.collect();
    for operation in calls.into_values().flatten().filter(|operation| is_done(operation)) {
        violations.push(lost(operation));
    }
    explained
}

/// Whether it was answered that something was done which nothing else here looks for.
const fn is_done(operation: &Operation) -> bool {
    let reclaimed = matches!(operation.answer, Answer::Confirmed { reclaimed: true, .. });
    reclaimed || matches!(operation.answer, Answer::Cancelled { .. } | Answer::Extended { .. } | Answer::Changed { .. })
}

/// Whether it was answered that something like this was done.
const fn is_done_so(operation: &Operation, event: StepKind) -> bool {
    match operation.answer {
        Answer::Cancelled { .. } => matches!(event, StepKind::Cancelled),
        Answer::Extended { .. } => matches!(event, StepKind::Extended),
        Answer::Changed { .. } => matches!(event, StepKind::Changed),
        Answer::Confirmed { reclaimed: false, .. } => matches!(event, StepKind::Confirmed),
        Answer::Confirmed { reclaimed: true, .. } => matches!(event, StepKind::Reclaimed),
        _ => false,
    }
}

fn lost(operation: &Operation) -> Violation {
    let says = format!("{} was answered {:?}, which the books know nothing of", named(operation), operation.answer);
    Violation::new(Kind::AmendmentLost, says).by([operation.id])
}

struct Explaining<'a, 'v> {
    history: &'a History,
    row: &'a BookingRow,
    calls: Vec<&'a Operation>,
    /// The calls that were told that a show is cancelled, and all of its bookings are.
    ends: &'a [&'a Operation],
    /// Every step of its show.
    of_show: &'a [&'a Step],
    /// The calls that have done something: each but once.
    used: HashSet<u64>,
    violations: &'v mut Vec<Violation>,
}

impl<'a> Explaining<'a, '_> {
    fn all(mut self) -> Vec<Amendment> {
        let (mut seats, mut deadline) = (self.row.first_seats().to_vec(), self.row.created_at + self.history.hold_for);
        if self.row.is_block {
            deadline = self.row.expires_at;
        }
        let mut amendments: Vec<Amendment> = Vec::new();
        for step in &self.row.steps {
            let is_sale = matches!(step.event, StepKind::Confirmed | StepKind::Reclaimed);
            match step.event {
                StepKind::Held | StepKind::Blocked | StepKind::Expired | StepKind::RefundDue => continue,
                StepKind::Confirmed if step.seats == seats => continue,
                StepKind::Confirmed
                | StepKind::Reclaimed
                | StepKind::Extended
                | StepKind::Changed
                | StepKind::Cancelled
                | StepKind::ShowCancelled => {}
            }
            // With its show everything ends, whether it was asked for or not.
            let is_whole_show = step.event == StepKind::ShowCancelled;
            if step.at >= deadline && !step.was_sold && !is_sale && !is_whole_show {
                let says = format!("{:?} at {}, and its hold ended at {}", step.event, at(step.at), at(deadline));
                self.report(Kind::AmendedTooLate, &says);
            }
            if step.event == StepKind::Extended {
                deadline = (step.at + self.history.hold_for).min(self.row.created_at + self.history.hold_limit);
            }
            let told = if is_whole_show { self.end_of_show(step) } else { self.author(step, &seats, deadline) };
            seats.clone_from(&step.seats);
            let known = told.map_or(Micros::MAX, |told| told.ended);
            let told = told.map(|told| told.id);
            let (event, was_sold, seats) = (step.event, step.was_sold, seats.clone());
            amendments.push(Amendment { at: step.at, event, was_sold, seats, deadline, told, known });
        }
        if self.row.expires_at != deadline {
            self.report(
                Kind::DeadlineWrong,
                &format!("is to end at {}, but was to end at {}", at(self.row.expires_at), at(deadline)),
            );
        }
        if self.row.seats != seats {
            self.report(Kind::HoldAltered, &format!("has seats {:?}, but its history has led to {seats:?}", self.row.seats));
        }
        self.unheard(&amendments);
        amendments
    }

    fn report(&mut self, kind: Kind, says: &str) {
        let says = format!("booking {} for {} {says}", self.row.id, self.row.user_name);
        self.violations.push(Violation::new(kind, says).about([self.row.id]));
    }

    /// The first call that was told that the show of the booking is over, if that was after this step.
    fn end_of_show(&self, step: &Step) -> Option<&'a Operation> {
        let cancel = Call::CancelShow { show_id: self.row.show_id };
        // It is so answered as well when it was cut short, in the commit of its last step. A later one in the show came after that.
        let is_followed = |call: &&&Operation| self.of_show.iter().any(|later| step.at < later.at && later.at <= call.ended);
        let told = self.ends.iter().filter(|call| call.call == cancel && step.at <= call.ended).filter(is_followed);
        told.min_by_key(|call| call.ended).copied()
    }

    /// The call that was answered with this step. Without one, a call must at least explain it.
    fn author(&mut self, step: &Step, before: &[u32], deadline: Micros) -> Option<&'a Operation> {
        let could = self.calls.iter().filter(|call| !self.used.contains(&call.id) && could_do(call, step, before));
        let found = could.filter_map(|call| Some((fit(call, step, deadline)?, *call))).min_by_key(|(fit, _)| *fit);
        if let Some((fit, call)) = found {
            self.used.insert(call.id);
            if matches!(fit, Fit::Unanswered { .. }) {
                return None;
            }
            self.compare(call, step, deadline);
            return Some(call);
        }
        let denied = self.calls.iter().filter(|call| could_do(call, step, before) && step.at <= call.ended).copied().next();
        let (event, when) = (step.event, at(step.at));
        match denied {
            Some(call) => {
                let says = format!("was {event:?} at {when}, but {} was answered {:?}", named(call), call.answer);
                self.report(Kind::NotDoneButDone, &says);
            }
            None => self.report(Kind::AskedByNobody, &format!("was {event:?} at {when}, when no call for that was under way")),
        }
        None
    }

    /// What was answered against what was done.
    fn compare(&mut self, call: &Operation, step: &Step, deadline: Micros) {
        if let Some(told) = shown_deadline(call).filter(|told| *told != cut(deadline)) {
            let says = format!("is to end at {}, but {} was told {}", at(deadline), named(call), at(told));
            self.report(Kind::DeadlineWrong, &says);
        }
        let fits = match &call.answer {
            Answer::Cancelled { refund_due, .. } => *refund_due == (step.was_sold && !self.row.is_block),
            Answer::Changed { seats, .. } => *seats == step.seats,
            _ => true,
        };
        if !fits {
            self.report(Kind::DoesNotFit, &format!("was made {step:?}, but {} was answered {:?}", named(call), call.answer));
        }
    }

    /// Every call that was answered so must have done something. What is cancelled may be cancelled again; and what was extended by
    /// another call in the same batch, at the same instant, lives as long as this one could wish.
    fn unheard(&mut self, amendments: &[Amendment]) {
        let cancelled_at = self.row.steps.iter().find(|step| step.event.gives_up()).map(|step| step.at);
        let extended_meanwhile = |call: &Operation| {
            let so = |amendment: &&Amendment| {
                amendment.event == StepKind::Extended && shown_deadline(call) == Some(cut(amendment.deadline))
            };
            let extended = matches!(call.answer, Answer::Extended { .. });
            extended && amendments.iter().filter(so).any(|amendment| (call.began..=call.ended).contains(&amendment.at))
        };
        for call in self.calls.iter().filter(|call| is_done(call) && !self.used.contains(&call.id)) {
            let again = matches!(call.answer, Answer::Cancelled { .. }) && cancelled_at.is_some_and(|at| at <= call.ended);
            if !again && !extended_meanwhile(call) {
                self.violations.push(lost(call).about([self.row.id]));
            }
        }
    }
}

/// Whether this call, when it began and for what it asks, could have done this.
fn could_do(call: &Operation, step: &Step, before: &[u32]) -> bool {
    let fits = match (&call.call, step.event) {
        (Call::Cancel { by_house, .. }, StepKind::Cancelled) => *by_house || !step.was_sold,
        (Call::Extend { .. }, StepKind::Extended) => true,
        (Call::Change { add, remove, .. }, StepKind::Changed) => {
            let mut seats: Vec<u32> = before.iter().filter(|seat| !remove.contains(seat)).chain(add).copied().collect();
            seats.sort_unstable();
            seats == step.seats
        }
        (Call::Confirm { seats, .. }, StepKind::Confirmed | StepKind::Reclaimed) => {
            seats.as_deref().unwrap_or(before) == step.seats
        }
        _ => false,
    };
    fits && call.began <= step.at
}

/// How well a call's answer fits to what it may have done, the best first. One that was answered otherwise may have done something else, and
/// only have been under way as well.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Answered { ended: Micros },
    Unanswered { began: Micros },
    AnsweredOtherwise { ended: Micros },
}

/// How the call's answer fits to a step that led to this deadline; `None` if it says that something else came of the call.
fn fit(call: &Operation, step: &Step, deadline: Micros) -> Option<Fit> {
    let &Operation { began, ended, .. } = call;
    if matches!(call.answer, Answer::Unknown(_)) {
        return Some(Fit::Unanswered { began });
    }
    if !is_done_so(call, step.event) || ended < step.at {
        return None;
    }
    let is_told = shown_deadline(call).is_none_or(|told| told == cut(deadline));
    Some(if is_told { Fit::Answered { ended } } else { Fit::AnsweredOtherwise { ended } })
}

const fn shown_deadline(call: &Operation) -> Option<Micros> {
    match call.answer {
        Answer::Extended { expires_at, .. } | Answer::Changed { expires_at, .. } => Some(expires_at),
        _ => None,
    }
}

/// As answers show an instant.
const fn cut(instant: Micros) -> Micros {
    instant - instant.rem_euclid(1000)
}
