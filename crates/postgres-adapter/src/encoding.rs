//! States as the tables write them: the one place that knows the words.

use domain::{BookingState, BookingStatus, FailureReason, SeatNumber, SeatStatus};

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
        BookingState::Failed { reason: FailureReason::Expired } => Some("expired"),
        BookingState::Pending | BookingState::Confirmed { .. } => None,
    }
}

/// An array literal, for arrays of arrays that differ in length.
pub(crate) fn seat_numbers(numbers: &[SeatNumber]) -> String {
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    format!("{{{}}}", numbers.join(","))
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
    (word == "expired").then_some(FailureReason::Expired)
}
