//! Lists for those who run a house.

use std::num::NonZeroU32;

use domain::{
    Booking, BookingFilter, BookingId, BookingStatus, CustomerId, LiveHold, Page, PaymentReference, Refund, RefundKey, ShowId,
    StoreError, TimeSource,
};

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
        .read_as_asked(
            statement(filter),
            &[&status, &page.before, &limit, &time.fixed(), &show, &customer, made_from, made_before, refund_due],
        )
        .await?;
    found.iter().map(|row| Ok(rows::booking(row)?.as_of(rows::column(row, "now")?))).collect()
}

/// Holds that live, those made first first.
pub(crate) async fn live_holds(
    lease: Lease,
    time: &TimeSource,
    show_id: Option<ShowId>,
    after: Option<BookingId>,
    limit: NonZeroU32,
) -> Result<Vec<LiveHold>, StoreError> {
    let (after, limit, show) = (after.map(BookingId::get), i64::from(limit.get()), show_id.map(ShowId::get));
    let found = lease.read_as_asked(statements::LIST_HOLDS_BY_AGE, &[&after, &limit, &time.fixed(), &show]).await?;
    let holds = found.iter().map(|row| Ok(LiveHold::of(rows::booking(row)?, rows::column(row, "now")?)));
    holds.filter_map(Result::transpose).collect()
}

/// Money that has to be given back, for the newest bookings first.
pub(crate) async fn refunds(lease: Lease, after: Option<&RefundKey>, limit: NonZeroU32) -> Result<Vec<Refund>, StoreError> {
    let booking = after.map(|key| key.booking_id.get());
    let payment = after.and_then(|key| key.paid_again.as_ref()).map(PaymentReference::as_str);
    let found = lease.read_as_asked(statements::LIST_REFUNDS, &[&booking, &payment, &i64::from(limit.get())]).await?;
    found.iter().map(rows::refund).collect()
}
