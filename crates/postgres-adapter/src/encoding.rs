//! States as the tables write them: the one place that knows the words.

use std::fmt::Write as _;

use domain::{BookingState, BookingStatus, Event, FailureReason, SeatNumber, SeatStatus};

pub(crate) const fn seat_status(status: SeatStatus) -> &'static str {
    match status {
        SeatStatus::Available => "AVAILABLE",
        SeatStatus::Pending => "PENDING",
        SeatStatus::Confirmed => "CONFIRMED",
    }
}

pub(crate) const fn booking_status(status: BookingStatus) -> &'static str {
    match status {
        BookingStatus::Pending => "PENDING",
        BookingStatus::Confirmed => "CONFIRMED",
        BookingStatus::Failed => "FAILED",
    }
}

pub(crate) const fn failure_reason(state: &BookingState) -> Option<&'static str> {
    match state {
        BookingState::Failed { reason, .. } => Some(event(Event::Failed(*reason))),
        BookingState::Pending | BookingState::Confirmed { .. } => None,
    }
}

pub(crate) const fn event(event: Event) -> &'static str {
    match event {
        Event::Held => "held",
        Event::Extended => "extended",
        Event::Changed => "changed",
        Event::Confirmed => "confirmed",
        Event::Reclaimed => "reclaimed",
        Event::Blocked => "blocked",
        Event::RefundDue => "refund_due",
        Event::Failed(FailureReason::Expired) => "expired",
        Event::Failed(FailureReason::Cancelled) => "cancelled",
        Event::Failed(FailureReason::ShowCancelled) => "show_cancelled",
    }
}

/// An array literal, for arrays of arrays that differ in length.
pub(crate) fn seat_numbers(numbers: &[SeatNumber]) -> String {
    let mut literal = String::with_capacity(2 + numbers.len() * 8);
    literal.push('{');
    for (i, number) in numbers.iter().enumerate() {
        if i > 0 {
            literal.push(',');
        }
        // Writing into a string can't fail.
        let _ = write!(literal, "{number}");
    }
    literal.push('}');
    literal
}

pub(crate) fn parse_seat_status(word: &str) -> Option<SeatStatus> {
    match word {
        "AVAILABLE" => Some(SeatStatus::Available),
        "PENDING" => Some(SeatStatus::Pending),
        "CONFIRMED" => Some(SeatStatus::Confirmed),
        _ => None,
    }
}

pub(crate) fn parse_booking_status(word: &str) -> Option<BookingStatus> {
    match word {
        "PENDING" => Some(BookingStatus::Pending),
        "CONFIRMED" => Some(BookingStatus::Confirmed),
        "FAILED" => Some(BookingStatus::Failed),
        _ => None,
    }
}

pub(crate) fn parse_failure_reason(word: &str) -> Option<FailureReason> {
    match parse_event(word)? {
        Event::Failed(reason) => Some(reason),
        Event::Held
        | Event::Extended
        | Event::Changed
        | Event::Confirmed
        | Event::Reclaimed
        | Event::Blocked
        | Event::RefundDue => None,
    }
}

pub(crate) fn parse_event(word: &str) -> Option<Event> {
    let ends = [FailureReason::Expired, FailureReason::Cancelled, FailureReason::ShowCancelled].map(Event::Failed);
    let steps =
        [Event::Held, Event::Extended, Event::Changed, Event::Confirmed, Event::Reclaimed, Event::Blocked, Event::RefundDue];
    steps.into_iter().chain(ends).find(|known| event(*known) == word)
}
