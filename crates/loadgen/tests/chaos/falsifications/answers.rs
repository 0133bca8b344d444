//! Answers that can't be, whatever the others say.

use super::Falsification;
use crate::house::*;
use loadgen::chaos::check::Kind;
use loadgen::chaos::history::BookingStatus::{Confirmed, Failed, Pending};
use loadgen::chaos::history::{Answer, NotDone, OffendingReason, Refusal, SeatStatus, Unknown};

/// Answers that can't be, whatever the others say.
pub(crate) const ANSWERS: &[Falsification] = &[
    ("a 500", |h, _| operation(h, 22).answer = Answer::Unknown(Unknown::Unforeseen("500 {}".into())), &[Kind::Unforeseen]),
    ("a 400", |h, _| operation(h, 17).answer = Answer::NotDone(NotDone::Unforeseen("400 {}".into())), &[Kind::Unforeseen]),
    ("another booking confirmed", |h, _| operation(h, 5).answer = confirmed(3), &[Kind::DoesNotFit, Kind::NotLinearizable]),
    (
        "someone else's booking shown",
        |h, _| operation(h, 9).answer = found(2, 12, 2025, Pending, &[(3, SeatStatus::Pending)]),
        &[Kind::DoesNotFit],
    ),
    (
        "other seats shown",
        |h, _| operation(h, 9).answer = found(2, 3, 2025, Pending, &[(4, SeatStatus::Pending)]),
        &[Kind::DoesNotFit],
    ),
    (
        "another deadline shown",
        |h, _| operation(h, 9).answer = found(2, 3, 2026, Pending, &[(3, SeatStatus::Pending)]),
        &[Kind::DoesNotFit],
    ),
    (
        "a booking sold whose seat is only held",
        |h, _| operation(h, 7).answer = found(1, 1, 2005, Confirmed, &[(1, SeatStatus::Confirmed), (2, SeatStatus::Pending)]),
        &[Kind::DoesNotFit],
    ),
    (
        "refused for a seat not asked for",
        |h, _| operation(h, 8).answer = not_free(&[(2, OffendingReason::Sold)]),
        &[Kind::DoesNotFit, Kind::NotLinearizable],
    ),
    ("refused for nothing", |h, _| operation(h, 8).answer = not_free(&[]), &[Kind::DoesNotFit, Kind::NotLinearizable]),
    ("a seat denied", |h, _| operation(h, 8).answer = not_free(&[(1, OffendingReason::Unknown)]), &[Kind::DoesNotFit]),
    (
        "a seat invented",
        |h, _| operation(h, 20).answer = not_free(&[(4, until(6225)), (5, OffendingReason::Sold)]),
        &[Kind::DoesNotFit, Kind::NotLinearizable],
    ),
    ("expired at another time", |h, _| operation(h, 10).answer = expired(2024), &[Kind::DoesNotFit]),
    (
        "not pending, but PENDING",
        |h, _| operation(h, 6).answer = not_pending(Pending),
        &[Kind::DoesNotFit, Kind::NotLinearizable],
    ),
    (
        "a seat missing in the map",
        |h, _| {
            operation(h, 23).answer = map(&[(SeatStatus::Confirmed, 1), (SeatStatus::Confirmed, 1), (SeatStatus::Confirmed, 3)]);
        },
        &[Kind::DoesNotFit],
    ),
    ("a list in another order", |h, _| operation(h, 24).answer = list(&[(2, Failed), (4, Failed)]), &[Kind::DoesNotFit]),
    ("a list of others", |h, _| operation(h, 24).answer = list(&[(4, Failed), (3, Confirmed)]), &[Kind::DoesNotFit]),
    ("an answer to another question", |h, _| operation(h, 4).answer = list(&[]), &[Kind::DoesNotFit]),
    (
        "a hold that is too long",
        |h, b| {
            operation(h, 3).answer = held(2, 2045);
            b.bookings[1].expires_at = booked_at(2045);
            for found in [9, 11] {
                if let Answer::Found(found) = &mut operation(h, found).answer {
                    found.expires_at = answered_at(2045);
                }
            }
            operation(h, 10).answer = not_pending(Failed);
            for later in [10, 11] {
                operation(h, later).ended = answered_at(2050);
            }
        },
        &[Kind::DeadlineWrong, Kind::NotLinearizable],
    ),
    (
        "one booking given to two",
        |h, _| operation(h, 12).answer = held(2, 4065),
        &[Kind::IdGivenTwice, Kind::NobodysBooking, Kind::HoldAltered, Kind::NotLinearizable],
    ),
    (
        "a booking that nobody made",
        |h, _| operation(h, 25).answer = list(&[(5, Pending), (4, Failed), (3, Confirmed), (2, Failed), (1, Confirmed)]),
        &[Kind::NobodysBooking],
    ),
    ("a booking not found", |h, _| operation(h, 9).answer = Answer::Refused(Refusal::NoSuchBooking), &[Kind::Missing]),
    ("a show not found", |h, _| operation(h, 8).answer = Answer::Refused(Refusal::NoSuchShow), &[Kind::Missing]),
    (
        "a booking left out of a list",
        |h, _| operation(h, 25).answer = list(&[(4, Failed), (2, Failed), (1, Confirmed)]),
        &[Kind::Missing],
    ),
];
