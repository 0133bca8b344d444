//! Lists of bookings: newest first, and none left out.

use std::collections::HashSet;

use super::super::history::{Answer, BookingStatus, Call, History, ListedBooking, Operation};
use super::bookings::Bookings;
use super::{Kind, Violation, named};

/// Checks every list.
pub(super) fn check(history: &History, bookings: &Bookings<'_>, violations: &mut Vec<Violation>) {
    for operation in &history.operations {
        if let (Call::List { status, limit }, Answer::Bookings(listed)) = (&operation.call, &operation.answer) {
            violations.extend(fault(operation, (*status, *limit), listed, bookings));
        }
    }
}

fn fault(
    operation: &Operation,
    (status, limit): (Option<BookingStatus>, u32),
    listed: &[ListedBooking],
    bookings: &Bookings<'_>,
) -> Option<Violation> {
    let wrong = |kind, says: &str| Some(Violation::new(kind, format!("{} {says}", named(operation))).by([operation.id]));
    let is_full = listed.len() >= limit as usize;
    if listed.len() > limit as usize || !listed.windows(2).all(|pair| pair[0].id > pair[1].id) {
        return wrong(Kind::DoesNotFit, "was given a list that is too long or not newest first");
    }
    if let Some(status) = status {
        let all = listed.iter().all(|booking| booking.status == status);
        return if all { None } else { wrong(Kind::DoesNotFit, "was given bookings that stand otherwise than it asked for") };
    }
    // Nothing that was answered before can be missing; below the last of a full list nobody knows.
    let last = listed.last().filter(|_| is_full).map_or(i64::MIN, |last| last.id);
    let ids: HashSet<i64> = listed.iter().map(|booking| booking.id).collect();
    let missing = bookings.from(last).find(|booking| booking.known < operation.began && !ids.contains(&booking.id))?;
    let says = format!("was given a list without booking {}, which was known before", missing.id);
    Some(wrong(Kind::Missing, &says)?.about([missing.id]))
}
