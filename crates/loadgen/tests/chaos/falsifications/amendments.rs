//! Lies about what became of a hold, and about repeats.

use super::Falsification;
use crate::amended::*;
use crate::house::*;
use loadgen::chaos::books::StepKind;
use loadgen::chaos::check::Kind;
use loadgen::chaos::history::BookingStatus::{Failed, Pending};
use loadgen::chaos::history::{Answer, Call, NotDone, Refusal, SeatStatus, Unknown};

/// Lies about what became of a hold, and about repeats.
pub(crate) const AMENDMENTS: &[Falsification] = &[
    ("a repeat answered with another booking", |h, _| operation(h, 28).answer = held(9, 8505), &[Kind::RepeatAnsweredOtherwise]),
    ("a repeat refused", |h, _| operation(h, 28).answer = not_free(&[(4, until(8505))]), &[Kind::RepeatAnsweredOtherwise]),
    ("a repeat that is not said to be one", |h, _| operation(h, 28).replayed = false, &[Kind::NotReplayed]),
    ("a first answer that is said to be a repeat's", |h, _| operation(h, 27).replayed = true, &[Kind::NotReplayed]),
    ("a call that nobody had made before, said to be a repeat", |h, _| operation(h, 32).replayed = true, &[Kind::NotReplayed]),
    (
        "a 500 for a repeat",
        |h, _| operation(h, 28).answer = Answer::Unknown(Unknown::Unforeseen("500".into())),
        &[Kind::Unforeseen],
    ),
    (
        "a repeat that books again",
        |h, b| {
            operation(h, 28).answer = held(8, 8513);
            b.bookings.push(row(8, 27, &[4], 6513, Failed, None));
        },
        &[Kind::DoubleBooking, Kind::HeldTwice, Kind::HoldAltered, Kind::RepeatAnsweredOtherwise],
    ),
    (
        "another request under a used key served",
        |h, _| operation(h, 31).answer = cancelled(5, true),
        &[Kind::AmendmentLost, Kind::KeyServedTwo, Kind::NotLinearizable],
    ),
    (
        "another request under a used key done, and nobody was told",
        |h, b| {
            h.operations.truncate(42);
            b.bookings.truncate(6);
            operation(h, 31).call = cancel(6, false);
            (operation(h, 31).answer, operation(h, 31).began) = (Answer::Unknown(Unknown::Lost), answered_at(9011));
            operation(h, 31).ended = answered_at(9100);
            b.bookings[5].steps.push(step(9050, StepKind::Cancelled, &[3]));
            b.bookings[5].status = Failed;
            (b.seats[2].status, b.seats[2].booking_id) = (SeatStatus::Available, None);
        },
        &[Kind::NotDoneButDone],
    ),
    (
        "a key said to be used that is not",
        |h, _| operation(h, 33).answer = Answer::Refused(Refusal::KeyReused),
        &[Kind::DoesNotFit],
    ),
    (
        "an extension that is not there",
        |_, b| {
            b.bookings[4].steps.remove(2);
            b.bookings[4].expires_at = booked_at(9005);
        },
        &[Kind::AmendmentLost, Kind::DoesNotFit],
    ),
    ("an extension to another time", |h, _| operation(h, 32).answer = extended(5, 9506), &[Kind::DeadlineWrong]),
    (
        "an extension longer than allowed",
        |h, b| {
            operation(h, 32).answer = extended(5, 10_605);
            b.bookings[4].expires_at = booked_at(10_605);
        },
        &[Kind::DeadlineWrong],
    ),
    ("an extension declined", |h, _| operation(h, 32).answer = Answer::NotDone(NotDone::NotSent), &[Kind::NotDoneButDone]),
    ("an extension that nobody asked for", |h, _| operation(h, 32).call = find(5), &[Kind::AskedByNobody, Kind::DoesNotFit]),
    (
        "refused for another limit",
        |h, _| operation(h, 33).answer = Answer::Refused(Refusal::HoldLimit { expires_at: answered_at(9005) }),
        &[Kind::DoesNotFit],
    ),
    (
        "an old deadline shown",
        |h, _| operation(h, 34).answer = found(5, 27, 9005, Pending, &[(4, SeatStatus::Pending)]),
        &[Kind::DoesNotFit],
    ),
    (
        "free at a deadline that was extended",
        |h, _| {
            let free = (SeatStatus::Available, 0);
            operation(h, 34).call = Call::SeatMap { show_id: SHOW };
            operation(h, 34).answer =
                map(&[(SeatStatus::Confirmed, 1), (SeatStatus::Confirmed, 1), (SeatStatus::Confirmed, 3), free]);
        },
        &[Kind::NotLinearizable],
    ),
    ("a cancellation that is not there", |_, b| drop(b.bookings[6].steps.pop()), &[Kind::AmendmentLost, Kind::NotLinearizable]),
    (
        "a cancellation of another booking",
        |h, _| operation(h, 44).answer = cancelled(6, false),
        &[Kind::DoesNotFit, Kind::NotLinearizable],
    ),
    ("a refund for a hold", |h, _| operation(h, 44).answer = cancelled(7, true), &[Kind::DoesNotFit]),
    ("a sale cancelled by its customer", |h, _| operation(h, 38).call = cancel(5, false), &[Kind::AskedByNobody]),
    (
        "a cancellation that was declined",
        |h, _| operation(h, 44).answer = Answer::NotDone(NotDone::NotSent),
        &[Kind::NotDoneButDone],
    ),
    (
        "a cancellation that nobody asked for",
        |_, b| {
            b.bookings[5].steps.push(step(9200, StepKind::Cancelled, &[3]));
            b.bookings[5].status = Failed;
            (b.seats[2].status, b.seats[2].booking_id) = (SeatStatus::Available, None);
        },
        &[Kind::AskedByNobody],
    ),
    (
        "held although given up",
        |h, _| {
            let sold = (SeatStatus::Confirmed, 1);
            operation(h, 45).answer = map(&[sold, sold, (SeatStatus::Pending, 6), (SeatStatus::Pending, 7)]);
        },
        &[Kind::NotLinearizable],
    ),
    (
        "sold although given up",
        |h, _| operation(h, 40).answer = not_free(&[(4, loadgen::chaos::history::OffendingReason::Sold)]),
        &[Kind::NotDoneButDone, Kind::NotLinearizable],
    ),
    (
        "pending although given up",
        |h, _| operation(h, 47).answer = Answer::Refused(Refusal::SeatCount),
        &[Kind::DoesNotFit, Kind::NotLinearizable],
    ),
    (
        "given up too late",
        |h, b| {
            b.bookings[6].steps[1].at = booked_at(11_026);
            (operation(h, 44).began, operation(h, 44).ended) = (answered_at(11_020), answered_at(11_030));
            h.operations.truncate(44);
        },
        &[Kind::AmendedTooLate],
    ),
    ("other seats than were changed to", |h, _| operation(h, 42).answer = changed(6, &[4], 10_905), &[Kind::DoesNotFit]),
    (
        "a seat that was changed for one still had",
        |h, b| {
            let seventh = operation(h, 43);
            (seventh.began, seventh.ended, seventh.answer) = (answered_at(8980), answered_at(8999), held(7, 10_990));
            b.bookings[6].created_at = booked_at(8990);
            b.bookings[6].expires_at = booked_at(10_990);
        },
        &[Kind::DoubleBooking, Kind::NotLinearizable],
    ),
    (
        "seats changed twice",
        |_, b| {
            let again = b.bookings[5].steps[1].clone();
            b.bookings[5].steps.push(again);
        },
        &[Kind::AskedByNobody],
    ),
];
