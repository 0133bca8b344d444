//! Rows, parsed when they are read: nonsense becomes an error that names table, column and id.

use std::fmt::Display;

use chrono::TimeDelta;
use domain::{
    Actor, BlockReason, Booking, BookingId, BookingState, CalledOff, CustomerId, Deadline, Fingerprint, Holding, IdempotencyKey,
    LockedSeat, LockedShow, Outcome, Payment, PaymentReference, Refund, RefundReason, Seat, SeatId, SeatKey, SeatNumber,
    SeatState, Show, ShowId, StoreError, Terms, Timestamp, Transition, UsedKey, UserName,
};
use rusqlite::Row;
use rusqlite::types::FromSql;

use crate::encoding::{booking_status, failure_reason, parse_event, seat_status};

/// A row, and how to name it to whoever has to look.
struct Record<'a> {
    table: &'static str,
    id: i64,
    row: &'a Row<'a>,
}

impl<'a> Record<'a> {
    fn of(table: &'static str, row: &'a Row<'a>) -> Result<Self, StoreError> {
        let id = row.get("id").map_err(|error| StoreError::Corrupt(format!("{table}.id: {error}")))?;
        Ok(Self { table, id, row })
    }

    fn corrupt(&self, column: &str, why: impl Display) -> StoreError {
        StoreError::Corrupt(format!("{}.{column} of id {}: {why}", self.table, self.id))
    }

    fn get<T: FromSql>(&self, column: &str) -> Result<T, StoreError> {
        self.row.get(column).map_err(|error| self.corrupt(column, error))
    }

    /// A column that means something only if `parse` says so.
    fn parse<C: FromSql + Clone + std::fmt::Debug, T>(
        &self,
        column: &str,
        parse: impl FnOnce(C) -> Option<T>,
    ) -> Result<T, StoreError> {
        let value: C = self.get(column)?;
        parse(value.clone()).ok_or_else(|| self.corrupt(column, format_args!("{value:?} makes no sense")))
    }

    fn own_id<T>(&self, parse: impl FnOnce(i64) -> Option<T>) -> Result<T, StoreError> {
        self.parse("id", parse)
    }

    /// A column that may be null, and else means something only if `parse` says so.
    fn parse_if_any<T>(&self, column: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, StoreError> {
        match self.get::<Option<String>>(column)? {
            None => Ok(None),
            Some(text) => parse(&text).map(Some).ok_or_else(|| self.corrupt(column, format_args!("{text:?} makes no sense"))),
        }
    }

    fn instant_if_any(&self, column: &str) -> Result<Option<Timestamp>, StoreError> {
        match self.get::<Option<i64>>(column)? {
            None => Ok(None),
            Some(_) => self.instant(column).map(Some),
        }
    }

    fn instant(&self, column: &str) -> Result<Timestamp, StoreError> {
        self.parse(column, Timestamp::from_timestamp_micros)
    }
}

pub(crate) fn show(row: &Row<'_>) -> Result<Show, StoreError> {
    let record = Record::of("shows", row)?;
    Ok(Show {
        id: record.own_id(ShowId::new)?,
        name: record.get("name")?,
        start_time: record.instant("start_time")?,
        total_seats: record.get("total_seats")?,
        created_at: record.instant("created_at")?,
        terms: terms(&record)?,
        cancelled_at: record.instant_if_any("cancelled_at")?,
        revision: record.get("revision")?,
    })
}

pub(crate) fn called_off(row: &Row<'_>) -> Result<CalledOff, StoreError> {
    let record = Record::of("shows", row)?;
    let by = record.parse("cancelled_by", |text: String| Actor::parse(&text))?;
    Ok(CalledOff { show_id: record.own_id(ShowId::new)?, by })
}

pub(crate) fn locked_show(row: &Row<'_>) -> Result<LockedShow, StoreError> {
    let record = Record::of("shows", row)?;
    Ok(LockedShow {
        id: record.own_id(ShowId::new)?,
        terms: terms(&record)?,
        cancelled: record.instant_if_any("cancelled_at")?.is_some(),
        revision: record.get("revision")?,
    })
}

/// How many changes of a show are in the history.
pub(crate) fn changes(row: &Row<'_>) -> Result<i64, StoreError> {
    Record::of("shows", row)?.get("changes")
}

fn terms(record: &Record<'_>) -> Result<Terms, StoreError> {
    let seconds =
        |column| record.get(column).map(|seconds: Option<u32>| seconds.map(|seconds| TimeDelta::seconds(seconds.into())));
    Ok(Terms {
        hold_for: seconds("hold_seconds")?,
        hold_limit: seconds("hold_limit_seconds")?,
        customers_may_cancel: record.get("customers_may_cancel")?,
        late_confirm: record.get("late_confirm")?,
        seats_per_booking: record.get("seats_per_booking")?,
        seats_per_customer: record.get("seats_per_customer")?,
        holds_per_customer: record.get("holds_per_customer")?,
        on_sale_at: record.instant_if_any("on_sale_at")?,
        off_sale_at: record.instant_if_any("off_sale_at")?,
    })
}

/// What happened to the booking that the row names as its `id`.
pub(crate) fn transition(row: &Row<'_>) -> Result<Transition, StoreError> {
    let record = Record::of("booking_history", row)?;
    let from = match record.get::<Option<String>>("from_status")? {
        None => None,
        Some(_) => Some(record.parse("from_status", |text: String| booking_status::parse(&text))?),
    };
    Ok(Transition {
        show_id: record.parse("show_id", ShowId::new)?,
        number: record.get("number")?,
        booking_id: record.own_id(BookingId::new)?,
        event: record.parse("event", |text: String| parse_event(&text))?,
        from,
        seats: record.parse("seat_numbers", |text: String| seat_numbers(&text))?,
        by: record.parse("actor", |text: String| Actor::parse(&text))?,
        at: record.instant("happened_at")?,
    })
}

/// What has to be given back for the booking that the row names as its `id`.
pub(crate) fn refund(row: &Row<'_>) -> Result<Refund, StoreError> {
    let record = Record::of("bookings", row)?;
    Ok(Refund {
        booking_id: record.own_id(BookingId::new)?,
        show_id: record.parse("show_id", ShowId::new)?,
        payment: record.parse_if_any("reference", |text| PaymentReference::new(text).ok())?,
        reason: record
            .parse_if_any("failure_reason", failure_reason::parse)?
            .map_or(RefundReason::PaidAgain, RefundReason::Failed),
        since: record.instant("since")?,
    })
}

pub(crate) fn holding(row: &Row<'_>) -> Result<Holding, StoreError> {
    let record = Record::of("bookings", row)?;
    Ok(Holding {
        booking_id: record.own_id(BookingId::new)?,
        show_id: record.parse("show_id", ShowId::new)?,
        customer: record.parse("customer", |text: String| CustomerId::new(&text).ok())?,
        seats: record.parse("seats", |seats: i64| usize::try_from(seats).ok())?,
        held_until: record.instant_if_any("held_until")?.map(Deadline::at),
    })
}

pub(crate) fn payment(row: &Row<'_>) -> Result<Payment, StoreError> {
    let bad = |column: &str| StoreError::Corrupt(format!("payments.{column} makes no sense"));
    let reference: String = row.get("reference").map_err(|_| bad("reference"))?;
    Ok(Payment {
        reference: PaymentReference::new(&reference).map_err(|_| bad("reference"))?,
        booking_id: row.get("booking_id").ok().and_then(BookingId::new).ok_or_else(|| bad("booking_id"))?,
        show_id: row.get("show_id").ok().and_then(ShowId::new).ok_or_else(|| bad("show_id"))?,
        in_vain: row.get("in_vain").map_err(|_| bad("in_vain"))?,
    })
}

pub(crate) fn used_key(row: &Row<'_>) -> Result<UsedKey<Outcome>, StoreError> {
    let bad = |column: &str| StoreError::Corrupt(format!("idempotency_keys.{column} makes no sense"));
    let (key, outcome): (String, String) =
        (row.get("key").map_err(|_| bad("key"))?, row.get("outcome").map_err(|_| bad("outcome"))?);
    let expires_at = row.get("expires_at").ok().and_then(Timestamp::from_timestamp_micros);
    Ok(UsedKey {
        key: IdempotencyKey::new(&key).map_err(|_| bad("key"))?,
        fingerprint: Fingerprint(row.get("fingerprint").map_err(|_| bad("fingerprint"))?),
        expires_at: Deadline::at(expires_at.ok_or_else(|| bad("expires_at"))?),
        result: Outcome::from_text(&outcome).ok_or_else(|| bad("outcome"))?,
    })
}

pub(crate) fn seat(row: &Row<'_>) -> Result<Seat, StoreError> {
    let record = Record::of("seats", row)?;
    let number = record.parse("seat_number", SeatNumber::new)?;
    Ok(Seat { id: record.own_id(SeatId::new)?, number, state: seat_state(&record)? })
}

pub(crate) fn locked_seat(row: &Row<'_>) -> Result<LockedSeat, StoreError> {
    let record = Record::of("seats", row)?;
    let show_id = record.parse("show_id", ShowId::new)?;
    let number = record.parse("seat_number", SeatNumber::new)?;
    Ok(LockedSeat { key: SeatKey { show_id, number }, state: seat_state(&record)? })
}

fn seat_state(record: &Record<'_>) -> Result<SeatState, StoreError> {
    use domain::SeatStatus;
    let owner = || record.parse("booking_id", BookingId::new);
    match record.parse("status", |text: String| seat_status::parse(&text))? {
        SeatStatus::Available => match record.get::<Option<i64>>("booking_id")? {
            None => Ok(SeatState::Available),
            Some(id) => Err(record.corrupt("booking_id", format_args!("{id} on a seat that is free"))),
        },
        SeatStatus::Pending => Ok(SeatState::Held { by: owner()?, until: Deadline::at(record.instant("held_until")?) }),
        SeatStatus::Confirmed => Ok(SeatState::Sold { to: owner()? }),
    }
}

pub(crate) fn booking(row: &Row<'_>) -> Result<Booking, StoreError> {
    let record = Record::of("bookings", row)?;
    Ok(Booking {
        id: record.own_id(BookingId::new)?,
        show_id: record.parse("show_id", ShowId::new)?,
        user_name: record.parse("user_name", |name: String| UserName::new(&name).ok())?,
        customer: record.parse_if_any("customer", |text| CustomerId::new(text).ok())?,
        blocked_for: record.parse_if_any("blocked_for", |text| BlockReason::new(text).ok())?,
        payment: record.parse_if_any("payment_reference", |text| PaymentReference::new(text).ok())?,
        seats: record.parse("seat_numbers", |text: String| seat_numbers(&text))?,
        deadline: Deadline::at(record.instant("expires_at")?),
        state: booking_state(&record)?,
        created_at: record.instant("created_at")?,
        updated_at: record.instant("updated_at")?,
    })
}

fn booking_state(record: &Record<'_>) -> Result<BookingState, StoreError> {
    use domain::BookingStatus;
    match record.parse("status", |text: String| booking_status::parse(&text))? {
        BookingStatus::Pending => Ok(BookingState::Pending),
        BookingStatus::Confirmed => {
            Ok(BookingState::Confirmed { at: record.instant("confirmed_at")?, reclaimed: record.get("reclaimed")? })
        }
        BookingStatus::Failed => {
            let reason = record.parse("failure_reason", |text: String| failure_reason::parse(&text))?;
            Ok(BookingState::Failed { reason, refund_due: record.get("refund_due")? })
        }
    }
}

/// A JSON array of numbers from 1, ascending.
fn seat_numbers(text: &str) -> Option<Vec<SeatNumber>> {
    let numbers: Vec<i64> = serde_json::from_str(text).ok()?;
    let seats: Option<Vec<SeatNumber>> = numbers.into_iter().map(SeatNumber::new).collect();
    seats.filter(|seats| !seats.is_empty() && seats.is_sorted_by(|a, b| a < b))
}
