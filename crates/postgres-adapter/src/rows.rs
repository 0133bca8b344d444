//! Rows into domain values. A row that makes no sense becomes an error that names table, column and id.

use chrono::TimeDelta;
use domain::{
    Actor, BlockReason, Booking, BookingId, BookingState, BookingStatus, CalledOff, CustomerId, Deadline, DueHold, Fingerprint,
    Holding, IdempotencyKey, Life, LockedSeat, LockedShow, Outcome, Payment, PaymentReference, Refund, RefundReason, Seat,
    SeatId, SeatKey, SeatNumber, SeatState, SeatStatus, Show, ShowCounts, ShowId, StoreError, Terms, Timestamp, Transition,
    UsedKey, UserName,
};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::encoding;

/// The column's value; a column of another type, or a null where none may be, is corruption.
pub(crate) fn column<'a, T: FromSql<'a>>(row: &'a Row, name: &str) -> Result<T, StoreError> {
    row.try_get(name).map_err(|error| StoreError::Corrupt(format!("column {name}: {error}")))
}

fn nonsense(table: &str, column: &str, id: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("{table}.{column} makes no sense in row {id}"))
}

pub(crate) fn show(row: &Row) -> Result<Show, StoreError> {
    let id: i64 = column(row, "id")?;
    let total_seats: i32 = column(row, "total_seats")?;
    Ok(Show {
        id: show_id(row)?,
        name: column(row, "name")?,
        start_time: column(row, "start_time")?,
        total_seats: u32::try_from(total_seats).map_err(|_| nonsense("shows", "total_seats", &id))?,
        created_at: column(row, "created_at")?,
        terms: terms(row)?,
        cancelled_at: column(row, "cancelled_at")?,
        revision: column(row, "revision")?,
    })
}

pub(crate) fn show_counts(row: &Row) -> Result<ShowCounts, StoreError> {
    let count = |name| column(row, name).map(|count: i64| u32::try_from(count).unwrap_or(u32::MAX));
    Ok(ShowCounts {
        available: count("available")?,
        held: count("held")?,
        sold: count("sold")?,
        blocked: count("blocked")?,
        pending: count("pending")?,
        confirmed: count("confirmed")?,
        failed: count("failed")?,
        refunds_due: count("refunds_due")?,
    })
}

pub(crate) fn called_off(row: &Row) -> Result<CalledOff, StoreError> {
    let show_id = show_id(row)?;
    let by = Actor::parse(column(row, "cancelled_by")?).ok_or_else(|| nonsense("shows", "cancelled_by", &show_id))?;
    Ok(CalledOff { show_id, by })
}

pub(crate) fn locked_show(row: &Row) -> Result<LockedShow, StoreError> {
    let cancelled_at: Option<Timestamp> = column(row, "cancelled_at")?;
    Ok(LockedShow {
        id: show_id(row)?,
        terms: terms(row)?,
        cancelled: cancelled_at.is_some(),
        revision: column(row, "revision")?,
    })
}

fn terms(row: &Row) -> Result<Terms, StoreError> {
    let seconds = |name| column(row, name).map(|seconds: Option<i32>| seconds.map(|seconds| TimeDelta::seconds(seconds.into())));
    let limit = |name| column(row, name).map(|limit: Option<i32>| limit.and_then(|limit| u32::try_from(limit).ok()));
    Ok(Terms {
        hold_for: seconds("hold_seconds")?,
        hold_limit: seconds("hold_limit_seconds")?,
        customers_may_cancel: column(row, "customers_may_cancel")?,
        late_confirm: column(row, "late_confirm")?,
        seats_per_booking: limit("seats_per_booking")?,
        seats_per_customer: limit("seats_per_customer")?,
        holds_per_customer: limit("holds_per_customer")?,
        on_sale_at: column(row, "on_sale_at")?,
        off_sale_at: column(row, "off_sale_at")?,
    })
}

pub(crate) fn show_id(row: &Row) -> Result<ShowId, StoreError> {
    let id: i64 = column(row, "id")?;
    ShowId::new(id).ok_or_else(|| nonsense("shows", "id", &id))
}

pub(crate) fn booking_id(value: i64) -> Result<BookingId, StoreError> {
    BookingId::new(value).ok_or_else(|| nonsense("bookings", "id", &value))
}

pub(crate) fn booking(row: &Row) -> Result<Booking, StoreError> {
    let id: i64 = column(row, "id")?;
    let bad = |column| nonsense("bookings", column, &id);
    let name: &str = column(row, "user_name")?;
    let show_id: i64 = column(row, "show_id")?;
    Ok(Booking {
        id: booking_id(id)?,
        show_id: ShowId::new(show_id).ok_or_else(|| bad("show_id"))?,
        user_name: UserName::new(name).map_err(|_| bad("user_name"))?,
        customer: text(row, "customer")?.map(CustomerId::new).transpose().map_err(|_| bad("customer"))?,
        blocked_for: text(row, "blocked_for")?.map(BlockReason::new).transpose().map_err(|_| bad("blocked_for"))?,
        payment: text(row, "payment_reference")?.map(PaymentReference::new).transpose().map_err(|_| bad("payment_reference"))?,
        seats: seat_numbers(row)?.ok_or_else(|| bad("seat_numbers"))?,
        deadline: Deadline::at(column(row, "expires_at")?),
        state: booking_state(row)?.ok_or_else(|| bad("status"))?,
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
    })
}

/// The booking of a row that a sweep has locked, as yet without its seats.
pub(crate) fn due_hold(row: &Row) -> Result<DueHold, StoreError> {
    let (id, show_id): (i64, i64) = (column(row, "id")?, column(row, "show_id")?);
    let bad = |column| nonsense("bookings", column, &id);
    let seats = seat_numbers(row)?.ok_or_else(|| bad("seat_numbers"))?;
    Ok(DueHold {
        id: booking_id(id)?,
        show_id: ShowId::new(show_id).ok_or_else(|| bad("show_id"))?,
        deadline: Deadline::at(column(row, "expires_at")?),
        locked: Vec::with_capacity(seats.len()),
        seats,
    })
}

fn text<'a>(row: &'a Row, name: &str) -> Result<Option<&'a str>, StoreError> {
    column(row, name)
}

fn seat_numbers(row: &Row) -> Result<Option<Vec<SeatNumber>>, StoreError> {
    let seats: Vec<i32> = column(row, "seat_numbers")?;
    Ok(seats.into_iter().map(|number| SeatNumber::new(number.into())).collect())
}

pub(crate) fn transition(row: &Row) -> Result<Transition, StoreError> {
    let show: i64 = column(row, "show_id")?;
    let number: i64 = column(row, "number")?;
    let bad = |column| nonsense("booking_history", column, &format_args!("{show}/{number}"));
    let from: Option<&str> = column(row, "from_status")?;
    let from = from.map(|word| encoding::parse_booking_status(word).ok_or_else(|| bad("from_status"))).transpose()?;
    Ok(Transition {
        show_id: ShowId::new(show).ok_or_else(|| bad("show_id"))?,
        number,
        booking_id: booking_id(column(row, "booking_id")?)?,
        event: encoding::parse_event(column(row, "event")?).ok_or_else(|| bad("event"))?,
        from,
        seats: seat_numbers(row)?.ok_or_else(|| bad("seat_numbers"))?,
        by: Actor::parse(column(row, "actor")?).ok_or_else(|| bad("actor"))?,
        at: column(row, "happened_at")?,
    })
}

pub(crate) fn used_key(row: &Row) -> Result<UsedKey<Outcome>, StoreError> {
    let bad = |column: &str| StoreError::Corrupt(format!("idempotency_keys.{column} makes no sense"));
    let fingerprint: &[u8] = column(row, "fingerprint")?;
    Ok(UsedKey {
        key: IdempotencyKey::new(column(row, "key")?).map_err(|_| bad("key"))?,
        fingerprint: Fingerprint(fingerprint.try_into().map_err(|_| bad("fingerprint"))?),
        expires_at: Deadline::at(column(row, "expires_at")?),
        result: Outcome::from_text(column(row, "outcome")?).ok_or_else(|| bad("outcome"))?,
    })
}

pub(crate) fn holding(row: &Row) -> Result<Holding, StoreError> {
    let id: i64 = column(row, "id")?;
    let bad = |column| nonsense("bookings", column, &id);
    let (show, seats): (i64, i32) = (column(row, "show_id")?, column(row, "seats")?);
    let held_until: Option<Timestamp> = column(row, "held_until")?;
    Ok(Holding {
        booking_id: booking_id(id)?,
        show_id: ShowId::new(show).ok_or_else(|| bad("show_id"))?,
        customer: CustomerId::new(column(row, "customer")?).map_err(|_| bad("customer"))?,
        seats: usize::try_from(seats).map_err(|_| bad("seat_numbers"))?,
        held_until: held_until.map(Deadline::at),
    })
}

pub(crate) fn payment(row: &Row) -> Result<Payment, StoreError> {
    let reference: &str = column(row, "reference")?;
    let bad = |column| nonsense("payments", column, &reference);
    let show: i64 = column(row, "show_id")?;
    Ok(Payment {
        reference: PaymentReference::new(reference).map_err(|_| bad("reference"))?,
        booking_id: booking_id(column(row, "booking_id")?)?,
        show_id: ShowId::new(show).ok_or_else(|| bad("show_id"))?,
        in_vain: column(row, "in_vain")?,
    })
}

pub(crate) fn refund(row: &Row) -> Result<Refund, StoreError> {
    let (id, show): (i64, i64) = (column(row, "booking_id")?, column(row, "show_id")?);
    let bad = |column| nonsense("bookings", column, &id);
    let (reference, reason): (Option<&str>, Option<&str>) = (column(row, "reference")?, column(row, "failure_reason")?);
    Ok(Refund {
        booking_id: booking_id(id)?,
        show_id: ShowId::new(show).ok_or_else(|| bad("show_id"))?,
        payment: reference.map(PaymentReference::new).transpose().map_err(|_| bad("payment_reference"))?,
        reason: match reason {
            Some(word) => RefundReason::Failed(encoding::parse_failure_reason(word).ok_or_else(|| bad("failure_reason"))?),
            None => RefundReason::PaidAgain,
        },
        since: column(row, "since")?,
    })
}

/// Whether the row's booking is PENDING and dead as of the row's `now`.
pub(crate) fn is_dead_hold(row: &Row) -> Result<bool, StoreError> {
    let booking = booking(row)?;
    Ok(booking.state == BookingState::Pending && booking.deadline.life(column(row, "now")?) == Life::Dead)
}

fn booking_state(row: &Row) -> Result<Option<BookingState>, StoreError> {
    let confirmed_at: Option<Timestamp> = column(row, "confirmed_at")?;
    let reason: Option<&str> = column(row, "failure_reason")?;
    let reclaimed = column(row, "reclaimed")?;
    Ok(match encoding::parse_booking_status(column(row, "status")?) {
        Some(BookingStatus::Pending) => Some(BookingState::Pending),
        Some(BookingStatus::Confirmed) => confirmed_at.map(|at| BookingState::Confirmed { at, reclaimed }),
        Some(BookingStatus::Failed) => {
            let refund_due = column(row, "refund_due")?;
            reason.and_then(encoding::parse_failure_reason).map(|reason| BookingState::Failed { reason, refund_due })
        }
        None => None,
    })
}

/// The seat that a row describes in `show_id`, `seat_number`, `seat_status`, `booking_id` and `held_until`.
pub(crate) fn locked_seat(row: &Row) -> Result<LockedSeat, StoreError> {
    let show: i64 = column(row, "show_id")?;
    let number: i32 = column(row, "seat_number")?;
    let bad = |column| nonsense("seats", column, &format_args!("{show}/{number}"));
    let key = SeatKey {
        show_id: ShowId::new(show).ok_or_else(|| bad("show_id"))?,
        number: SeatNumber::new(number.into()).ok_or_else(|| bad("seat_number"))?,
    };
    let booking: Option<i64> = column(row, "booking_id")?;
    let held_until: Option<Timestamp> = column(row, "held_until")?;
    let status = encoding::parse_seat_status(column(row, "seat_status")?).ok_or_else(|| bad("status"))?;
    let state = match (status, booking.and_then(BookingId::new), held_until) {
        (SeatStatus::Available, None, None) => SeatState::Available,
        (SeatStatus::Pending, Some(by), Some(until)) => SeatState::Held { by, until: Deadline::at(until) },
        (SeatStatus::Confirmed, Some(to), None) => SeatState::Sold { to },
        (SeatStatus::Available | SeatStatus::Pending | SeatStatus::Confirmed, _, _) => return Err(bad("booking_id")),
    };
    Ok(LockedSeat { key, state })
}

/// The seat that a row describes, as of the row's `now`.
pub(crate) fn seat(row: &Row) -> Result<Seat, StoreError> {
    let id: i64 = column(row, "id")?;
    let LockedSeat { key, state } = locked_seat(row)?;
    Ok(Seat {
        id: SeatId::new(id).ok_or_else(|| nonsense("seats", "id", &id))?,
        number: key.number,
        state: state.as_of(column(row, "now")?),
    })
}
