//! Lists for those who run a house.

use domain::{Booking, BookingFilter, BookingStatus, CustomerId, Page, ShowId, StoreError, TimeSource};

use crate::connection::Lease;
use crate::{encoding, rows, statements};

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
pub(crate) async fn bookings(
    lease: Lease,
    time: &TimeSource,
    filter: &BookingFilter,
    page: Page,
) -> Result<Vec<Booking>, StoreError> {
    let BookingFilter { status, show_id, customer, made_from, made_before, refund_due } = filter;
    let status = status.map(encoding::booking_status);
    let customer = customer.as_ref().map(CustomerId::as_str);
    let (show, limit) = (show_id.map(ShowId::get), i64::from(page.limit.get()));
    let found = lease
        .read(
            statement(filter),
            &[&status, &page.before, &limit, &time.fixed(), &show, &customer, made_from, made_before, refund_due],
        )
        .await?;
    found.iter().map(|row| Ok(rows::booking(row)?.as_of(rows::column(row, "now")?))).collect()
}
