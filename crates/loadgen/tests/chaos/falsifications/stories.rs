//! Answers of which each is possible, but not with the others.

use super::Falsification;
use crate::house::*;
use loadgen::chaos::check::Kind;
use loadgen::chaos::history::BookingStatus::{Confirmed, Failed, Pending};
use loadgen::chaos::history::{OffendingReason, SeatStatus};

/// Answers of which each is possible, but not with the others.
pub(crate) const STORIES: &[Falsification] = &[
    (
        "a seat sold twice",
        |h, b| {
            let id = add(h, (6500, 6510), hold(&[1]), held(5, 8505));
            b.bookings.push(row(5, id, &[1], 6505, Failed, None));
        },
        &[Kind::NotLinearizable, Kind::DoubleBooking],
    ),
    (
        "a seat held twice",
        |h, b| {
            let id = add(h, (2080, 2090), hold(&[3]), held(5, 4085));
            b.bookings.push(row(5, id, &[3], 2085, Failed, None));
        },
        &[Kind::NotLinearizable, Kind::DoubleBooking, Kind::Missing],
    ),
    (
        "refused although free",
        |h, _| operation(h, 2).answer = not_free(&[(2, until(2005)), (3, until(2025))]),
        &[Kind::NotLinearizable],
    ),
    (
        "refused although dead",
        |h, _| {
            add(h, (6230, 6240), hold(&[4]), not_free(&[(4, until(6225))]));
        },
        &[Kind::NotLinearizable],
    ),
    ("refused until another deadline", |h, _| operation(h, 19).answer = not_free(&[(4, until(6224))]), &[Kind::NotLinearizable]),
    (
        "refused as sold although held",
        |h, _| operation(h, 2).answer = not_free(&[(2, OffendingReason::Sold)]),
        &[Kind::NotLinearizable],
    ),
    (
        "not among those that stand in the way, although sold",
        |h, _| {
            add(h, (6500, 6510), hold(&[1, 3]), not_free(&[(1, OffendingReason::Sold)]));
        },
        &[Kind::NotLinearizable],
    ),
    (
        "shown free although sold",
        |h, _| {
            let free = (SeatStatus::Available, 0);
            operation(h, 23).answer = map(&[(SeatStatus::Confirmed, 1), (SeatStatus::Confirmed, 1), free, free]);
        },
        &[Kind::NotLinearizable],
    ),
    (
        "shown free although held",
        |h, _| {
            let held = (SeatStatus::Pending, 1);
            operation(h, 4).answer = map(&[held, held, (SeatStatus::Available, 0), (SeatStatus::Available, 0)]);
        },
        &[Kind::NotLinearizable],
    ),
    (
        "an old state shown after an answered confirm",
        |h, _| {
            operation(h, 7).answer = found(1, 1, 2005, Pending, &[(1, SeatStatus::Pending), (2, SeatStatus::Pending)]);
        },
        &[Kind::NotLinearizable],
    ),
    (
        "listed as pending after its deadline",
        |h, _| {
            operation(h, 25).answer = list(&[(4, Pending), (3, Confirmed), (2, Failed), (1, Confirmed)]);
        },
        &[Kind::NotLinearizable],
    ),
    (
        "refused as expired before the deadline",
        |h, _| {
            let (began, ended) = (answered_at(2010), answered_at(2020));
            let early = operation(h, 10);
            (early.began, early.ended) = (began, ended);
        },
        &[Kind::NotLinearizable],
    ),
    (
        "shown as failed before the deadline",
        |h, _| {
            operation(h, 9).answer = found(2, 3, 2025, Failed, &[(3, SeatStatus::Available)]);
        },
        &[Kind::NotLinearizable],
    ),
    (
        "confirmed after the deadline",
        |h, b| {
            operation(h, 10).answer = confirmed(2);
            operation(h, 11).answer = found(2, 3, 2025, Confirmed, &[(3, SeatStatus::Confirmed)]);
            h.operations.truncate(11);
            b.bookings.truncate(2);
            (b.bookings[1].status, b.bookings[1].confirmed_at) = (Confirmed, Some(booked_at(2035)));
            b.seats[2].booking_id = Some(2);
        },
        &[Kind::NotLinearizable, Kind::ConfirmedTooLate],
    ),
    ("confirmed twice", |h, _| operation(h, 6).answer = confirmed(1), &[Kind::NotLinearizable]),
    (
        "failed although confirmed",
        |h, _| operation(h, 7).answer = found(1, 1, 2005, Failed, &[(1, SeatStatus::Confirmed), (2, SeatStatus::Confirmed)]),
        &[Kind::FinalStateChanged, Kind::NotLinearizable],
    ),
    (
        "failed, then confirmed",
        |h, _| {
            add(h, (6500, 6510), find(2), found(2, 3, 2025, Confirmed, &[(3, SeatStatus::Confirmed)]));
        },
        &[Kind::FinalStateChanged, Kind::NotLinearizable],
    ),
];
