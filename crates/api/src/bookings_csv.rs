//! Bookings as CSV (RFC 4180), read and sent a page at a time, so that any number of them takes the memory of one page.

use std::num::NonZeroU32;
use std::sync::Arc;

use actix_web::http::header::{self, Accept, Header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use csv::{Terminator, WriterBuilder};
use domain::{Booking, BookingFilter, BookingRepository, Page, StoreError};
use futures_util::stream::{self, Stream, StreamExt};

use crate::problem::Problem;
use crate::resources::BookingResource;

/// The type of the answer.
pub(crate) const CSV: &str = "text/csv";

/// Bookings that are read and sent at once.
const ROWS_AT_ONCE: u32 = 1_000;

/// The members of a booking, in their order.
pub(crate) const COLUMNS: [&str; 14] = [
    "id",
    "show_id",
    "user_name",
    "status",
    "created_at",
    "updated_at",
    "expires_at",
    "failure_reason",
    "refund_due",
    "seat_numbers",
    "customer_id",
    "payment_reference",
    "reclaimed",
    "blocked_for",
];

/// Whether the client would rather have CSV than JSON. What it says of other types, or in no language we know, does not matter.
pub(crate) fn is_wanted(request: &HttpRequest) -> bool {
    let Ok(accept) = Accept::parse(request) else { return false };
    let quality = |wanted: &[&str]| {
        let named = accept.iter().filter(|item| wanted.contains(&item.item.essence_str()));
        named.map(|item| item.quality).max()
    };
    match (quality(&[CSV]), quality(&["application/json", "application/*", "*/*"])) {
        (Some(csv), Some(json)) => csv > header::Quality::ZERO && csv >= json,
        (Some(csv), None) => csv > header::Quality::ZERO,
        (None, _) => false,
    }
}

/// The bookings that pass the filter, newest first, `limit` at most if there is one. A store in trouble is told as a problem as long as
/// nothing has been sent; later the connection ends before the body does, so that nobody takes a part for the whole.
pub(crate) async fn respond(mut pages: Pages, head_only: bool) -> Result<HttpResponse, Problem> {
    let first = pages.next().await?;
    let mut response = HttpResponse::Ok();
    response.content_type("text/csv; charset=utf-8");
    if head_only {
        return Ok(response.streaming(stream::empty::<Result<Bytes, StoreError>>()));
    }
    Ok(response.streaming(stream::iter(first.map(Ok)).chain(pages.into_stream())))
}

/// What is still to be sent.
pub(crate) struct Pages {
    bookings: Arc<dyn BookingRepository>,
    filter: BookingFilter,
    before: Option<i64>,
    /// Rows that may still be sent; `None` for all there are.
    left: Option<u32>,
    /// Whether the line with the names of the columns is still to be sent.
    at_start: bool,
}

impl Pages {
    pub(crate) fn new(
        bookings: Arc<dyn BookingRepository>,
        filter: BookingFilter,
        before: Option<i64>,
        limit: Option<NonZeroU32>,
    ) -> Self {
        Self { bookings, filter, before, left: limit.map(NonZeroU32::get), at_start: true }
    }

    fn into_stream(self) -> impl Stream<Item = Result<Bytes, StoreError>> {
        stream::try_unfold(self, |mut pages| async move {
            match pages.next().await {
                Ok(bytes) => Ok(bytes.map(|bytes| (bytes, pages))),
                Err(error) => {
                    tracing::error!(%error, "a list of bookings was cut short");
                    Err(error)
                }
            }
        })
    }

    /// The next page; `None` if there is none.
    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        let Some(limit) = NonZeroU32::new(self.left.unwrap_or(ROWS_AT_ONCE).min(ROWS_AT_ONCE)) else { return Ok(None) };
        let rows = self.bookings.list(&self.filter, Page { limit, before: self.before }).await?;
        let sent = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        // A page that is not full is the last.
        self.left = if sent < limit.get() { Some(0) } else { self.left.map(|left| left - sent) };
        self.before = rows.last().map(|booking| booking.id.get());
        let with_header = std::mem::take(&mut self.at_start);
        Ok(Some(lines(rows, with_header)?))
    }
}

fn lines(bookings: Vec<Booking>, with_header: bool) -> Result<Bytes, StoreError> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::with_capacity(bookings.len() * 192));
    let written = if with_header { writer.write_record(COLUMNS) } else { Ok(()) };
    let mut rows = bookings.into_iter().map(BookingResource::from);
    let written = written.and_then(|()| rows.try_for_each(|row| writer.write_record(record(row))));
    // A row has as many fields as there are columns, and memory takes all that is written.
    let cannot = |error: &dyn std::fmt::Display| StoreError::Corrupt(format!("bookings can't be written as CSV: {error}"));
    written.map_err(|error| cannot(&error))?;
    writer.into_inner().map(Bytes::from).map_err(|error| cannot(&error))
}

fn record(booking: BookingResource) -> [String; COLUMNS.len()] {
    let seats: Vec<String> = booking.seat_numbers.iter().map(i64::to_string).collect();
    let text = |text: Option<String>| text.map(no_formula).unwrap_or_default();
    [
        booking.id.to_string(),
        booking.show_id.to_string(),
        no_formula(booking.user_name),
        booking.status.to_owned(),
        booking.created_at,
        booking.updated_at,
        booking.expires_at,
        booking.failure_reason.unwrap_or_default().to_owned(),
        booking.refund_due.to_string(),
        seats.join(" "),
        text(booking.customer_id),
        text(booking.payment_reference),
        booking.reclaimed.to_string(),
        text(booking.blocked_for),
    ]
}

/// The text, with an apostrophe in front if a spreadsheet would calculate it: it is whatever strangers have sent.
fn no_formula(mut text: String) -> String {
    if text.starts_with(['=', '+', '-', '@']) {
        text.insert(0, '\'');
    }
    text
}

#[cfg(test)]
mod tests;
