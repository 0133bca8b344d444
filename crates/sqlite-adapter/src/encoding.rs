//! How states are written down, in one place.

use domain::{BookingId, BookingState, Event, Owner, SeatNumber, SeatState};
use serde_json::Value;

/// The text of each value of an enum, both ways. The match is exhaustive, so a new value can't be forgotten.
macro_rules! texts {
    ($module:ident, $type:ident { $($variant:ident = $text:literal,)* }) => {
        pub(crate) mod $module {
            use domain::$type;

            pub(crate) const fn text(value: $type) -> &'static str {
                match value {
                    $($type::$variant => $text,)*
                }
            }

            pub(crate) fn parse(text: &str) -> Option<$type> {
                [$($type::$variant),*].into_iter().find(|value| self::text(*value) == text)
            }
        }
    };
}

texts!(seat_status, SeatStatus { Available = "AVAILABLE", Pending = "PENDING", Confirmed = "CONFIRMED", });
texts!(booking_status, BookingStatus { Pending = "PENDING", Confirmed = "CONFIRMED", Failed = "FAILED", });
texts!(failure_reason, FailureReason { Expired = "expired", Cancelled = "cancelled", ShowCancelled = "show_cancelled", });

/// What happened to a booking, as a word: a failure by its reason.
pub(crate) const fn event(event: Event) -> &'static str {
    match event {
        Event::Held => "held",
        Event::Extended => "extended",
        Event::Changed => "changed",
        Event::Confirmed => "confirmed",
        Event::Reclaimed => "reclaimed",
        Event::Blocked => "blocked",
        Event::RefundDue => "refund_due",
        Event::Failed(reason) => failure_reason::text(reason),
    }
}

pub(crate) fn parse_event(word: &str) -> Option<Event> {
    let known =
        [Event::Held, Event::Extended, Event::Changed, Event::Confirmed, Event::Reclaimed, Event::Blocked, Event::RefundDue];
    known.into_iter().chain(failure_reason::parse(word).map(Event::Failed)).find(|known| event(*known) == word)
}

/// The columns `status`, `booking_id` and `held_until` of a seat.
pub(crate) type SeatColumns = (&'static str, Option<i64>, Option<i64>);

/// A seat's state; new bookings have these identities. `None` if one is missing.
pub(crate) fn seat_columns(state: SeatState<Owner>, new_ids: &[BookingId]) -> Option<SeatColumns> {
    let id = |owner| match owner {
        Owner::Stored(id) => Some(id.get()),
        Owner::New(index) => new_ids.get(index).map(|id| id.get()),
    };
    let text = seat_status::text(state.status());
    Some(match state {
        SeatState::Available => (text, None, None),
        SeatState::Held { by, until } => (text, Some(id(by)?), Some(until.instant().timestamp_micros())),
        SeatState::Sold { to } => (text, Some(id(to)?), None),
    })
}

/// The columns `status`, `failure_reason` and `confirmed_at` of a booking.
pub(crate) fn booking_columns(state: BookingState) -> (&'static str, Option<&'static str>, Option<i64>) {
    let text = booking_status::text(state.status());
    match state {
        BookingState::Pending => (text, None, None),
        BookingState::Confirmed { at, .. } => (text, None, Some(at.timestamp_micros())),
        BookingState::Failed { reason, .. } => (text, Some(failure_reason::text(reason)), None),
    }
}

/// The column `seat_numbers` of a booking.
pub(crate) fn seat_numbers(seats: &[SeatNumber]) -> String {
    json(seats.iter().map(|number| number.get()))
}

/// Lists travel to SQLite as JSON, which it can read.
pub(crate) fn json<T: Into<Value>>(list: impl IntoIterator<Item = T>) -> String {
    Value::from_iter(list).to_string()
}
