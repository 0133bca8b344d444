//! Shows that are cancelled: from the answer on nothing of them is sold, and all that was has failed.

use std::collections::BTreeMap;

use super::super::books::{BookingRow, Books, Step, StepKind};
use super::super::history::{Answer, BookingStatus, Call, History, Micros, Operation, Refusal};
use super::{Kind, Violation, at, named};

/// After so long everything of a cancelled show has failed, whoever was cut short.
const SETTLED: Micros = 15_000_000;

/// The calls that cancel a show.
#[derive(Default)]
struct Calls<'a> {
    /// That were answered so, or not at all.
    possible: Vec<&'a Operation>,
}

impl Calls<'_> {
    /// When it could be cancelled first.
    fn began(&self) -> Option<Micros> {
        self.possible.iter().map(|call| call.began).min()
    }

    /// When somebody had been told first.
    fn known(&self) -> Option<Micros> {
        self.possible.iter().filter(|call| call.answer == Answer::ShowCancelled).map(|call| call.ended).min()
    }
}

/// Checks every show that is cancelled, or that somebody said to be.
pub(super) fn check(history: &History, books: &Books, violations: &mut Vec<Violation>) {
    let mut calls: BTreeMap<i64, Calls<'_>> = BTreeMap::new();
    for operation in &history.operations {
        if let Call::CancelShow { show_id } = operation.call
            && matches!(operation.answer, Answer::ShowCancelled | Answer::Unknown(_))
        {
            calls.entry(show_id).or_default().possible.push(operation);
        }
    }
    for (show_id, calls) in &calls {
        if let Some(known) = calls.known()
            && books.cancelled_shows.get(show_id).is_none_or(|cancelled_at| *cancelled_at > known)
        {
            violations.push(wrong(format!("show {show_id} was said to be cancelled at {}, and was not", at(known))));
        }
    }
    let none = Calls::default();
    let calls_of = |show_id: i64| calls.get(&show_id).unwrap_or(&none);
    for (show_id, cancelled_at) in &books.cancelled_shows {
        if calls_of(*show_id).began().is_none_or(|began| *cancelled_at < began) {
            violations.push(wrong(format!("show {show_id} was cancelled at {}, which nobody asked for", at(*cancelled_at))));
        }
    }
    let ended = first_ends(books);
    let last = history.operations.iter().map(|operation| operation.ended).max().unwrap_or(Micros::MIN);
    for row in &books.bookings {
        let calls = calls_of(row.show_id);
        // Where nobody was told, the workers may still be at it.
        let is_over = |cancelled_at: &Micros| calls.known().is_some() || cancelled_at + SETTLED < last;
        if books.cancelled_shows.get(&row.show_id).is_some_and(is_over) && row.status != BookingStatus::Failed {
            let says = format!("booking {} is {:?}, and show {} is cancelled", row.id, row.status, row.show_id);
            violations.push(wrong(says).about([row.id]));
        }
        violations.extend(row_fault(row, calls, books, ended.get(&row.show_id).copied()));
    }
    for operation in &history.operations {
        if operation.answer == Answer::Refused(Refusal::ShowCancelled)
            && let Some((show_id, _)) = operation.call.takes()
            && (calls_of(show_id).began().is_none_or(|began| operation.ended < began)
                || !books.cancelled_shows.contains_key(&show_id))
        {
            let says = format!("{} was told that show {show_id} is cancelled, which it was not", named(operation));
            violations.push(wrong(says).by([operation.id]));
        }
    }
}

fn wrong(says: String) -> Violation {
    Violation::new(Kind::ShowNotCancelled, says)
}

/// The number of the first step of each show with which a booking ended because the show did.
fn first_ends(books: &Books) -> BTreeMap<i64, i64> {
    let mut first = BTreeMap::new();
    for row in &books.bookings {
        for step in row.steps.iter().filter(|step| step.event == StepKind::ShowCancelled) {
            let number: &mut i64 = first.entry(row.show_id).or_insert(step.number);
            *number = step.number.min(*number);
        }
    }
    first
}

/// Whether a booking did something after the show's end, or ended with it before that.
fn row_fault(row: &BookingRow, calls: &Calls<'_>, books: &Books, end: Option<i64>) -> Option<Violation> {
    let (id, show_id) = (row.id, row.show_id);
    let fault = |says: String| Some(wrong(format!("booking {id} of show {show_id} {says}")).about([id]));
    let is_cancelled = books.cancelled_shows.contains_key(&show_id);
    let begins = |step: &&Step| {
        use StepKind::{Blocked, Changed, Confirmed, Extended, Held, Reclaimed};
        matches!(step.event, Held | Blocked | Extended | Changed | Confirmed | Reclaimed)
    };
    let after = |step: &Step| calls.known().is_some_and(|known| step.at > known) || end.is_some_and(|end| step.number > end);
    if let Some(step) = row.steps.iter().filter(begins).find(|step| after(step)) {
        return fault(format!("was {:?} at {}, after the show had been cancelled", step.event, at(step.at)));
    }
    let ended = row.steps.iter().find(|step| step.event == StepKind::ShowCancelled)?;
    let too_early = !is_cancelled || calls.began().is_none_or(|began| ended.at < began);
    if too_early { fault(format!("ended with the show at {}, which was not cancelled then", at(ended.at))) } else { None }
}
