//! Lists for those who run a house.

use std::num::NonZeroU32;

use domain::{
    Booking, BookingFilter, BookingId, BookingStatus, CustomerId, LiveHold, Page, PaymentReference, Refund, RefundKey, ShowId,
    TimeSource, Timestamp,
};
use rusqlite::{Connection, params};

use crate::encoding::booking_status;
use crate::failure::Failure;
use crate::{clock, record, statements};

/// What the bookings are found by. Every statement takes the same parameters and lets pass the same rows.
const fn statement(filter: &BookingFilter) -> &'static str {
    match filter {
        BookingFilter { refund_due: Some(true), .. } => statements::LIST_BOOKINGS_TO_REFUND,
        BookingFilter {
            status: Some(BookingStatus::Pending | BookingStatus::Confirmed),
            show_id: Some(_),
            customer: Some(_),
            ..
        } => statements::LIST_BOOKINGS_OF_CUSTOMER,
        BookingFilter { status: Some(BookingStatus::Pending), show_id: None, .. } => statements::LIST_LIVE_HOLDS,
        BookingFilter { show_id: Some(_), .. } => statements::LIST_BOOKINGS_OF_SHOW,
        BookingFilter { .. } => statements::LIST_BOOKINGS,
    }
}

/// The bookings that pass, newest first.
pub(crate) fn bookings(
    connection: &Connection,
    time: &TimeSource,
    filter: &BookingFilter,
    page: Page,
) -> Result<Vec<Booking>, Failure> {
    let now = clock::now(time);
    let mut statement = connection.prepare_cached(statement(filter))?;
    let mut rows = statement.query(params![
        page.before.unwrap_or(i64::MAX),
        page.limit.get(),
        filter.status.map(booking_status::text),
        now.timestamp_micros(),
        filter.show_id.map(ShowId::get),
        filter.customer.as_ref().map(CustomerId::as_str),
        filter.made_from.as_ref().map(Timestamp::timestamp_micros),
        filter.made_before.as_ref().map(Timestamp::timestamp_micros),
        filter.refund_due,
    ])?;
    let mut bookings = Vec::new();
    while let Some(row) = rows.next()? {
        bookings.push(record::booking(row)?.as_of(now));
    }
    Ok(bookings)
}

/// Holds that live, those made first first.
pub(crate) fn live_holds(
    connection: &Connection,
    time: &TimeSource,
    show_id: Option<ShowId>,
    after: Option<BookingId>,
    limit: NonZeroU32,
) -> Result<Vec<LiveHold>, Failure> {
    let now = clock::now(time);
    let mut statement = connection.prepare_cached(statements::LIST_HOLDS_BY_AGE)?;
    let after = after.map_or(0, BookingId::get);
    let mut rows = statement.query(params![after, limit.get(), now.timestamp_micros(), show_id.map(ShowId::get)])?;
    let mut holds = Vec::new();
    while let Some(row) = rows.next()? {
        holds.extend(LiveHold::of(record::booking(row)?, now));
    }
    Ok(holds)
}

/// Money that has to be given back, for the newest bookings first.
pub(crate) fn refunds(connection: &Connection, after: Option<&RefundKey>, limit: NonZeroU32) -> Result<Vec<Refund>, Failure> {
    let booking = after.map_or(i64::MAX, |key| key.booking_id.get());
    let payment = after.and_then(|key| key.paid_again.as_ref()).map_or("", PaymentReference::as_str);
    let mut statement = connection.prepare_cached(statements::LIST_REFUNDS)?;
    let mut rows = statement.query(params![booking, payment, limit.get()])?;
    let mut refunds = Vec::new();
    while let Some(row) = rows.next()? {
        refunds.push(record::refund(row)?);
    }
    Ok(refunds)
}
