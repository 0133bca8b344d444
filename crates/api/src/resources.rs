//! Resources as the contract writes them: `snake_case`, instants as RFC 3339 UTC.

use chrono::SecondsFormat;
use domain::{
    Booking, BookingDetails, BookingState, BookingStatus, Event, FailureReason, Seat, SeatNumber, SeatStatus, Show, ShowCounts,
    ShowId, Timestamp, Transition,
};
use serde::Serialize;

/// RFC 3339 UTC to the millisecond.
pub(crate) fn rfc3339(instant: Timestamp) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub(crate) const fn booking_status(status: BookingStatus) -> &'static str {
    match status {
        BookingStatus::Pending => "PENDING",
        BookingStatus::Confirmed => "CONFIRMED",
        BookingStatus::Failed => "FAILED",
    }
}

pub(crate) fn parse_booking_status(word: &str) -> Option<BookingStatus> {
    [BookingStatus::Pending, BookingStatus::Confirmed, BookingStatus::Failed]
        .into_iter()
        .find(|status| booking_status(*status) == word)
}

const fn failure_reason(reason: FailureReason) -> &'static str {
    match reason {
        FailureReason::Expired => "expired",
        FailureReason::Cancelled => "cancelled",
    }
}

const fn seat_status(status: SeatStatus) -> &'static str {
    match status {
        SeatStatus::Available => "AVAILABLE",
        SeatStatus::Pending => "PENDING",
        SeatStatus::Confirmed => "CONFIRMED",
    }
}

#[derive(Serialize)]
pub(crate) struct ShowResource {
    id: i64,
    name: String,
    start_time: String,
    total_seats: u32,
    created_at: String,
    hold_seconds: Option<i64>,
    hold_limit_seconds: Option<i64>,
    customers_may_cancel: bool,
}

impl From<Show> for ShowResource {
    fn from(show: Show) -> Self {
        Self {
            id: show.id.get(),
            name: show.name,
            start_time: rfc3339(show.start_time),
            total_seats: show.total_seats,
            created_at: rfc3339(show.created_at),
            hold_seconds: show.terms.hold_for.map(|length| length.num_seconds()),
            hold_limit_seconds: show.terms.hold_limit.map(|length| length.num_seconds()),
            customers_may_cancel: show.terms.customers_may_cancel,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct SeatResource {
    id: i64,
    seat_number: i64,
    status: &'static str,
    booking_id: Option<i64>,
}

impl From<Seat> for SeatResource {
    fn from(seat: Seat) -> Self {
        Self {
            id: seat.id.get(),
            seat_number: seat.number.get(),
            status: seat_status(seat.state.status()),
            booking_id: seat.state.booking_id().map(domain::BookingId::get),
        }
    }
}

/// What is not the contract's is ours, from `expires_at` on.
#[derive(Serialize)]
pub(crate) struct BookingResource {
    id: i64,
    show_id: i64,
    user_name: String,
    status: &'static str,
    created_at: String,
    updated_at: String,
    expires_at: String,
    failure_reason: Option<&'static str>,
    refund_due: bool,
    seat_numbers: Vec<i64>,
}

impl From<Booking> for BookingResource {
    fn from(booking: Booking) -> Self {
        Self {
            id: booking.id.get(),
            show_id: booking.show_id.get(),
            user_name: booking.user_name.to_string(),
            status: booking_status(booking.state.status()),
            created_at: rfc3339(booking.created_at),
            updated_at: rfc3339(booking.updated_at),
            expires_at: rfc3339(booking.deadline.instant()),
            failure_reason: match booking.state {
                BookingState::Failed { reason, .. } => Some(failure_reason(reason)),
                BookingState::Pending | BookingState::Confirmed { .. } => None,
            },
            refund_due: booking.state.refund_due(),
            seat_numbers: booking.seats.into_iter().map(SeatNumber::get).collect(),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct BookedSeat {
    seat_number: i64,
    status: &'static str,
}

#[derive(Serialize)]
pub(crate) struct BookingDetailsResource {
    booking: BookingResource,
    seats: Vec<BookedSeat>,
}

impl From<BookingDetails> for BookingDetailsResource {
    fn from(details: BookingDetails) -> Self {
        let seat =
            |(number, status): (SeatNumber, SeatStatus)| BookedSeat { seat_number: number.get(), status: seat_status(status) };
        Self { booking: details.booking.into(), seats: details.seats.into_iter().map(seat).collect() }
    }
}

/// A step in a booking's life.
#[derive(Serialize)]
pub(crate) struct TransitionResource {
    show_id: i64,
    /// Counts the changes of the show.
    number: i64,
    booking_id: i64,
    event: &'static str,
    from: Option<&'static str>,
    to: &'static str,
    reason: Option<&'static str>,
    seat_numbers: Vec<i64>,
    by: String,
    at: String,
}

impl From<Transition> for TransitionResource {
    fn from(transition: Transition) -> Self {
        let (event, reason) = match transition.event {
            Event::Held => ("held", None),
            Event::Extended => ("extended", None),
            Event::Changed => ("changed", None),
            Event::Confirmed => ("confirmed", None),
            Event::Failed(reason) => ("failed", Some(failure_reason(reason))),
        };
        Self {
            show_id: transition.show_id.get(),
            number: transition.number,
            booking_id: transition.booking_id.get(),
            event,
            from: transition.from.map(booking_status),
            to: booking_status(transition.event.to()),
            reason,
            seat_numbers: transition.seats.into_iter().map(SeatNumber::get).collect(),
            by: transition.by.to_string(),
            at: rfc3339(transition.at),
        }
    }
}

/// How the seats and bookings of a show stand.
#[derive(Serialize)]
pub(crate) struct CountsResource {
    show_id: i64,
    seats: SeatCounts,
    bookings: BookingCounts,
    refunds_due: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "UPPERCASE")]
struct SeatCounts {
    available: u32,
    pending: u32,
    confirmed: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "UPPERCASE")]
struct BookingCounts {
    pending: u32,
    confirmed: u32,
    failed: u32,
}

impl CountsResource {
    pub(crate) fn of(show_id: ShowId, counts: ShowCounts) -> Self {
        let ShowCounts { available, held, sold, pending, confirmed, failed, refunds_due } = counts;
        Self {
            show_id: show_id.get(),
            seats: SeatCounts { available, pending: held, confirmed: sold },
            bookings: BookingCounts { pending, confirmed, failed },
            refunds_due,
        }
    }
}
