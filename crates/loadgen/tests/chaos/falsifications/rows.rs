//! Books that do not fit the answers.

use super::Falsification;
use crate::house::*;
use loadgen::chaos::books::PaymentRow;
use loadgen::chaos::check::Kind;
use loadgen::chaos::history::BookingStatus::{Confirmed, Failed};
use loadgen::chaos::history::{Answer, Call, History, NotDone, Operation, Refusal, SeatStatus, Unknown};

/// Books that do not fit the answers.
pub(crate) const ROWS: &[Falsification] = &[
    (
        "an answered hold is not there",
        |h, b| {
            h.operations.truncate(24);
            b.bookings.remove(1);
        },
        &[Kind::HoldLost],
    ),
    (
        "an answered confirm is not there",
        |_, b| {
            (b.bookings[0].status, b.bookings[0].confirmed_at) = (Failed, None);
            for seat in &mut b.seats[..2] {
                (seat.status, seat.booking_id) = (SeatStatus::Available, None);
            }
        },
        &[Kind::ConfirmLost],
    ),
    (
        "a booking seen FAILED is CONFIRMED",
        |h, b| {
            operation(h, 10).call = confirm(4);
            operation(h, 10).answer = Answer::NotDone(NotDone::NotSent);
            operation(h, 18).answer = Answer::Unknown(Unknown::Lost);
            (b.bookings[3].status, b.bookings[3].confirmed_at) = (Confirmed, Some(booked_at(4305)));
            (b.seats[3].status, b.seats[3].booking_id) = (SeatStatus::Confirmed, Some(4));
        },
        &[Kind::FinalStateChanged],
    ),
    ("for another customer", |_, b| b.bookings[1].user_name = "op-22".into(), &[Kind::HoldAltered, Kind::IdGivenTwice]),
    ("other seats", |_, b| b.bookings[1].seats = vec![4], &[Kind::HoldAltered]),
    ("another deadline", |_, b| b.bookings[1].expires_at += 1000, &[Kind::HoldAltered, Kind::DeadlineWrong]),
    ("a hold that was declined", |_, b| b.bookings.push(row(5, 17, &[4], 6300, Failed, None)), &[Kind::NotDoneButDone]),
    (
        "a hold that was refused",
        |_, b| b.bookings.push(row(5, 14, &[3], 6300, Failed, None)),
        &[Kind::NotDoneButDone, Kind::NotLinearizable, Kind::DoubleBooking],
    ),
    (
        "a confirm that was not sent",
        |_, b| {
            (b.bookings[3].status, b.bookings[3].confirmed_at) = (Confirmed, Some(booked_at(4305)));
            (b.seats[3].status, b.seats[3].booking_id) = (SeatStatus::Confirmed, Some(4));
        },
        &[Kind::NotDoneButDone, Kind::FinalStateChanged],
    ),
    (
        "a confirm that nobody asked for",
        |h, b| {
            operation(h, 21).answer = Answer::NotDone(NotDone::NotSent);
            (b.bookings[3].status, b.bookings[3].confirmed_at) = (Confirmed, Some(booked_at(5000)));
            (b.seats[3].status, b.seats[3].booking_id) = (SeatStatus::Confirmed, Some(4));
        },
        &[Kind::AskedByNobody],
    ),
    (
        "a hold that nobody asked for",
        |_, b| {
            b.bookings.push(row(5, 99, &[4], 8000, Failed, None));
        },
        &[Kind::AskedByNobody],
    ),
    ("a hold that was a confirm", |_, b| b.bookings.push(row(5, 13, &[4], 8000, Failed, None)), &[Kind::AskedByNobody]),
    ("a hold made twice", |_, b| b.bookings.push(row(5, 15, &[4], 8000, Failed, None)), &[Kind::HeldTwice]),
    ("one id twice", |_, b| b.bookings.push(row(4, 22, &[4], 8000, Failed, None)), &[Kind::IdGivenTwice]),
    (
        "made before it was asked for",
        |h, b| {
            b.bookings[3] = row(4, 15, &[4], 4219, Failed, None);
            h.operations.truncate(16);
        },
        &[Kind::OutsideItsCall],
    ),
    (
        "made after it was answered",
        |h, _| operation(h, 1).ended = answered_at(4),
        &[Kind::OutsideItsCall, Kind::DeadlineWrong, Kind::NotLinearizable],
    ),
    ("confirmed before it was asked for", |_, b| b.bookings[0].confirmed_at = Some(booked_at(99)), &[Kind::OutsideItsCall]),
    ("confirmed after it was answered", |_, b| b.bookings[0].confirmed_at = Some(booked_at(111)), &[Kind::OutsideItsCall]),
    ("confirmed at the deadline", |_, b| b.bookings[2].confirmed_at = Some(booked_at(4065)), &[Kind::ConfirmedTooLate]),
    (
        // Answers are cut to the millisecond, so this one only the books can show.
        "a seat taken a microsecond before its hold ended",
        |h, b| {
            h.operations.truncate(20);
            let id = add(h, (6220, 6230), hold(&[4]), held(5, 8225));
            b.bookings.push(row(5, id, &[4], 6225, Failed, None));
            b.bookings[4].created_at -= 1;
            b.bookings[4].expires_at -= 1;
        },
        &[Kind::DoubleBooking, Kind::NotLinearizable],
    ),
    (
        "a sold seat that is free",
        |_, b| (b.seats[2].status, b.seats[2].booking_id) = (SeatStatus::Available, None),
        &[Kind::SeatsWrong],
    ),
    ("a seat of another booking", |_, b| b.seats[2].booking_id = Some(1), &[Kind::SeatsWrong]),
    ("a seat of no booking", |_, b| b.seats[2].booking_id = Some(77), &[Kind::SeatsWrong]),
    (
        "a seat of a failed booking",
        |_, b| (b.seats[3].status, b.seats[3].booking_id) = (SeatStatus::Pending, Some(4)),
        &[Kind::SeatsWrong],
    ),
    (
        "a seat is missing",
        |_, b| {
            b.seats.pop();
        },
        &[Kind::SeatsWrong],
    ),
    ("a payment that nobody named", |_, b| b.payments.push(payment("pay-99", 1, false)), &[Kind::PaymentWrong]),
    ("a payment that is not kept", |h, _| drop(pays(h, 5)), &[Kind::PaymentWrong]),
    (
        "a payment that has bought something, and is in vain",
        |h, b| b.payments.push(payment(&pays(h, 5), 1, true)),
        &[Kind::PaymentWrong, Kind::RefundWrong],
    ),
    (
        "a payment that is kept for another booking",
        |h, b| b.payments.push(payment(&pays(h, 5), 2, false)),
        &[Kind::PaymentWrong, Kind::RefundWrong],
    ),
    (
        "a payment that is kept since another time",
        |h, b| {
            let named = pays(h, 5);
            b.payments.push(PaymentRow { recorded_at: booked_at(111), ..payment(&named, 1, false) });
        },
        &[Kind::PaymentWrong, Kind::RefundWrong],
    ),
    (
        "a payment that is kept twice",
        |h, b| {
            let named = pays(h, 5);
            b.payments.extend([payment(&named, 1, false), payment(&named, 1, false)]);
        },
        &[Kind::PaymentWrong, Kind::RefundWrong],
    ),
    (
        "a payment for nothing that is not in vain",
        |h, b| {
            b.payments.push(payment(&pays(h, 6), 1, false));
            operation(h, 6).answer = Answer::Refused(Refusal::NotPending { status: Confirmed, refund_due: true });
        },
        &[Kind::PaymentWrong],
    ),
    (
        "money to give back that nobody has paid",
        |h, _| operation(h, 6).answer = Answer::Refused(Refusal::NotPending { status: Confirmed, refund_due: true }),
        &[Kind::RefundWrong],
    ),
    ("nothing to give back of what was paid in vain", |h, _| drop(pays(h, 6)), &[Kind::RefundWrong]),
];

fn payment(reference: &str, booking_id: i64, in_vain: bool) -> PaymentRow {
    // While the first confirm of booking 1 is decided, and the second one.
    let recorded_at = booked_at(if in_vain { 125 } else { 105 });
    PaymentRow { reference: reference.to_owned(), booking_id, in_vain, recorded_at }
}

/// Lets this confirm of booking 1 name a payment: how it is named.
fn pays(history: &mut History, id: usize) -> String {
    operation(history, id).call = Call::Confirm { booking_id: 1, pays: true, seats: None };
    Operation::payment(id as u64)
}
