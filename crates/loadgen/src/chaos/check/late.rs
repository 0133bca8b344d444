//! Confirms that came too late: where the show takes them, they get their seats again, if nobody has them.

use std::collections::HashMap;

use super::super::books::{BookingRow, Books, StepKind};
use super::super::history::{Answer, Call, History, Micros, Operation};
use super::seat_rows::{Tenure, tenures_of};
use super::{Kind, Violation, at};

/// Checks every booking that ran out and was asked for after that.
pub(super) fn check(history: &History, books: &Books, violations: &mut Vec<Violation>) {
    let takes_late = |row: &BookingRow| history.show(row.show_id).is_some_and(|show| show.late_confirm);
    let mut confirms: HashMap<i64, Vec<&Operation>> = HashMap::new();
    for operation in &history.operations {
        if let Call::Confirm { booking_id, .. } = operation.call {
            confirms.entry(booking_id).or_default().push(operation);
        }
    }
    let mut had: HashMap<(i64, u32), Vec<Tenure<'_>>> = HashMap::new();
    for row in &books.bookings {
        for (seat, tenure) in tenures_of(row) {
            had.entry((row.show_id, seat)).or_default().push(tenure);
        }
    }
    for row in &books.bookings {
        violations.extend(reclaimed_wrongly(row, takes_late(row)));
        // Of a cancelled show nobody gets anything.
        let is_played = |refused_at: &Micros| {
            let cancels = |operation: &&Operation| operation.call == Call::CancelShow { show_id: row.show_id };
            !history.operations.iter().filter(cancels).any(|cancel| cancel.began <= *refused_at)
        };
        if let Some(refused_at) = refused_at(row).filter(|refused_at| takes_late(row) && is_played(refused_at)) {
            let confirms = confirms.get(&row.id).map_or(&[][..], Vec::as_slice);
            violations.extend(refused_though_free(row, refused_at, confirms, &had));
        }
    }
}

/// Only what has run out, and whose money nobody owes, can be reclaimed; only after its deadline, and only where late confirms are taken.
fn reclaimed_wrongly(row: &BookingRow, takes_late: bool) -> Option<Violation> {
    let index = row.steps.iter().position(|step| step.event == StepKind::Reclaimed)?;
    let step = &row.steps[index];
    let before = &row.steps[..index];
    let ran_out = before
        .last()
        .is_some_and(|step| matches!(step.event, StepKind::Held | StepKind::Extended | StepKind::Changed | StepKind::Expired));
    let right = takes_late && ran_out && step.at >= row.expires_at && !row.is_block;
    let says = || {
        let (id, when, end, last) = (row.id, at(step.at), at(row.expires_at), before.last());
        format!(
            "booking {id} was reclaimed at {when}; its hold ended at {end}, its last step was {last:?}, its show takes late confirms: {takes_late}"
        )
    };
    (!right).then(|| Violation::new(Kind::ReclaimedWrongly, says()).about([row.id]))
}

/// When a late confirm of what had run out was refused for the first time, so that its money was owed from then on.
fn refused_at(row: &BookingRow) -> Option<Micros> {
    let pairs = row.steps.windows(2);
    let mut first = pairs.filter(|pair| pair[0].event == StepKind::Expired && pair[1].event == StepKind::RefundDue);
    first.next().map(|pair| pair[1].at)
}

/// Somebody must have had one of the seats that one of the confirms asked for that could have been refused then.
fn refused_though_free(
    row: &BookingRow,
    refused_at: Micros,
    confirms: &[&Operation],
    had: &HashMap<(i64, u32), Vec<Tenure<'_>>>,
) -> Option<Violation> {
    let is_taken = |seat: &u32| {
        let tenures = had.get(&(row.show_id, *seat)).map_or(&[][..], Vec::as_slice);
        // At the very instant others of the same batch may have come first, or later.
        tenures.iter().any(|other| other.row.id != row.id && other.from <= refused_at && refused_at <= other.until)
    };
    let could_be_it = |confirm: &&&Operation| {
        let ended = if matches!(confirm.answer, Answer::Unknown(_)) { Micros::MAX } else { confirm.ended };
        confirm.began <= refused_at && refused_at <= ended
    };
    let seats = |confirm: &Operation| match &confirm.call {
        Call::Confirm { seats: Some(seats), .. } => seats.clone(),
        _ => row.seats.clone(),
    };
    let refused: Vec<&Operation> = confirms.iter().filter(could_be_it).copied().collect();
    let taken = refused.iter().any(|confirm| seats(confirm).iter().any(is_taken));
    let says = || format!("booking {} was refused its seats at {}, when nobody had any of them", row.id, at(refused_at));
    // Without a call that asked for it, it is the refund that is wrong.
    let free = !taken && !refused.is_empty();
    free.then(|| Violation::new(Kind::RefusedThoughFree, says()).by(refused.iter().map(|it| it.id)).about([row.id]))
}
