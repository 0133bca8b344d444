//! Another small house, which takes late confirms and limits its customers, of whom there is one: what runs out is had again, some seats
//! are confirmed, and the house keeps some.

use std::collections::BTreeMap;

use crate::amended::{cancel, cancelled, step};
use crate::house::*;
use loadgen::chaos::books::{BookingRow, Books, PaymentRow, SeatRow, Step, StepKind};
use loadgen::chaos::history::BookingStatus::{Confirmed, Failed};
use loadgen::chaos::history::{
    Answer, BookingStatus, Call, History, Limits, Micros, OffendingReason, Operation, Refusal, SeatStatus, Show, Unknown,
};

pub(crate) fn block(seats: &[u32]) -> Call {
    Call::Block { show_id: SHOW, seats: seats.to_vec() }
}

pub(crate) const fn pays(booking_id: i64) -> Call {
    Call::Confirm { booking_id, pays: true, seats: None }
}

pub(crate) fn some(booking_id: i64, pays: bool, seats: &[u32]) -> Call {
    Call::Confirm { booking_id, pays, seats: Some(seats.to_vec()) }
}

pub(crate) const fn reclaimed(booking_id: i64) -> Answer {
    Answer::Confirmed { booking_id, reclaimed: true }
}

pub(crate) const fn too_late(at: Micros) -> Answer {
    Answer::Refused(Refusal::HoldExpired { expired_at: answered_at(at), refund_due: true })
}

pub(crate) fn paid(operation: u64, booking_id: i64, at: Micros, in_vain: bool) -> PaymentRow {
    PaymentRow { reference: Operation::payment(operation), booking_id, in_vain, recorded_at: booked_at(at) }
}

pub(crate) fn of_sale(step: Step) -> Step {
    Step { was_sold: true, ..step }
}

pub(crate) fn history() -> History {
    use SeatStatus::{Confirmed as Sold, Pending as Held};
    let show = Show { id: SHOW, seats: 7, late_confirm: true, limits: Some(Limits { seats: 6, holds: 2 }) };
    let mut history = History { operations: Vec::new(), shows: vec![show], ..crate::house::history() };
    let sold = OffendingReason::Sold;
    let refused = Answer::Refused;
    let calls = [
        // Booking 1 runs out, and is had again.
        ((0, 10), hold(&[1, 2]), held(1, 2005)),                                        // 1
        ((20, 30), hold(&[3]), held(2, 2025)),                                          // 2
        ((2030, 2040), pays(1), reclaimed(1)),                                          // 3
        ((2041, 2050), find(1), found(1, 1, 2005, Confirmed, &[(1, Sold), (2, Sold)])), // 4
        // Booking 2 has lost its seat to booking 3: its money is owed, and what is paid after that.
        ((2051, 2060), hold(&[3]), held(3, 4055)),  // 5
        ((2070, 2080), confirm(2), too_late(2025)), // 6
        ((2090, 2100), pays(2), too_late(2025)),    // 7
        // The house keeps seat 4 for a while.
        ((2110, 2120), block(&[4]), Answer::Blocked { booking_id: 4 }), // 8
        ((2130, 2140), hold(&[4]), not_free(&[(4, sold)])),             // 9
        ((2150, 2160), cancel(4, false), refused(Refusal::SaleIsFinal)), // 10
        ((2161, 2165), pays(4), not_pending(Confirmed)),                // 11
        ((2170, 2180), cancel(4, true), cancelled(4, false)),           // 12
        // Booking 5 takes two of its three seats.
        ((2190, 2200), hold(&[4, 5, 6]), held(5, 4195)), // 13
        ((2210, 2220), some(5, false, &[3, 5]), not_free(&[(3, OffendingReason::NotHad)])), // 14
        ((2230, 2240), some(5, true, &[5, 6]), confirmed(5)), // 15
        ((2250, 2260), hold(&[4]), held(6, 4255)),       // 16
        (
            (2270, 2280),
            Call::SeatMap { show_id: SHOW },
            map(&[(Sold, 1), (Sold, 1), (Held, 3), (Held, 6), (Sold, 5), (Sold, 5), (SeatStatus::Available, 0)]),
        ), // 17
        // Booking 6 is had again, and nobody was told so; booking 3 is, and then paid for once more.
        ((4300, 4310), some(6, false, &[4]), Answer::Unknown(Unknown::TimedOut)), // 18
        ((4320, 4330), find(6), found(6, 16, 4255, Confirmed, &[(4, Sold)])),     // 19
        ((4340, 4350), pays(3), reclaimed(3)),                                    // 20
        ((4360, 4370), pays(3), refused(Refusal::NotPending { status: BookingStatus::Confirmed, refund_due: true })), // 21
        // The house keeps seats 5 and 6 no more than anyone whose seats are sold.
        ((4380, 4390), block(&[5, 6]), not_free(&[(5, sold), (6, sold)])), // 22
        // While there were two holds, of three seats.
        ((40, 50), hold(&[4, 5]), refused(Refusal::CustomerLimit { max: 2, has: None })), // 23
        ((60, 70), hold(&[4, 5, 6, 7]), refused(Refusal::CustomerLimit { max: 6, has: Some(3) })), // 24
        // Whoever changes a booking, it counts for its customer.
        (
            (80, 90),
            Call::Change { booking_id: 2, add: vec![4, 5, 6, 7], remove: vec![] },
            refused(Refusal::CustomerLimit { max: 6, has: Some(3) }),
        ), // 25
    ];
    for (when, call, answer) in calls {
        add(&mut history, when, call, answer);
    }
    operation(&mut history, 25).customer = 2;
    history
}

pub(crate) fn books() -> Books {
    use StepKind::{Blocked, Cancelled, Confirmed as Sold, Expired, Held, Reclaimed, RefundDue};
    let with = |row: BookingRow, steps: &[(Micros, StepKind)]| {
        let steps = steps.iter().map(|(at, event)| step(*at, *event, &row.seats)).collect();
        BookingRow { steps, ..row }
    };
    let second = BookingRow { refund_due: true, ..row(2, 2, &[3], 25, Failed, None) };
    let mut third = with(row(3, 5, &[3], 2055, Confirmed, Some(4345)), &[(2055, Held), (4060, Expired), (4345, Reclaimed)]);
    third.steps.push(of_sale(step(4365, RefundDue, &[3])));
    let fourth =
        BookingRow { is_block: true, customer: None, expires_at: booked_at(2115) + 1, ..row(4, 8, &[4], 2115, Failed, None) };
    let mut fourth = with(fourth, &[(2115, Blocked)]);
    fourth.steps.push(of_sale(step(2175, Cancelled, &[4])));
    let mut fifth = with(row(5, 13, &[5, 6], 2195, Confirmed, Some(2235)), &[(2195, Held), (2235, Sold)]);
    fifth.steps[0].seats = vec![4, 5, 6];
    let seat = |(number, booking_id): (u32, i64)| {
        let (status, booking_id) =
            if booking_id == 0 { (SeatStatus::Available, None) } else { (SeatStatus::Confirmed, Some(booking_id)) };
        SeatRow { show_id: SHOW, number, status, booking_id }
    };
    Books {
        bookings: vec![
            with(row(1, 1, &[1, 2], 5, Confirmed, Some(2035)), &[(5, Held), (2010, Expired), (2035, Reclaimed)]),
            with(second, &[(25, Held), (2055, Expired), (2075, RefundDue), (2095, RefundDue)]),
            third,
            fourth,
            fifth,
            with(row(6, 16, &[4], 2255, Confirmed, Some(4305)), &[(2255, Held), (4305, Reclaimed)]),
        ],
        seats: (1..).zip([1, 1, 3, 6, 5, 5, 0]).map(seat).collect(),
        cancelled_shows: BTreeMap::new(),
        show_names: BTreeMap::new(),
        payments: vec![
            paid(3, 1, 2035, false),
            paid(7, 2, 2095, true),
            paid(15, 5, 2235, false),
            paid(20, 3, 4345, false),
            paid(21, 3, 4365, true),
        ],
    }
}
