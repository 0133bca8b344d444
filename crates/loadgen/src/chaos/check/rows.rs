//! The bookings in the books against what was answered.

use std::collections::{BTreeMap, HashMap};

use super::super::books::{BookingRow, Books, StepKind};
use super::super::history::{Answer, BookingStatus, Call, History, Micros, Operation};
use super::bookings::{Booking, Bookings};
use super::{Kind, Violation, at, named};

/// Checks every row against the calls that explain it, and every answer against the rows that must be there.
pub(super) fn check(history: &History, books: &Books, bookings: &Bookings<'_>, violations: &mut Vec<Violation>) {
    let mut confirms: HashMap<i64, Vec<&Operation>> = HashMap::new();
    for operation in &history.operations {
        if let Call::Confirm { booking_id, .. } = operation.call {
            confirms.entry(booking_id).or_default().push(operation);
        }
    }
    let mut by_hold: HashMap<u64, &BookingRow> = HashMap::new();
    let mut by_id: BTreeMap<i64, &BookingRow> = BTreeMap::new();
    for row in &books.bookings {
        let hold = Operation::of_user(&row.user_name).and_then(|id| history.operation(id));
        if let Some(other) = by_id.insert(row.id, row) {
            let says = format!("the books have booking {} twice, for {} and {}", row.id, other.user_name, row.user_name);
            violations.push(Violation::new(Kind::IdGivenTwice, says).about([row.id]));
        }
        if let Some(other) = hold.and_then(|hold| by_hold.insert(hold.id, row)) {
            let says = format!("{} made two bookings, {} and {}", row.user_name, other.id, row.id);
            violations.push(Violation::new(Kind::HeldTwice, says).by(hold.map(|hold| hold.id)).about([other.id, row.id]));
        }
        violations.extend(hold_fault(row, hold));
        violations.extend(confirm_fault(row, confirms.get(&row.id).map_or(&[], Vec::as_slice)));
    }
    for booking in bookings.all() {
        let row = by_id.get(&booking.id).copied();
        if booking.was_answered() {
            violations.extend(answered_fault(booking, row));
        }
        violations.extend(final_state_fault(booking, row));
    }
}

fn about(row: &BookingRow, kind: Kind, says: impl Into<String>) -> Violation {
    Violation::new(kind, format!("booking {} for {} {}", row.id, row.user_name, says.into())).about([row.id])
}

/// A row must be what a hold or a block asked for, made during that call.
fn hold_fault(row: &BookingRow, hold: Option<&Operation>) -> Option<Violation> {
    let asked = hold.and_then(|hold| hold.call.takes().map(|(show_id, seats)| (hold, show_id, seats)));
    let asked = asked.filter(|(hold, ..)| row.is_block == matches!(hold.call, Call::Block { .. }));
    let Some((hold, show_id, seats)) = asked else {
        return Some(about(row, Kind::AskedByNobody, "is in the books, and no hold or block asked for it"));
    };
    let fault = |kind, says: String| Some(about(row, kind, says).by([hold.id]));
    match &hold.answer {
        Answer::NotDone(_) | Answer::Refused(_) => {
            return fault(Kind::NotDoneButDone, format!("is in the books, but its hold was answered {:?}", hold.answer));
        }
        Answer::Held { booking_id, .. } | Answer::Blocked { booking_id } if *booking_id != row.id => {
            return fault(Kind::HoldAltered, format!("is in the books, but its hold was told that it is booking {booking_id}"));
        }
        _ => {}
    }
    if (row.show_id, row.first_seats()) != (show_id, seats) {
        let says = format!("got seats {:?} of show {}, but asked for {seats:?} of {show_id}", row.first_seats(), row.show_id);
        return fault(Kind::HoldAltered, says);
    }
    let customer = (!row.is_block).then(|| Operation::customer_id(hold.customer));
    if row.customer != customer {
        return fault(Kind::HoldAltered, format!("counts for {:?}, instead of {customer:?}", row.customer));
    }
    let ended = if hold.answer.made().is_some() { hold.ended } else { Micros::MAX };
    let during = hold.began <= row.created_at && row.created_at <= ended;
    let says = || {
        format!("was made at {}, but {} lasted from {} to {}", at(row.created_at), named(hold), at(hold.began), at(hold.ended))
    };
    if during { None } else { fault(Kind::OutsideItsCall, says()) }
}

/// A confirmed row must be the work of a confirm, during that confirm and before the deadline, or after it as the confirm was told.
fn confirm_fault(row: &BookingRow, confirms: &[&Operation]) -> Option<Violation> {
    let confirmed_at = row.sold_at()?;
    let (told, late) = (at(confirmed_at), row.was_reclaimed());
    if confirmed_at >= row.expires_at && !late {
        let says = format!("was confirmed at {told}, and its hold ended at {}", at(row.expires_at));
        return Some(about(row, Kind::ConfirmedTooLate, says).by(confirms.iter().map(|confirm| confirm.id)));
    }
    if let Some(done) = confirms.iter().find(|confirm| matches!(confirm.answer, Answer::Confirmed { .. })) {
        let sold = row.sale().map_or(&row.seats, |step| &step.seats);
        let other_seats = wanted(done).is_some_and(|wanted| wanted != sold);
        if other_seats || done.answer != (Answer::Confirmed { booking_id: row.id, reclaimed: late }) {
            let (asked, answer, who) = (wanted(done), &done.answer, named(done));
            let says = format!(
                "was sold at {told} with seats {sold:?}, reclaimed: {late}; {who} asked for {asked:?} and was told {answer:?}"
            );
            return Some(about(row, Kind::DoesNotFit, says).by([done.id]));
        }
        let during = done.began <= confirmed_at && confirmed_at <= done.ended;
        let says =
            || format!("was confirmed at {told}, but {} lasted from {} to {}", named(done), at(done.began), at(done.ended));
        return (!during).then(|| about(row, Kind::OutsideItsCall, says()).by([done.id]));
    }
    let can_explain = |confirm: &&&Operation| confirm.began <= confirmed_at && matches!(confirm.answer, Answer::Unknown(_));
    if confirms.iter().any(|confirm| can_explain(&confirm)) {
        return None;
    }
    let denied = |confirm: &&&Operation| confirm.began <= confirmed_at && confirmed_at <= confirm.ended;
    Some(match confirms.iter().find(denied) {
        Some(confirm) => {
            let says = format!("was confirmed at {told}, but {} was answered {:?}", named(confirm), confirm.answer);
            about(row, Kind::NotDoneButDone, says).by([confirm.id])
        }
        None => about(row, Kind::AskedByNobody, format!("was confirmed at {told}, when no confirm of it was under way")),
    })
}

/// The seats that a confirm names.
fn wanted(confirm: &Operation) -> Option<&Vec<u32>> {
    if let Call::Confirm { seats, .. } = &confirm.call { seats.as_ref() } else { None }
}

/// What was answered must be in the books, as it was answered.
fn answered_fault(booking: &Booking<'_>, row: Option<&BookingRow>) -> Option<Violation> {
    let (id, hold) = (booking.id, booking.hold);
    let fault = |kind, says: String| Some(Violation::new(kind, says).by([hold.id]).about([id]));
    let Some(row) = row else {
        return fault(Kind::HoldLost, format!("{} was answered with booking {id}, which is not in the books", named(hold)));
    };
    if row.user_name != Operation::user_name(hold.id) {
        let says = format!("{} was answered with booking {id}, which the books have for {}", named(hold), row.user_name);
        return fault(Kind::HoldAltered, says);
    }
    if booking.is_block {
        return None;
    }
    let extended = booking.amendments.iter().any(|amendment| amendment.event == StepKind::Extended);
    let (told, kept) = (booking.deadline, if extended { booking.deadline.earliest } else { row.expires_at });
    let same = told.earliest <= kept && kept <= told.latest;
    let says = || format!("booking {id} was answered to end at {}, but the books say {}", at(told.earliest), at(kept));
    if same { None } else { fault(Kind::HoldAltered, says()) }
}

/// What was seen CONFIRMED or FAILED must be so in the books.
fn final_state_fault(booking: &Booking<'_>, row: Option<&BookingRow>) -> Option<Violation> {
    let id = booking.id;
    let status = row.map(|row| row.status);
    // Its story says whether it had FAILED only before it was CONFIRMED.
    let failed_seen_by = booking.failed_seen_by.filter(|_| !row.is_some_and(BookingRow::was_reclaimed));
    let fault = |kind, says: String, by| Some(Violation::new(kind, says).by(by).about([id]));
    match (booking.sold_seen_by, failed_seen_by) {
        _ if booking.sale_was_cancelled() => None,
        (Some(sold), Some(failed)) => {
            let says = format!("booking {id} was CONFIRMED for operation {sold}, and FAILED for operation {failed}");
            fault(Kind::FinalStateChanged, says, vec![sold, failed])
        }
        (Some(sold), None) if status != Some(BookingStatus::Confirmed) => {
            let says = format!("operation {sold} was told that booking {id} is CONFIRMED; in the books it is {status:?}");
            fault(Kind::ConfirmLost, says, vec![sold])
        }
        (None, Some(failed)) if status == Some(BookingStatus::Confirmed) => {
            let says = format!("operation {failed} was told that booking {id} has FAILED; in the books it is CONFIRMED");
            fault(Kind::FinalStateChanged, says, vec![failed])
        }
        (Some(_) | None, Some(_) | None) => None,
    }
}
