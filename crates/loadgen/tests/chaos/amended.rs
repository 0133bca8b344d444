//! More of the small house's history: what was held is kept longer, changed and given up, under keys.

use crate::house::*;
use loadgen::chaos::books::{BookingRow, Books, Step, StepKind};
use loadgen::chaos::history::BookingStatus::{Failed, Pending};
use loadgen::chaos::history::{Answer, Call, History, Micros, OffendingReason, Refusal, SeatStatus, Unknown};

pub(crate) const fn cancel(booking_id: i64, by_house: bool) -> Call {
    Call::Cancel { booking_id, by_house }
}

pub(crate) const fn cancelled(booking_id: i64, refund_due: bool) -> Answer {
    Answer::Cancelled { booking_id, refund_due }
}

pub(crate) const fn extended(booking_id: i64, until: Micros) -> Answer {
    Answer::Extended { booking_id, expires_at: answered_at(until) }
}

pub(crate) fn changed(booking_id: i64, seats: &[u32], until: Micros) -> Answer {
    Answer::Changed { booking_id, seats: seats.to_vec(), expires_at: answered_at(until) }
}

pub(crate) fn step(at: Micros, event: StepKind, seats: &[u32]) -> Step {
    Step { number: 0, at: booked_at(at), event, was_sold: false, seats: seats.to_vec() }
}

fn sale_cancelled(at: Micros, seats: &[u32]) -> Step {
    Step { was_sold: true, ..step(at, StepKind::Cancelled, seats) }
}

/// The house's history, and after it what was amended, from operation 27 on.
pub(crate) fn history() -> History {
    let mut history = crate::house::history();
    let extend = |booking_id| Call::Extend { booking_id };
    let change = Call::Change { booking_id: 6, add: vec![3], remove: vec![4] };
    let free = SeatStatus::Available;
    let refused = Answer::Refused;
    let calls = [
        // Booking 5 gets seat 4, is asked for twice, lives as long as it can, is sold and given back.
        ((6500, 6510), Some(27), hold(&[4]), held(5, 8505)),
        ((6511, 6515), Some(27), hold(&[4]), held(5, 8505)),
        ((7000, 7010), Some(29), extend(5), Answer::Unknown(Unknown::Lost)),
        ((7020, 7030), Some(29), extend(5), extended(5, 9005)),
        ((7040, 7050), Some(29), cancel(5, false), refused(Refusal::KeyReused)),
        ((8600, 8610), None, extend(5), extended(5, 9505)),
        ((8620, 8630), None, extend(5), refused(Refusal::HoldLimit { expires_at: answered_at(9505) })),
        ((8640, 8650), None, find(5), found(5, 27, 9505, Pending, &[(4, SeatStatus::Pending)])),
        ((8700, 8710), None, confirm(5), crate::house::confirmed(5)),
        ((8720, 8730), None, cancel(5, false), refused(Refusal::SaleIsFinal)),
        ((8731, 8740), None, hold(&[4]), not_free(&[(4, OffendingReason::Sold)])),
        ((8800, 8810), None, cancel(5, true), cancelled(5, true)),
        ((8820, 8830), None, cancel(5, false), cancelled(5, true)),
        // Booking 6 gets seat 4, and changes it for that of booking 3, which is given back.
        ((8900, 8910), None, hold(&[4]), held(6, 10_905)),
        ((8911, 8920), None, cancel(3, true), cancelled(3, true)),
        ((9000, 9010), None, change, changed(6, &[3], 10_905)),
        // Booking 7 gets seat 4 and gives it up.
        ((9020, 9030), None, hold(&[4]), held(7, 11_025)),
        ((9100, 9110), None, cancel(7, false), cancelled(7, false)),
        (
            (9120, 9130),
            None,
            Call::SeatMap { show_id: SHOW },
            map(&[(SeatStatus::Confirmed, 1), (SeatStatus::Confirmed, 1), (SeatStatus::Pending, 6), (free, 0)]),
        ),
        ((9140, 9150), None, find(5), found(5, 27, 9505, Failed, &[(4, free)])),
        ((9160, 9170), None, confirm(7), not_pending(Failed)),
    ];
    for (when, key, call, answer) in calls {
        add(&mut history, when, call, answer);
        history.operations.last_mut().unwrap().key = key;
    }
    for repeat in [28, 30] {
        operation(&mut history, repeat).replayed = true;
    }
    history
}

/// Its books.
pub(crate) fn books() -> Books {
    let mut books = crate::house::books();
    let held = |at, seats: &[u32]| step(at, StepKind::Held, seats);
    let with = |row: BookingRow, steps: Vec<Step>| BookingRow { steps, ..row };
    let confirmed = |at, seats: &[u32]| step(at, StepKind::Confirmed, seats);
    let extended = |at| step(at, StepKind::Extended, &[4]);
    let given_back = |row: BookingRow| BookingRow { refund_due: true, ..row };
    let third = given_back(row(3, 12, &[3], 2065, Failed, None));
    books.bookings[2] = with(third, vec![held(2065, &[3]), confirmed(2110, &[3]), sale_cancelled(8915, &[3])]);
    let sold = vec![held(6505, &[4]), extended(7005), extended(8605), confirmed(8705, &[4]), sale_cancelled(8805, &[4])];
    let fifth = BookingRow { expires_at: booked_at(9505), ..given_back(row(5, 27, &[4], 6505, Failed, None)) };
    let sixth = row(6, 40, &[3], 8905, Pending, None);
    let seventh = row(7, 43, &[4], 9025, Failed, None);
    books.bookings.push(with(fifth, sold));
    books.bookings.push(with(sixth, vec![held(8905, &[4]), step(9005, StepKind::Changed, &[3])]));
    books.bookings.push(with(seventh, vec![held(9025, &[4]), step(9105, StepKind::Cancelled, &[4])]));
    (books.seats[2].status, books.seats[2].booking_id) = (SeatStatus::Pending, Some(6));
    books
}
