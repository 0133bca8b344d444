//! Lies about a show that is cancelled.

use super::Falsification;
use crate::amended::step;
use crate::house::*;
use loadgen::chaos::books::{BookingRow, StepKind};
use loadgen::chaos::check::Kind;
use loadgen::chaos::history::BookingStatus::{Confirmed, Failed};
use loadgen::chaos::history::{Answer, NotDone, Operation, SeatStatus};

/// Lies about a show that is cancelled.
pub(crate) const CALLED_OFF: &[Falsification] = &[
    ("said to be cancelled and is not", |_, b| b.cancelled_shows.clear(), &[Kind::ShowNotCancelled]),
    (
        "cancelled although nobody asked for it",
        |h, _| operation(h, 26).answer = Answer::NotDone(NotDone::NotSent),
        &[Kind::ShowNotCancelled],
    ),
    (
        "refused as cancelled before it was",
        |h, _| (operation(h, 27).began, operation(h, 27).ended) = (answered_at(4480), answered_at(4490)),
        &[Kind::ShowNotCancelled],
    ),
    (
        "a booking that lives on",
        |_, b| {
            b.bookings[2].steps.pop();
            (b.bookings[2].status, b.bookings[2].confirmed_at) = (Confirmed, Some(booked_at(4345)));
            b.bookings[2].refund_due = false;
            (b.seats[2].status, b.seats[2].booking_id) = (SeatStatus::Confirmed, Some(3));
        },
        &[Kind::ShowNotCancelled],
    ),
    (
        "a hold after the show was cancelled",
        |h, b| {
            operation(h, 27).answer = held(7, 6525);
            let steps = vec![step(4525, StepKind::Held, &[7])];
            b.bookings.push(BookingRow { steps, ..row(7, 27, &[7], 4525, Failed, None) });
        },
        &[Kind::ShowNotCancelled],
    ),
    (
        "a hold after others had ended with the show, and nobody was told that it is cancelled",
        |h, b| {
            operation(h, 26).answer = Answer::Unknown(loadgen::chaos::history::Unknown::Lost);
            operation(h, 27).answer = held(7, 6525);
            let mut held = step(4525, StepKind::Held, &[7]);
            held.number = 1;
            b.bookings.push(BookingRow { steps: vec![held], ..row(7, 27, &[7], 4525, Failed, None) });
        },
        &[Kind::ShowNotCancelled],
    ),
    (
        "a booking that ended with a show that goes on",
        |h, b| {
            h.operations.truncate(25);
            b.cancelled_shows.clear();
        },
        &[Kind::ShowNotCancelled],
    ),
    (
        "sold although the show was cancelled",
        |h, _| {
            let sold = SeatStatus::Confirmed;
            operation(h, 30).answer = found(1, 1, 2005, Confirmed, &[(1, sold), (2, sold)]);
        },
        &[Kind::NotLinearizable],
    ),
    ("money of a cancelled show that is not owed", |_, b| b.bookings[4].refund_due = false, &[Kind::RefundWrong]),
    ("edited and called as before", |_, b| drop(b.show_names.insert(SHOW, "Chaos".into())), &[Kind::EditLost]),
    ("called as nobody was told", |_, b| drop(b.show_names.insert(SHOW, Operation::show_name(34))), &[Kind::EditLost]),
    (
        "called as an earlier edit wanted it",
        |h, _| (operation(h, 31).began, operation(h, 31).ended) = (answered_at(4595), answered_at(4605)),
        &[Kind::EditLost],
    ),
];
