//! Lists for those who run a house.

use domain::{Booking, BookingFilter, BookingStatus, CustomerId, Page, ShowId, TimeSource, Timestamp};
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
