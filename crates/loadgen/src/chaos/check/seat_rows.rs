//! The seats in the books: who had them when, and whether they add up.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::books::{BookingRow, Books, SeatRow, StepKind};
use super::super::history::{BookingStatus, History, Micros, SeatStatus};
use super::{Kind, Violation, at};

/// Checks that no two bookings had a seat at the same time, and that every seat is there and agrees with its booking.
pub(super) fn check(history: &History, books: &Books, violations: &mut Vec<Violation>) {
    let mut bookings: BTreeMap<(i64, u32), Vec<&BookingRow>> = BTreeMap::new();
    let mut tenures: BTreeMap<(i64, u32), Vec<Tenure<'_>>> = BTreeMap::new();
    for row in &books.bookings {
        for seat in &row.seats {
            bookings.entry((row.show_id, *seat)).or_default().push(row);
        }
        for (seat, tenure) in tenures_of(row) {
            tenures.entry((row.show_id, seat)).or_default().push(tenure);
        }
    }
    for (seat, tenures) in &mut tenures {
        tenures.sort_by_key(|tenure| (tenure.from, tenure.row.id));
        violations.extend(tenures.windows(2).filter_map(|pair| double_booking(*seat, &pair[0], &pair[1])));
    }
    let by_id: HashMap<i64, &BookingRow> = books.bookings.iter().map(|row| (row.id, row)).collect();
    for seat in &books.seats {
        let rows = bookings.get(&(seat.show_id, seat.number)).map_or(&[][..], Vec::as_slice);
        violations.extend(disagreement(seat, seat.booking_id.and_then(|id| by_id.get(&id).copied()), rows));
    }
    let seats: HashSet<(i64, u32)> = books.seats.iter().map(|seat| (seat.show_id, seat.number)).collect();
    for show in &history.shows {
        let missing: Vec<u32> = (1..=show.seats).filter(|number| !seats.contains(&(show.id, *number))).collect();
        let has = books.seats.iter().filter(|seat| seat.show_id == show.id).count();
        if !missing.is_empty() || has != show.seats as usize {
            let says = format!("show {} has {has} seats instead of {}; missing: {missing:?}", show.id, show.seats);
            violations.push(Violation::new(Kind::SeatsWrong, says));
        }
    }
}

/// When a booking gave its seats back.
const fn end(row: &BookingRow) -> Micros {
    match row.status {
        BookingStatus::Confirmed => Micros::MAX,
        BookingStatus::Pending | BookingStatus::Failed => row.expires_at,
    }
}

/// The time in which a booking had a seat.
pub(super) struct Tenure<'a> {
    pub(super) row: &'a BookingRow,
    pub(super) from: Micros,
    pub(super) until: Micros,
}

/// The seats that a booking had, and when.
pub(super) fn tenures_of(row: &BookingRow) -> Vec<(u32, Tenure<'_>)> {
    let mut since: BTreeMap<u32, Micros> = row.first_seats().iter().map(|seat| (*seat, row.created_at)).collect();
    let mut tenures = Vec::new();
    for step in &row.steps {
        // What is reclaimed had been lost at the deadline, as was a hold whose show was cancelled after that.
        let lost = step.event.gives_up() || step.event == StepKind::Reclaimed;
        let until = if lost && !step.was_sold { step.at.min(row.expires_at) } else { step.at };
        let given_up: Vec<u32> = since.keys().copied().filter(|seat| lost || !step.seats.contains(seat)).collect();
        for seat in given_up {
            let from = since.remove(&seat).unwrap_or(step.at);
            tenures.push((seat, Tenure { row, from, until }));
        }
        if matches!(step.event, StepKind::Changed | StepKind::Reclaimed) {
            for seat in &step.seats {
                since.entry(*seat).or_insert(step.at);
            }
        }
    }
    tenures.extend(since.into_iter().map(|(seat, from)| (seat, Tenure { row, from, until: end(row) })));
    tenures
}

fn double_booking((show_id, number): (i64, u32), first: &Tenure<'_>, second: &Tenure<'_>) -> Option<Violation> {
    let overlap = second.from < first.until;
    let (since, until, then) = (at(first.from), at(first.row.expires_at), at(second.from));
    let (first, second) = (first.row, second.row);
    let says = || {
        let (a, b, status) = (first.id, second.id, first.status);
        format!(
            "seat {number} of show {show_id} was booking {a}'s from {since}, held until {until} and now {status:?}, and at {then} became booking {b}'s"
        )
    };
    overlap.then(|| Violation::new(Kind::DoubleBooking, says()).about([first.id, second.id]))
}

/// A seat must say what its booking says; a free one must be nobody's.
fn disagreement(seat: &SeatRow, booking: Option<&BookingRow>, listing: &[&BookingRow]) -> Option<Violation> {
    let expected = match seat.status {
        SeatStatus::Available => None,
        SeatStatus::Pending => Some(BookingStatus::Pending),
        SeatStatus::Confirmed => Some(BookingStatus::Confirmed),
    };
    let lists = |row: &BookingRow| row.show_id == seat.show_id && row.seats.contains(&seat.number);
    let agrees = match (expected, booking) {
        (None, None) => seat.booking_id.is_none() && listing.iter().all(|row| row.status == BookingStatus::Failed),
        (Some(expected), Some(booking)) => booking.status == expected && lists(booking),
        (None, Some(_)) | (Some(_), None) => false,
    };
    let says = || {
        let SeatRow { show_id, number, status, booking_id } = seat;
        let stands: Vec<_> = listing.iter().map(|row| (row.id, row.status)).collect();
        format!(
            "seat {number} of show {show_id} is {status:?} with booking {booking_id:?}; the bookings that list it are {stands:?}"
        )
    };
    (!agrees).then(|| Violation::new(Kind::SeatsWrong, says()).about(seat.booking_id))
}
