//! The end of the house that takes late confirms: its show is cancelled.

use crate::amended::{cancel, cancelled, step};
use crate::house::*;
use crate::late::of_sale;
use loadgen::chaos::books::{Books, StepKind};
use loadgen::chaos::history::BookingStatus::{Confirmed, Failed};
use loadgen::chaos::history::{Answer, Call, History, NotDone, Operation, Refusal, SeatStatus, Unknown};

pub(crate) fn history() -> History {
    let free = SeatStatus::Available;
    let mut history = crate::late::history();
    let calls = [
        ((4500, 4510), Call::CancelShow { show_id: SHOW }, Answer::ShowCancelled), // 26
        ((4520, 4530), hold(&[7]), Answer::Refused(Refusal::ShowCancelled)),       // 27
        ((4540, 4550), confirm(6), not_pending(Failed)),                           // 28
        ((4560, 4570), cancel(5, false), cancelled(5, true)),                      // 29
        ((4580, 4590), find(1), found(1, 1, 2005, Failed, &[(1, free), (2, free)])), // 30
        // And called something else.
        ((4600, 4620), Call::EditShow { show_id: SHOW }, Answer::ShowEdited), // 31
        ((4610, 4630), Call::EditShow { show_id: SHOW }, Answer::ShowEdited), // 32
        ((4700, 4710), Call::EditShow { show_id: SHOW }, Answer::Unknown(Unknown::Lost)), // 33
        ((4720, 4730), Call::EditShow { show_id: SHOW }, Answer::NotDone(NotDone::NotSent)), // 34
        // The cancel of the show was cut short: the last booking's end is not committed yet.
        ((4511, 4512), find(6), found(6, 16, 4255, Confirmed, &[(4, SeatStatus::Confirmed)])), // 35
    ];
    for (when, call, answer) in calls {
        add(&mut history, when, call, answer);
    }
    history
}

pub(crate) fn books() -> Books {
    let mut books = crate::late::books();
    books.cancelled_shows.insert(SHOW, booked_at(4503));
    books.show_names.insert(SHOW, Operation::show_name(31));
    for (at, row) in (4504..).zip(books.bookings.iter_mut().filter(|row| row.status == Confirmed)) {
        (row.status, row.confirmed_at, row.refund_due) = (Failed, None, true);
        row.steps.push(of_sale(step(at, StepKind::ShowCancelled, &row.seats)));
    }
    for seat in &mut books.seats {
        (seat.status, seat.booking_id) = (SeatStatus::Available, None);
    }
    books
}
