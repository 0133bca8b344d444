//! What the domain and the store refuse, as problems: the one place that chooses statuses and codes.

use std::fmt::Display;

use actix_web::http::StatusCode;
use box_office::Declined;
use domain::{CustomerLimit, NotOnSale, Refusal, SeatRefusal, SeatRefusalReason, SelectionError, StoreError, Unready};
use serde_json::{Value, json};

use crate::idempotency::key_reused;
use crate::problem::Problem;
use crate::resources::{booking_status, rfc3339};

pub(crate) fn no_such_show(show_id: impl Display) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no_such_show", format!("There is no show {show_id}."))
}

pub(crate) fn no_such_booking(booking_id: impl Display) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no_such_booking", format!("There is no booking {booking_id}."))
}

pub(crate) fn not_prepared() -> Problem {
    Problem::unavailable("store_unavailable", "The booking store is not ready yet; nothing has changed.")
}

fn conflict(code: &'static str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::CONFLICT, code, detail)
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoSuchShow { show_id } => no_such_show(show_id),
            Refusal::NoSuchBooking { booking_id } => no_such_booking(booking_id),
            Refusal::SeatsNotFree { seats } => seats_not_free(&seats),
            Refusal::NotPending { booking_id, status } => {
                let status = booking_status(status);
                conflict("booking_not_pending", format!("Booking {booking_id} is {status} and can't be changed any more."))
                    .with("status_now", status)
            }
            Refusal::HoldExpired { booking_id, deadline } => {
                conflict("hold_expired", format!("The hold of booking {booking_id} has expired; its seats are free again."))
                    .with("expired_at", rfc3339(deadline.instant()))
            }
            Refusal::HoldLive { booking_id, deadline } => {
                conflict("hold_live", format!("The hold of booking {booking_id} has not expired yet."))
                    .with("expires_at", rfc3339(deadline.instant()))
            }
            Refusal::SaleIsFinal { booking_id } => conflict(
                "sale_is_final",
                format!("Booking {booking_id} is sold, and this show's sales can't be cancelled by customers."),
            ),
            Refusal::HoldLimit { booking_id, deadline } => {
                conflict("hold_limit_reached", format!("The hold of booking {booking_id} can't last longer than it does."))
                    .with("expires_at", rfc3339(deadline.instant()))
            }
            Refusal::TooManySeats { max } => {
                conflict("too_many_seats", format!("A booking can have at most {max} seats.")).with("max", max)
            }
            Refusal::NoSeatLeft { booking_id } => {
                conflict("no_seat_left", format!("Booking {booking_id} would have no seat left; cancel it instead."))
            }
            Refusal::NotOnSale { show_id, reason } => not_on_sale(show_id, reason),
            Refusal::CustomerNeeded => {
                Self::bad_request("customer_required", "This show limits what a customer may have: say who it is, in customerId.")
            }
            Refusal::CustomerLimit(limit) => customer_limit(limit),
            Refusal::PaymentUsed => conflict("payment_used", "This payment was for another booking."),
            Refusal::RefundDue { because } => Self::from(*because).with("refundDue", true),
            Refusal::KeyReused => key_reused(),
        }
    }
}

fn not_on_sale(show_id: impl Display, reason: NotOnSale) -> Problem {
    match reason {
        NotOnSale::Before(begin) => conflict("not_on_sale", format!("The sale of show {show_id} has not begun."))
            .with("on_sale_at", rfc3339(begin))
            .retryable(true),
        NotOnSale::Since(end) => {
            conflict("not_on_sale", format!("The sale of show {show_id} is over.")).with("off_sale_at", rfc3339(end))
        }
        NotOnSale::Cancelled => conflict("show_cancelled", format!("Show {show_id} is cancelled.")),
    }
}

fn customer_limit(limit: CustomerLimit) -> Problem {
    match limit {
        CustomerLimit::Seats { max, has } => {
            conflict("customer_limit", format!("A customer can have at most {max} seats of this show, and this one has {has}."))
                .with("max", max)
                .with("has", has)
        }
        CustomerLimit::Holds { max } => {
            conflict("customer_limit", format!("A customer can have at most {max} unconfirmed bookings of this show."))
                .with("max", max)
        }
    }
}

/// Every seat that stands in the way, and why. Worth another try when each of them may come free.
fn seats_not_free(seats: &[SeatRefusal]) -> Problem {
    let numbers: Vec<String> = seats.iter().map(|seat| seat.number.to_string()).collect();
    let detail = match numbers.as_slice() {
        [one] => format!("Seat {one} is not available."),
        several => format!("Seats {} are not available.", several.join(", ")),
    };
    let held = seats.iter().all(|seat| matches!(seat.reason, SeatRefusalReason::Held { .. }));
    let facts: Vec<Value> = seats
        .iter()
        .map(|seat| match seat.reason {
            SeatRefusalReason::Held { free_at } => {
                json!({"seat_number": seat.number.get(), "reason": "held", "free_at": rfc3339(free_at.instant())})
            }
            SeatRefusalReason::Sold => json!({"seat_number": seat.number.get(), "reason": "sold"}),
            SeatRefusalReason::Unknown => json!({"seat_number": seat.number.get(), "reason": "unknown"}),
            SeatRefusalReason::HadAlready => json!({"seat_number": seat.number.get(), "reason": "had_already"}),
            SeatRefusalReason::NotHad => json!({"seat_number": seat.number.get(), "reason": "not_had"}),
        })
        .collect();
    conflict("seats_not_free", detail).with("seats", facts).retryable(held)
}

impl From<SelectionError> for Problem {
    fn from(error: SelectionError) -> Self {
        match error {
            SelectionError::Empty => Self::bad_request("no_seats", "seats must name at least one seat."),
            SelectionError::TooMany { max, .. } => {
                Self::bad_request("too_many_seats", format!("A booking can have at most {max} seats.")).with("max", max)
            }
            SelectionError::NotPositive(_) => Self::bad_request("invalid_request", "seats must be numbers from 1 upwards."),
            SelectionError::Duplicate(numbers) => {
                let facts: Vec<Value> =
                    numbers.iter().map(|number| json!({"seat_number": number.get(), "reason": "duplicate"})).collect();
                Self::bad_request("duplicate_seats", "seats must name each seat once.").with("seats", facts)
            }
        }
    }
}

impl From<Declined> for Problem {
    fn from(declined: Declined) -> Self {
        match declined {
            Declined::Full => Self::unavailable("busy", "Too many requests are waiting; please try again."),
            Declined::TooLate => {
                Self::unavailable("timed_out", "The request waited too long and was not begun; please try again.")
            }
            Declined::Closing => Self::unavailable("closing", "The server is shutting down; please try again."),
            Declined::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unavailable(_) => {
                Self::unavailable("store_unavailable", "The booking store can't be reached; nothing has changed.").because(error)
            }
            StoreError::Contended(_) => {
                Self::unavailable("contended", "Others are working on the same seats; nothing has changed.").because(error)
            }
            StoreError::OutcomeUnknown(_) => {
                let detail = "The booking store was lost before it could say whether this was done; look before trying again.";
                Self::unavailable("outcome_unknown", detail).retryable(false).because(error)
            }
            StoreError::Corrupt(_) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something is wrong on our side.").because(error)
            }
        }
    }
}

impl From<Unready> for Problem {
    fn from(unready: Unready) -> Self {
        match &unready {
            Unready::Unreachable(_) => Self::unavailable("store_unavailable", "The booking store can't be reached."),
            Unready::Outdated { .. } => Self::unavailable("migrations_pending", "The booking store's migrations are pending."),
            Unready::TooNew { .. } => Self::unavailable("store_too_new", "The booking store is newer than this server."),
        }
        .because(unready)
    }
}
