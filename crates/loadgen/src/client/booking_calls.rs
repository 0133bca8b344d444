//! The calls of the booking interface.

use std::borrow::Cow;
use std::io::Write;

use bytes::{BufMut, Bytes, BytesMut};
use hyper::{Method, Uri};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{CallError, Connection};

/// A hold that was answered with 201.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its booking.
    pub booking_id: i64,
    /// What proves that the booking is the caller's, where the server asks for it.
    pub token: Option<Box<str>>,
}

/// What `POST /book` answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldAnswer {
    /// The status code.
    pub status: u16,
    /// The hold, if the status is 201.
    pub held: Option<Held>,
    /// After how many seconds to try again, if the answer says so.
    pub retry_after_seconds: Option<u64>,
}

/// A seat in a show's seat map.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SeatRow {
    /// Its row's identity.
    pub id: i64,
    /// Its number within the show.
    pub seat_number: i64,
    /// `AVAILABLE`, `PENDING` or `CONFIRMED`.
    pub status: String,
    /// The booking that has it.
    pub booking_id: Option<i64>,
}

/// A booking, as it is read back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BookingRow {
    /// Its identity.
    pub id: i64,
    /// The show.
    pub show_id: i64,
    /// For whom.
    pub user_name: String,
    /// `PENDING`, `CONFIRMED` or `FAILED`.
    pub status: String,
}

/// A seat of a booking.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BookingSeat {
    /// Its number within the show.
    pub seat_number: i64,
    /// How it stands.
    pub status: String,
}

/// A booking and its seats.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BookingDetails {
    /// The booking.
    pub booking: BookingRow,
    /// Its seats.
    pub seats: Vec<BookingSeat>,
}

#[derive(Deserialize)]
struct ShowCreated {
    #[serde(rename = "showId")]
    show_id: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BookingCreated<'a> {
    booking_id: i64,
    #[serde(borrow, default)]
    booking_token: Option<Cow<'a, str>>,
}

impl Connection {
    /// `POST /admin/shows`: the new show's identity.
    ///
    /// # Errors
    /// [`CallError`]; any status but 2xx is `Refused`.
    pub async fn create_show(&mut self, name: &str, total_seats: u32) -> Result<i64, CallError> {
        self.create_show_on(name, total_seats, json!({})).await
    }

    /// `POST /admin/shows`, on these terms, an object: the new show's identity.
    ///
    /// # Errors
    /// [`CallError`]; any status but 2xx is `Refused`.
    pub async fn create_show_on(&mut self, name: &str, total_seats: u32, mut terms: Value) -> Result<i64, CallError> {
        terms["name"] = name.into();
        terms["start_time"] = "2030-12-31 19:00".into();
        terms["total_seats"] = total_seats.into();
        let body = terms.to_string();
        let token = self.admin_token().map(str::to_owned);
        let answer = self
            .json_call(Method::POST, Uri::from_static("/admin/shows"), Some(body.into()), token.as_deref())
            .await?
            .success()?;
        Ok(answer.json::<ShowCreated>()?.show_id)
    }

    /// `POST /book`, for a guest. Any status is an answer.
    ///
    /// # Errors
    /// [`CallError`], except `Refused`.
    pub async fn book(&mut self, show_id: i64, seats: &[u32]) -> Result<HoldAnswer, CallError> {
        let body = hold_body(&mut self.buffer, show_id, seats);
        let answer = self.json_call(Method::POST, Uri::from_static("/book"), Some(body), None).await?;
        let retry_after_seconds = answer.header("retry-after").and_then(|value| value.parse().ok());
        let held = match answer.status {
            201 => {
                let created: BookingCreated<'_> = answer.json_borrowed()?;
                let token = created.booking_token.map(|token| token.into_owned().into_boxed_str());
                Some(Held { booking_id: created.booking_id, token })
            }
            _ => None,
        };
        Ok(HoldAnswer { status: answer.status, held, retry_after_seconds })
    }

    /// `POST /book/confirm`: the status code of the answer.
    ///
    /// # Errors
    /// [`CallError`], except `Refused`.
    pub async fn confirm(&mut self, held: &Held) -> Result<u16, CallError> {
        let body = confirm_body(&mut self.buffer, held.booking_id);
        Ok(self.json_call(Method::POST, Uri::from_static("/book/confirm"), Some(body), held.token.as_deref()).await?.status)
    }

    /// `GET /shows/:id/seats`: every seat by number.
    ///
    /// # Errors
    /// [`CallError`]; any status but 2xx is `Refused`.
    pub async fn seats(&mut self, show_id: i64) -> Result<Vec<SeatRow>, CallError> {
        self.get(&format!("/shows/{show_id}/seats")).await?.success()?.json()
    }

    /// `GET /book/:id`.
    ///
    /// # Errors
    /// [`CallError`]; any status but 2xx is `Refused`.
    pub async fn booking(&mut self, held: &Held) -> Result<BookingDetails, CallError> {
        let uri = uri(format!("/book/{}", held.booking_id))?;
        self.json_call(Method::GET, uri, None, held.token.as_deref()).await?.success()?.json()
    }

    /// `GET /admin/bookings`, newest first.
    ///
    /// # Errors
    /// [`CallError`]; any status but 2xx is `Refused`.
    pub async fn bookings(&mut self, status: Option<&str>) -> Result<Vec<BookingRow>, CallError> {
        let path = status.map_or_else(|| "/admin/bookings".into(), |status| format!("/admin/bookings?status={status}"));
        let token = self.admin_token().map(str::to_owned);
        self.json_call(Method::GET, uri(path)?, None, token.as_deref()).await?.success()?.json()
    }
}

fn uri(path: String) -> Result<Uri, CallError> {
    Ok(Uri::try_from(path).map_err(hyper::http::Error::from)?)
}

/// The body of a hold. Once the last body that was split off the buffer is dropped, its memory is used again.
fn hold_body(buffer: &mut BytesMut, show_id: i64, seats: &[u32]) -> Bytes {
    buffer.reserve(64 + 11 * seats.len());
    let mut to = buffer.writer();
    // Writing into memory can't fail.
    let _ = write!(to, r#"{{"showId":{show_id},"seats":["#);
    for (i, seat) in seats.iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        let _ = write!(to, "{comma}{seat}");
    }
    let _ = write!(to, "]}}");
    buffer.split().freeze()
}

fn confirm_body(buffer: &mut BytesMut, booking_id: i64) -> Bytes {
    buffer.reserve(48);
    let _ = write!(buffer.writer(), r#"{{"bookingId":{booking_id}}}"#);
    buffer.split().freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_the_contracts() {
        let mut buffer = BytesMut::new();
        assert_eq!(hold_body(&mut buffer, 7, &[1]), r#"{"showId":7,"seats":[1]}"#);
        assert_eq!(hold_body(&mut buffer, 7, &[3, 1, 2]), r#"{"showId":7,"seats":[3,1,2]}"#);
        assert_eq!(confirm_body(&mut buffer, 5), r#"{"bookingId":5}"#);
    }

    #[test]
    fn a_token_is_found_where_there_is_one() {
        let parse = |text| serde_json::from_str::<BookingCreated<'_>>(text).map(|b| (b.booking_id, b.booking_token));
        let plain = parse(r#"{"message":"Booking created","bookingId":5,"status":"PENDING"}"#).unwrap();
        assert_eq!(plain, (5, None));
        let guarded = parse(r#"{"bookingToken":"a-b_c","bookingId":6,"extra":{"x":[1]}}"#).unwrap();
        assert_eq!(guarded, (6, Some("a-b_c".into())));
    }
}
