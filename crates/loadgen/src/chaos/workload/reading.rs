//! What an answer says.

#[cfg(test)]
mod tests;

use chrono::{DateTime, FixedOffset};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::super::history::{
    Answer, BookingStatus, Call, FoundBooking, ListedBooking, MapSeat, Micros, NotDone, OffendingReason, OffendingSeat, Refusal,
    SeatStatus, Unknown,
};
use crate::client::{self, CallError};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Booked {
    booking_id: i64,
    #[serde(deserialize_with = "instant")]
    expires_at: Micros,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Confirmed {
    booking_id: i64,
    #[serde(default)]
    reclaimed: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blocked {
    booking_id: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ShowDone {
    show_id: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cancelled {
    booking_id: i64,
    refund_due: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    booking_id: i64,
    seats: Vec<u32>,
    #[serde(deserialize_with = "instant")]
    expires_at: Micros,
}

#[derive(Deserialize)]
struct Details {
    booking: Booking,
    seats: Vec<BookedSeat>,
}

#[derive(Deserialize)]
struct Booking {
    id: i64,
    show_id: i64,
    user_name: String,
    status: BookingStatus,
    #[serde(deserialize_with = "instant")]
    expires_at: Micros,
}

#[derive(Deserialize)]
struct BookedSeat {
    seat_number: u32,
    status: SeatStatus,
}

#[derive(Deserialize)]
struct SeatShown {
    seat_number: u32,
    status: SeatStatus,
    booking_id: Option<i64>,
}

#[derive(Deserialize)]
struct Listed {
    id: i64,
    status: BookingStatus,
}

/// A failure; the code says which facts come with it.
#[derive(Deserialize)]
struct Problem {
    code: String,
    #[serde(default)]
    seats: Vec<Offending>,
    #[serde(default, deserialize_with = "optional_instant")]
    expired_at: Option<Micros>,
    #[serde(default, deserialize_with = "optional_instant")]
    expires_at: Option<Micros>,
    #[serde(default)]
    status_now: Option<BookingStatus>,
    #[serde(default)]
    max: Option<u32>,
    #[serde(default)]
    has: Option<u32>,
    /// Whether what was paid has to be given back.
    #[serde(default, rename = "refundDue")]
    refund_due: bool,
}

#[derive(Deserialize)]
struct Offending {
    seat_number: u32,
    reason: String,
    #[serde(default, deserialize_with = "optional_instant")]
    free_at: Option<Micros>,
}

fn instant<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Micros, D::Error> {
    let text = String::deserialize(from)?;
    let time: DateTime<FixedOffset> = DateTime::parse_from_rfc3339(&text).map_err(serde::de::Error::custom)?;
    Ok(time.timestamp_micros())
}

fn optional_instant<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Micros>, D::Error> {
    instant(from).map(Some)
}

/// What this answer to this call says. What the contract does not foresee is recorded as such.
pub(super) fn read(call: &Call, answer: &client::Answer) -> Answer {
    match answer.status {
        200 | 201 => success(call, answer).unwrap_or_else(|_| Answer::Unknown(Unknown::Unforeseen(whole(answer)))),
        400..=499 => {
            let problem = answer.json().ok();
            let refusal = problem.and_then(|problem| refusal(answer.status, &problem));
            refusal.map_or_else(|| Answer::NotDone(NotDone::Unforeseen(whole(answer))), Answer::Refused)
        }
        503 if answer.header("retry-after").is_some() => match answer.json::<Problem>() {
            Ok(problem) if problem.code == "outcome_unknown" => Answer::Unknown(Unknown::Said),
            Ok(problem) => Answer::NotDone(NotDone::Declined(problem.code)),
            Err(_) => Answer::Unknown(Unknown::Unforeseen(whole(answer))),
        },
        _ => Answer::Unknown(Unknown::Unforeseen(whole(answer))),
    }
}

fn whole(answer: &client::Answer) -> String {
    format!("{} {}", answer.status, answer.text())
}

fn success(call: &Call, answer: &client::Answer) -> Result<Answer, CallError> {
    fn all<T: DeserializeOwned, U>(answer: &client::Answer, each: impl Fn(T) -> U) -> Result<Vec<U>, CallError> {
        Ok(answer.json::<Vec<T>>()?.into_iter().map(each).collect())
    }
    Ok(match (call, answer.status) {
        (Call::Hold { .. }, 201) => {
            let Booked { booking_id, expires_at } = answer.json()?;
            Answer::Held { booking_id, expires_at }
        }
        (Call::Confirm { .. }, 200) => {
            let Confirmed { booking_id, reclaimed } = answer.json()?;
            Answer::Confirmed { booking_id, reclaimed }
        }
        (Call::Block { .. }, 201) => Answer::Blocked { booking_id: answer.json::<Blocked>()?.booking_id },
        (Call::EditShow { show_id }, 200) if answer.json::<ShowDone>()?.show_id == *show_id => Answer::ShowEdited,
        (Call::CancelShow { show_id }, 200) if answer.json::<ShowDone>()?.show_id == *show_id => Answer::ShowCancelled,
        (Call::Cancel { .. }, 200) => {
            let Cancelled { booking_id, refund_due } = answer.json()?;
            Answer::Cancelled { booking_id, refund_due }
        }
        (Call::Extend { .. }, 200) => {
            let Booked { booking_id, expires_at } = answer.json()?;
            Answer::Extended { booking_id, expires_at }
        }
        (Call::Change { .. }, 200) => {
            let Changed { booking_id, seats, expires_at } = answer.json()?;
            Answer::Changed { booking_id, seats, expires_at }
        }
        (Call::Find { .. }, 200) => {
            let Details { booking: Booking { id, show_id, user_name, status, expires_at }, seats } = answer.json()?;
            let seats = seats.into_iter().map(|seat| (seat.seat_number, seat.status)).collect();
            Answer::Found(FoundBooking { id, show_id, user_name, status, expires_at, seats })
        }
        (Call::SeatMap { .. }, 200) => Answer::SeatMap(all(answer, |seat: SeatShown| MapSeat {
            number: seat.seat_number,
            status: seat.status,
            booking_id: seat.booking_id,
        })?),
        (Call::List { .. }, 200) => Answer::Bookings(all(answer, |Listed { id, status }: Listed| ListedBooking { id, status })?),
        _ => Answer::Unknown(Unknown::Unforeseen(whole(answer))),
    })
}

fn refusal(status: u16, problem: &Problem) -> Option<Refusal> {
    let refund_due = problem.refund_due;
    match (status, problem.code.as_str()) {
        (409, "hold_expired") => problem.expired_at.map(|expired_at| Refusal::HoldExpired { expired_at, refund_due }),
        (409, "booking_not_pending") => problem.status_now.map(|status| Refusal::NotPending { status, refund_due }),
        // Nothing else is about money.
        _ if refund_due => None,
        (409, "seats_not_free") => problem.seats.iter().map(offending).collect::<Option<_>>().map(Refusal::SeatsNotFree),
        (409, "sale_is_final") => Some(Refusal::SaleIsFinal),
        (409, "hold_limit_reached") => problem.expires_at.map(|expires_at| Refusal::HoldLimit { expires_at }),
        (409, "too_many_seats" | "no_seat_left") => Some(Refusal::SeatCount),
        (409, "show_cancelled") => Some(Refusal::ShowCancelled),
        (409, "customer_limit") => problem.max.map(|max| Refusal::CustomerLimit { max, has: problem.has }),
        (422, "idempotency_key_reused") => Some(Refusal::KeyReused),
        (404, "no_such_booking") => Some(Refusal::NoSuchBooking),
        (404, "no_such_show") => Some(Refusal::NoSuchShow),
        _ => None,
    }
}

fn offending(seat: &Offending) -> Option<OffendingSeat> {
    let reason = match (seat.reason.as_str(), seat.free_at) {
        ("held", Some(free_at)) => OffendingReason::Held { free_at },
        ("sold", None) => OffendingReason::Sold,
        ("unknown", None) => OffendingReason::Unknown,
        ("had_already", None) => OffendingReason::HadAlready,
        ("not_had", None) => OffendingReason::NotHad,
        _ => return None,
    };
    Some(OffendingSeat { number: seat.seat_number, reason })
}
