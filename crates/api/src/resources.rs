//! Resources as the contract writes them: `snake_case`, instants as RFC 3339 UTC.

use chrono::SecondsFormat;
use domain::{
    Booking, BookingDetails, BookingState, BookingStatus, Event, FailureReason, Seat, SeatNumber, SeatStatus, Show, ShowCounts,
    ShowId, Timestamp, Transition,
};
use schemars::JsonSchema;
use serde::Serialize;

/// RFC 3339 UTC to the millisecond.
pub(crate) fn rfc3339(instant: Timestamp) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub(crate) const BOOKING_STATUSES: [BookingStatus; 3] = [BookingStatus::Pending, BookingStatus::Confirmed, BookingStatus::Failed];
const SEAT_STATUSES: [SeatStatus; 3] = [SeatStatus::Available, SeatStatus::Pending, SeatStatus::Confirmed];
/// What `failure_reason` can be.
pub(crate) const FAILURE_REASONS: [Option<&str>; 4] = [
    Some(failure_reason(FailureReason::Expired)),
    Some(failure_reason(FailureReason::Cancelled)),
    Some(failure_reason(FailureReason::ShowCancelled)),
    None,
];

/// What can happen to a booking.
const EVENTS: [&str; 8] = ["held", "blocked", "extended", "changed", "confirmed", "reclaimed", "failed", "refund_due"];

pub(crate) const fn booking_status(status: BookingStatus) -> &'static str {
    match status {
        BookingStatus::Pending => "PENDING",
        BookingStatus::Confirmed => "CONFIRMED",
        BookingStatus::Failed => "FAILED",
    }
}

pub(crate) fn parse_booking_status(word: &str) -> Option<BookingStatus> {
    BOOKING_STATUSES.into_iter().find(|status| booking_status(*status) == word)
}

pub(crate) const fn failure_reason(reason: FailureReason) -> &'static str {
    match reason {
        FailureReason::Expired => "expired",
        FailureReason::Cancelled => "cancelled",
        FailureReason::ShowCancelled => "show_cancelled",
    }
}

const fn seat_status(status: SeatStatus) -> &'static str {
    match status {
        SeatStatus::Available => "AVAILABLE",
        SeatStatus::Pending => "PENDING",
        SeatStatus::Confirmed => "CONFIRMED",
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Show")]
pub(crate) struct ShowResource {
    id: i64,
    name: String,
    #[schemars(extend("format" = "date-time"))]
    start_time: String,
    total_seats: u32,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    /// How long a hold lives; null: as the server has it.
    hold_seconds: Option<i64>,
    /// How long it can live with all of its extensions; null: as the server has it.
    hold_limit_seconds: Option<i64>,
    /// Whether customers may cancel what they have bought.
    customers_may_cancel: bool,
    /// Whether a confirm that comes too late gets the same seats, if all of them can be had still.
    late_confirm: bool,
    /// Most seats of a booking; null: as the server has it.
    seats_per_booking: Option<u32>,
    /// Most seats that a customer may hold and have bought.
    seats_per_customer: Option<u32>,
    /// Most live holds of a customer.
    holds_per_customer: Option<u32>,
    /// From when on seats are sold.
    #[schemars(extend("format" = "date-time"))]
    on_sale_at: Option<String>,
    /// From when on seats are sold no longer.
    #[schemars(extend("format" = "date-time"))]
    off_sale_at: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    cancelled_at: Option<String>,
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
            late_confirm: show.terms.late_confirm,
            seats_per_booking: show.terms.seats_per_booking,
            seats_per_customer: show.terms.seats_per_customer,
            holds_per_customer: show.terms.holds_per_customer,
            on_sale_at: show.terms.on_sale_at.map(rfc3339),
            off_sale_at: show.terms.off_sale_at.map(rfc3339),
            cancelled_at: show.cancelled_at.map(rfc3339),
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Seat")]
pub(crate) struct SeatResource {
    /// Of its row; a booking takes its `seat_number`.
    id: i64,
    seat_number: i64,
    #[schemars(extend("enum" = SEAT_STATUSES.map(seat_status)))]
    status: &'static str,
    /// Who has it, if anyone.
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

// What is not the contract's is ours, from `expires_at` on.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Booking")]
pub(crate) struct BookingResource {
    pub(crate) id: i64,
    pub(crate) show_id: i64,
    pub(crate) user_name: String,
    #[schemars(extend("enum" = BOOKING_STATUSES.map(booking_status)))]
    pub(crate) status: &'static str,
    #[schemars(extend("format" = "date-time"))]
    pub(crate) created_at: String,
    #[schemars(extend("format" = "date-time"))]
    pub(crate) updated_at: String,
    /// When the hold ends, or ended, unless it was confirmed.
    #[schemars(extend("format" = "date-time"))]
    pub(crate) expires_at: String,
    /// Why it is FAILED.
    #[schemars(extend("enum" = FAILURE_REASONS))]
    pub(crate) failure_reason: Option<&'static str>,
    /// Whether what was paid is to be paid back.
    pub(crate) refund_due: bool,
    /// What it has, or had.
    pub(crate) seat_numbers: Vec<i64>,
    /// To whom it counts where seats are limited.
    pub(crate) customer_id: Option<String>,
    /// The first payment that was named for it.
    pub(crate) payment_reference: Option<String>,
    /// Whether it was confirmed too late, its seats having been free still.
    pub(crate) reclaimed: bool,
    /// Why the house keeps these seats from sale; null for a customer's booking.
    pub(crate) blocked_for: Option<String>,
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
            customer_id: booking.customer.map(|customer| customer.to_string()),
            payment_reference: booking.payment.map(|payment| payment.to_string()),
            reclaimed: booking.state.is_reclaimed(),
            blocked_for: booking.blocked_for.map(|reason| reason.as_str().to_owned()),
        }
    }
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct BookedSeat {
    seat_number: i64,
    /// As it is now, whoever has it.
    #[schemars(extend("enum" = SEAT_STATUSES.map(seat_status)))]
    status: &'static str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "BookingDetails")]
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
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Transition")]
pub(crate) struct TransitionResource {
    show_id: i64,
    /// Counts the changes of the show.
    pub(crate) number: i64,
    booking_id: i64,
    #[schemars(extend("enum" = EVENTS))]
    event: &'static str,
    /// Null for the first.
    #[schemars(extend("enum" = [Some("PENDING"), Some("CONFIRMED"), Some("FAILED"), None::<&str>]))]
    from: Option<&'static str>,
    #[schemars(extend("enum" = BOOKING_STATUSES.map(booking_status)))]
    to: &'static str,
    /// Of a failure.
    #[schemars(extend("enum" = FAILURE_REASONS))]
    reason: Option<&'static str>,
    /// What it has then.
    seat_numbers: Vec<i64>,
    /// `customer`, `system`, or `admin:` and a name.
    by: String,
    #[schemars(extend("format" = "date-time"))]
    at: String,
}

impl From<Transition> for TransitionResource {
    fn from(transition: Transition) -> Self {
        let (event, reason) = match transition.event {
            Event::Held => ("held", None),
            Event::Extended => ("extended", None),
            Event::Changed => ("changed", None),
            Event::Confirmed => ("confirmed", None),
            Event::Reclaimed => ("reclaimed", None),
            Event::Blocked => ("blocked", None),
            Event::RefundDue => ("refund_due", None),
            Event::Failed(reason) => ("failed", Some(failure_reason(reason))),
        };
        Self {
            show_id: transition.show_id.get(),
            number: transition.number,
            booking_id: transition.booking_id.get(),
            event,
            from: transition.from.map(booking_status),
            to: booking_status(transition.to()),
            reason,
            seat_numbers: transition.seats.into_iter().map(SeatNumber::get).collect(),
            by: transition.by.to_string(),
            at: rfc3339(transition.at),
        }
    }
}

/// How the seats and bookings of a show stand.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Counts")]
pub(crate) struct CountsResource {
    show_id: i64,
    seats: SeatCounts,
    bookings: BookingCounts,
    refunds_due: u32,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
struct SeatCounts {
    available: u32,
    pending: u32,
    /// Sold.
    confirmed: u32,
    /// Kept from sale by the house; on a seat map these are CONFIRMED.
    blocked: u32,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
struct BookingCounts {
    pending: u32,
    confirmed: u32,
    failed: u32,
}

impl CountsResource {
    pub(crate) fn of(show_id: ShowId, counts: ShowCounts) -> Self {
        let ShowCounts { available, held, sold, blocked, pending, confirmed, failed, refunds_due } = counts;
        Self {
            show_id: show_id.get(),
            seats: SeatCounts { available, pending: held, confirmed: sold, blocked },
            bookings: BookingCounts { pending, confirmed, failed },
            refunds_due,
        }
    }
}
