//! A small house's history and books that are in order.
//!
//! Times are milliseconds after the house has opened; the books have 300 µs on top, which answers cut off.

use std::collections::BTreeMap;

use loadgen::chaos::books::{BookingRow, Books, SeatRow};
use loadgen::chaos::history::{
    Answer, BookingStatus, Call, FoundBooking, History, ListedBooking, MapSeat, Micros, NotDone, OffendingReason, OffendingSeat,
    Operation, Refusal, SeatStatus, Show, Unknown,
};

pub(crate) const SHOW: i64 = 7;
const OPENED: Micros = 1_900_000_000_000_000;
pub(crate) const HOLD_FOR: Micros = 2000;
const HOLD_LIMIT: Micros = 3000;

pub(crate) const fn answered_at(ms: Micros) -> Micros {
    OPENED + ms * 1000
}

pub(crate) const fn booked_at(ms: Micros) -> Micros {
    OPENED + ms * 1000 + 300
}

pub(crate) fn hold(seats: &[u32]) -> Call {
    Call::Hold { show_id: SHOW, seats: seats.to_vec() }
}

pub(crate) const fn confirm(booking_id: i64) -> Call {
    Call::Confirm { booking_id, pays: false, seats: None }
}

pub(crate) const fn find(booking_id: i64) -> Call {
    Call::Find { booking_id }
}

pub(crate) const fn held(booking_id: i64, until: Micros) -> Answer {
    Answer::Held { booking_id, expires_at: answered_at(until) }
}

pub(crate) const fn confirmed(booking_id: i64) -> Answer {
    Answer::Confirmed { booking_id, reclaimed: false }
}

pub(crate) const fn expired(at: Micros) -> Answer {
    Answer::Refused(Refusal::HoldExpired { expired_at: answered_at(at), refund_due: false })
}

pub(crate) fn not_free(seats: &[(u32, OffendingReason)]) -> Answer {
    let seats = seats.iter().map(|(number, reason)| OffendingSeat { number: *number, reason: *reason });
    Answer::Refused(Refusal::SeatsNotFree(seats.collect()))
}

pub(crate) const fn until(ms: Micros) -> OffendingReason {
    OffendingReason::Held { free_at: answered_at(ms) }
}

pub(crate) const fn not_pending(status: BookingStatus) -> Answer {
    Answer::Refused(Refusal::NotPending { status, refund_due: false })
}

/// Booking `id` as hold `operation` made it, and how it and its seats stand.
pub(crate) fn found(id: i64, operation: u64, until: Micros, status: BookingStatus, seats: &[(u32, SeatStatus)]) -> Answer {
    let (user_name, expires_at) = (Operation::user_name(operation), answered_at(until));
    Answer::Found(FoundBooking { id, show_id: SHOW, user_name, status, expires_at, seats: seats.to_vec() })
}

/// The seats from 1 on, each with its status and booking; booking 0 for none.
pub(crate) fn map(seats: &[(SeatStatus, i64)]) -> Answer {
    let seat = |(number, (status, id)): (u32, &(SeatStatus, i64))| MapSeat {
        number,
        status: *status,
        booking_id: (*id != 0).then_some(*id),
    };
    Answer::SeatMap((1..).zip(seats).map(seat).collect())
}

pub(crate) fn list(bookings: &[(i64, BookingStatus)]) -> Answer {
    Answer::Bookings(bookings.iter().map(|(id, status)| ListedBooking { id: *id, status: *status }).collect())
}

pub(crate) fn row(
    id: i64,
    hold: u64,
    seats: &[u32],
    created: Micros,
    status: BookingStatus,
    confirmed: Option<Micros>,
) -> BookingRow {
    let (user_name, seats) = (Operation::user_name(hold), seats.to_vec());
    let (created_at, expires_at) = (booked_at(created), booked_at(created + HOLD_FOR));
    BookingRow {
        id,
        show_id: SHOW,
        user_name,
        is_block: false,
        customer: Some(Operation::customer_id(1)),
        seats,
        status,
        refund_due: false,
        expires_at,
        confirmed_at: confirmed.map(booked_at),
        created_at,
        steps: Vec::new(),
    }
}

fn operations() -> Vec<(Micros, Micros, Call, Answer)> {
    use BookingStatus::{Confirmed, Failed, Pending};
    use SeatStatus::{Available, Confirmed as Sold, Pending as Held};
    let lost = Answer::Unknown(Unknown::Lost);
    let sold = OffendingReason::Sold;
    vec![
        // Booking 1 gets seats 1 and 2 and is confirmed.
        (0, 10, hold(&[1, 2]), held(1, 2005)),                 // 1
        (6, 20, hold(&[2, 3]), not_free(&[(2, until(2005))])), // 2
        // Booking 2 gets seat 3 and dies at 2025.
        (20, 30, hold(&[3]), held(2, 2025)), // 3
        (31, 35, Call::SeatMap { show_id: SHOW }, map(&[(Held, 1), (Held, 1), (Held, 2), (Available, 0)])), // 4
        (100, 110, confirm(1), confirmed(1)), // 5
        (120, 130, confirm(1), not_pending(Confirmed)), // 6
        (140, 150, find(1), found(1, 1, 2005, Confirmed, &[(1, Sold), (2, Sold)])), // 7
        (151, 160, hold(&[1]), not_free(&[(1, sold)])), // 8
        (200, 210, find(2), found(2, 3, 2025, Pending, &[(3, Held)])), // 9
        (2030, 2040, confirm(2), expired(2025)), // 10
        (2041, 2050, find(2), found(2, 3, 2025, Failed, &[(3, Available)])), // 11
        // Booking 3 takes it over, and is confirmed by a confirm that nobody was told of.
        (2060, 2070, hold(&[3]), held(3, 4065)),                      // 12
        (2100, 4100, confirm(3), Answer::Unknown(Unknown::TimedOut)), // 13
        (4200, 4210, hold(&[3]), not_free(&[(3, sold)])),             // 14
        // Booking 4 gets seat 4, and nobody was told of that. It dies at 6225.
        (4220, 4230, hold(&[4]), lost.clone()), // 15
        (4240, 4250, Call::List { status: None, limit: 3 }, list(&[(4, Pending), (3, Confirmed), (2, Failed)])), // 16
        (4260, 4262, hold(&[4]), Answer::NotDone(NotDone::Declined("busy".into()))), // 17
        (4300, 4310, confirm(4), Answer::NotDone(NotDone::NotSent)), // 18
        (4320, 4330, hold(&[4]), not_free(&[(4, until(6225))])), // 19
        (4340, 4350, hold(&[4, 5]), not_free(&[(4, until(6225)), (5, OffendingReason::Unknown)])), // 20
        (6300, 6310, find(4), found(4, 15, 6225, Failed, &[(4, Available)])), // 21
        // Never happened.
        (6320, 6330, hold(&[4]), lost), // 22
        (6400, 6410, Call::SeatMap { show_id: SHOW }, map(&[(Sold, 1), (Sold, 1), (Sold, 3), (Available, 0)])), // 23
        (6420, 6430, Call::List { status: Some(Failed), limit: 9 }, list(&[(4, Failed), (2, Failed)])), // 24
        (6440, 6450, Call::List { status: None, limit: 9 }, list(&[(4, Failed), (3, Confirmed), (2, Failed), (1, Confirmed)])), // 25
        // Too late to change anything.
        (6460, 6470, confirm(3), Answer::Unknown(Unknown::Lost)),
    ]
}

/// A history that is in order. Operations count from 1.
pub(crate) fn history() -> History {
    let operation = |(id, (began, ended, call, answer))| Operation {
        id,
        customer: 1,
        server: 0,
        key: None,
        began: answered_at(began),
        ended: answered_at(ended),
        call,
        answer,
        replayed: false,
    };
    let operations = (1..).zip(operations()).map(operation).collect();
    History {
        operations,
        shows: vec![Show { id: SHOW, seats: 4, late_confirm: false, limits: None }],
        hold_for: HOLD_FOR * 1000,
        hold_limit: HOLD_LIMIT * 1000,
    }
}

/// Its books.
pub(crate) fn books() -> Books {
    use BookingStatus::{Confirmed, Failed};
    let seat = |(number, (status, booking_id))| SeatRow { show_id: SHOW, number, status, booking_id };
    let seats = [
        (SeatStatus::Confirmed, Some(1)),
        (SeatStatus::Confirmed, Some(1)),
        (SeatStatus::Confirmed, Some(3)),
        (SeatStatus::Available, None),
    ];
    Books {
        bookings: vec![
            row(1, 1, &[1, 2], 5, Confirmed, Some(105)),
            row(2, 3, &[3], 25, Failed, None),
            row(3, 12, &[3], 2065, Confirmed, Some(2110)),
            row(4, 15, &[4], 4225, Failed, None),
        ],
        seats: (1..).zip(seats).map(seat).collect(),
        payments: Vec::new(),
        cancelled_shows: BTreeMap::new(),
        show_names: BTreeMap::new(),
    }
}

/// An operation by its identity.
pub(crate) fn operation(history: &mut History, id: usize) -> &mut Operation {
    &mut history.operations[id - 1]
}

/// One more operation at the end of a history; its identity.
pub(crate) fn add(history: &mut History, (began, ended): (Micros, Micros), call: Call, answer: Answer) -> u64 {
    let id = history.operations.len() as u64 + 1;
    let (began, ended) = (answered_at(began), answered_at(ended));
    history.operations.push(Operation { id, customer: 1, server: 1, key: None, began, ended, call, answer, replayed: false });
    id
}
