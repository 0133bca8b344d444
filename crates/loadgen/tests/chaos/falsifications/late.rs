//! Lies about confirms that come too late or are for some seats, and about what the house keeps.

use super::Falsification;
use crate::amended::{cancelled, step};
use crate::house::*;
use crate::late::*;
use loadgen::chaos::books::StepKind;
use loadgen::chaos::check::Kind;
use loadgen::chaos::history::BookingStatus::{Confirmed, Failed, Pending};
use loadgen::chaos::history::{Answer, Limits, NotDone, OffendingReason, Refusal, SeatStatus};

/// Lies about confirms that come too late or are for some seats, and about what the house keeps.
pub(crate) const LATE: &[Falsification] = &[
    (
        "reclaimed where late confirms are not taken",
        |h, _| h.shows[0].late_confirm = false,
        &[Kind::ReclaimedWrongly, Kind::RefundWrong],
    ),
    (
        "reclaimed before the deadline",
        |h, b| {
            (operation(h, 3).began, operation(h, 3).ended) = (answered_at(1990), answered_at(2000));
            b.bookings[0].steps.remove(1);
            b.bookings[0].steps[1].at = booked_at(1995);
            b.bookings[0].confirmed_at = Some(booked_at(1995));
            b.payments[0].recorded_at = booked_at(1995);
        },
        &[Kind::ReclaimedWrongly, Kind::NotLinearizable],
    ),
    (
        "reclaimed while somebody else has the seat",
        |h, b| {
            operation(h, 7).answer = reclaimed(2);
            b.bookings[1].steps[2] = step(2095, StepKind::Reclaimed, &[3]);
            b.bookings[1].steps.truncate(3);
            (b.bookings[1].status, b.bookings[1].confirmed_at) = (Confirmed, Some(booked_at(2095)));
            b.bookings[1].refund_due = false;
            operation(h, 6).answer = Answer::NotDone(NotDone::NotSent);
            b.payments[1].in_vain = false;
        },
        &[Kind::DoubleBooking, Kind::LimitWrong, Kind::NotLinearizable],
    ),
    (
        "reclaimed although its money was owed",
        |h, b| {
            add(h, (4500, 4510), pays(2), reclaimed(2));
            b.bookings[1].steps.push(step(4505, StepKind::Reclaimed, &[3]));
            (b.bookings[1].status, b.bookings[1].confirmed_at) = (Confirmed, Some(booked_at(4505)));
            b.bookings[1].refund_due = false;
            b.payments.push(paid(23, 2, 4505, false));
            // Its seat is free, or so it seems.
            h.operations.retain(|operation| ![20, 21].contains(&operation.id));
            for operation in (1..).zip(&mut h.operations) {
                operation.1.id = operation.0;
            }
            b.bookings[2].steps.truncate(2);
            (b.bookings[2].status, b.bookings[2].confirmed_at) = (Failed, None);
            b.payments.retain(|payment| payment.booking_id != 3);
            b.payments.last_mut().unwrap().reference = "pay-24".into();
            b.seats[2].booking_id = Some(2);
        },
        &[Kind::ReclaimedWrongly],
    ),
    (
        "a reclaim that is not said to be one",
        |h, _| operation(h, 3).answer = confirmed(1),
        &[Kind::NotDoneButDone, Kind::DoesNotFit, Kind::NotLinearizable],
    ),
    (
        "a confirm in time that is said to be late",
        |h, _| operation(h, 15).answer = reclaimed(5),
        &[Kind::AmendmentLost, Kind::NotDoneButDone, Kind::NotLinearizable, Kind::DoesNotFit],
    ),
    (
        "a reclaim that was declined",
        |h, _| operation(h, 20).answer = Answer::NotDone(NotDone::NotSent),
        &[Kind::NotDoneButDone, Kind::PaymentWrong],
    ),
    ("a reclaim that nobody asked for", |h, _| operation(h, 18).call = find(4), &[Kind::AskedByNobody]),
    (
        "a reclaim that is not in the books",
        |_, b| {
            b.bookings[0].steps.pop();
            (b.bookings[0].status, b.bookings[0].confirmed_at) = (Failed, None);
            for seat in &mut b.seats[..2] {
                (seat.status, seat.booking_id) = (SeatStatus::Available, None);
            }
        },
        &[Kind::AmendmentLost, Kind::ConfirmLost, Kind::RefundWrong, Kind::NotLinearizable],
    ),
    (
        "failed although reclaimed",
        |h, _| operation(h, 4).answer = found(1, 1, 2005, Failed, &[(1, SeatStatus::Confirmed), (2, SeatStatus::Confirmed)]),
        &[Kind::NotLinearizable],
    ),
    (
        "sold before it was reclaimed",
        |h, _| (operation(h, 4).began, operation(h, 4).ended) = (answered_at(2020), answered_at(2029)),
        &[Kind::NotLinearizable],
    ),
    (
        "refused as too late when nobody had the seat",
        |h, b| {
            operation(h, 5).answer = Answer::NotDone(NotDone::NotSent);
            h.operations.truncate(16);
            b.bookings.remove(5);
            b.bookings.remove(2);
            b.payments.truncate(3);
            for seat in &mut b.seats[2..4] {
                (seat.status, seat.booking_id) = (SeatStatus::Available, None);
            }
            operation(h, 16).answer = Answer::NotDone(NotDone::NotSent);
        },
        &[Kind::RefusedThoughFree],
    ),
    ("refused as too late, and money not owed", |h, _| operation(h, 6).answer = expired(2025), &[Kind::RefundWrong]),
    ("a payment in vain that puts down no refund", |_, b| drop(b.bookings[1].steps.pop()), &[Kind::RefundWrong]),
    (
        "a refund that is put down twice",
        |_, b| {
            let again = b.bookings[1].steps[3].clone();
            b.bookings[1].steps.push(again);
        },
        &[Kind::RefundWrong],
    ),
    ("a refund that was promised and is not put down", |_, b| drop(b.bookings[1].steps.remove(2)), &[Kind::RefundWrong]),
    ("a booking that does not say that money is due", |_, b| b.bookings[1].refund_due = false, &[Kind::RefundWrong]),
    ("money due for a block", |_, b| b.bookings[3].refund_due = true, &[Kind::RefundWrong]),
    ("money due for a block, as was told", |h, _| operation(h, 12).answer = cancelled(4, true), &[Kind::DoesNotFit]),
    (
        "a block that is paid for",
        |h, b| {
            operation(h, 11).answer = Answer::Refused(Refusal::NotPending { status: Confirmed, refund_due: true });
            b.payments.push(paid(11, 4, 2163, true));
        },
        &[Kind::RefundWrong],
    ),
    (
        "the money of a second payment not owed",
        |h, _| operation(h, 21).answer = not_pending(Confirmed),
        &[Kind::RefundWrong, Kind::PaymentWrong],
    ),
    (
        "seats that were not asked for are sold too",
        |h, b| {
            b.bookings[4].seats = vec![4, 5, 6];
            b.bookings[4].steps[1].seats = vec![4, 5, 6];
            b.bookings.remove(5);
            b.seats[3].booking_id = Some(5);
            h.operations.truncate(15);
            b.bookings[2].steps.truncate(1);
            (b.bookings[2].status, b.bookings[2].confirmed_at) = (Pending, None);
            (b.seats[2].status, b.payments) = (SeatStatus::Pending, b.payments[..3].to_vec());
        },
        &[Kind::DoesNotFit],
    ),
    (
        "the rest is not freed",
        |h, _| {
            use SeatStatus::{Confirmed as Sold, Pending as Held};
            operation(h, 17).answer =
                map(&[(Sold, 1), (Sold, 1), (Held, 3), (Held, 5), (Sold, 5), (Sold, 5), (SeatStatus::Available, 0)]);
        },
        &[Kind::NotLinearizable],
    ),
    (
        "the rest is still refused",
        |h, _| operation(h, 16).answer = not_free(&[(4, until(4195))]),
        &[Kind::NotDoneButDone, Kind::NotLinearizable],
    ),
    (
        "other seats sold than asked for",
        |h, _| operation(h, 15).call = some(5, true, &[4, 6]),
        &[Kind::AskedByNobody, Kind::DoesNotFit],
    ),
    (
        "told to lack a seat that it has",
        |h, _| operation(h, 14).answer = not_free(&[(5, OffendingReason::NotHad)]),
        &[Kind::DoesNotFit],
    ),
    (
        "told that a seat is sold which it does not have",
        |h, _| operation(h, 14).answer = not_free(&[(3, OffendingReason::Sold)]),
        &[Kind::DoesNotFit],
    ),
    (
        "a block that is not there",
        |h, _| operation(h, 22).answer = Answer::Blocked { booking_id: 7 },
        &[Kind::HoldLost, Kind::ConfirmLost, Kind::NotLinearizable],
    ),
    ("a block that was declined", |h, _| operation(h, 8).answer = Answer::NotDone(NotDone::NotSent), &[Kind::NotDoneButDone]),
    (
        "a block that is a hold",
        |_, b| b.bookings[3].is_block = false,
        &[Kind::AskedByNobody, Kind::DeadlineWrong, Kind::DoesNotFit, Kind::RefundWrong],
    ),
    ("free although blocked", |h, _| operation(h, 9).answer = not_free(&[(4, until(2115))]), &[Kind::NotLinearizable]),
    (
        "a block of what is sold",
        |h, b| {
            operation(h, 22).answer = Answer::Blocked { booking_id: 7 };
            let block = row(7, 22, &[5, 6], 4385, Confirmed, Some(4385));
            b.bookings.push(loadgen::chaos::books::BookingRow {
                is_block: true,
                customer: None,
                expires_at: booked_at(4385) + 1,
                steps: vec![step(4385, StepKind::Blocked, &[5, 6])],
                ..block
            });
        },
        &[Kind::DoubleBooking, Kind::NotLinearizable],
    ),
    (
        "a block that ends by itself",
        |h, b| {
            operation(h, 12).answer = Answer::NotDone(NotDone::NotSent);
            b.bookings[3].steps.pop();
        },
        &[Kind::ConfirmLost, Kind::NotLinearizable],
    ),
    ("more seats than a customer may have", |h, _| h.shows[0].limits = Some(Limits { seats: 5, holds: 2 }), &[Kind::LimitWrong]),
    ("more holds than a customer may have", |h, _| h.shows[0].limits = Some(Limits { seats: 6, holds: 1 }), &[Kind::LimitWrong]),
    ("refused for a limit that there is not", |h, _| h.shows[0].limits = None, &[Kind::LimitWrong]),
    (
        "refused for more seats than the customer has",
        |h, _| operation(h, 24).answer = Answer::Refused(Refusal::CustomerLimit { max: 6, has: Some(4) }),
        &[Kind::LimitWrong],
    ),
    (
        "a change refused for fewer seats than may be had",
        |h, _| {
            operation(h, 25).call =
                loadgen::chaos::history::Call::Change { booking_id: 2, add: vec![4, 5, 6, 7], remove: vec![3] };
        },
        &[Kind::LimitWrong],
    ),
    ("refused for fewer seats than may be had", |h, _| operation(h, 24).call = hold(&[4, 5, 6]), &[Kind::LimitWrong]),
    (
        "refused for holds that the customer does not have",
        |h, _| (operation(h, 23).began, operation(h, 23).ended) = (answered_at(2182), answered_at(2188)),
        &[Kind::LimitWrong],
    ),
    ("refused for its limit although a seat was taken", |h, _| operation(h, 23).call = hold(&[3, 4]), &[Kind::NotLinearizable]),
    ("counted for nobody", |_, b| b.bookings[0].customer = None, &[Kind::HoldAltered, Kind::LimitWrong]),
];
