//! Which bookings are asked for: the parameters of their list.

use chrono::SecondsFormat;
use chrono_tz::Tz;
use domain::{BookingFilter, BookingStatus, CustomerId, ShowId, Timestamp};
use serde::Deserialize;

use crate::page::{self, Paging, given, invalid_query};
use crate::problem::Problem;
use crate::resources::{booking_status, parse_booking_status};
use crate::start_time;

/// The query of `GET /admin/bookings`.
#[derive(Deserialize)]
pub(crate) struct BookingsQuery {
    status: Option<String>,
    show: Option<String>,
    customer: Option<String>,
    from: Option<String>,
    to: Option<String>,
    refund_due: Option<String>,
    pub(crate) limit: Option<String>,
    pub(crate) before: Option<String>,
}

impl BookingsQuery {
    /// What has to be true of a booking; times without an offset are read in `zone`.
    pub(crate) fn filter(&self, zone: Tz) -> Result<BookingFilter, Problem> {
        Ok(BookingFilter {
            status: given(self.status.as_deref()).map(status).transpose()?,
            show_id: show(self.show.as_deref())?,
            customer: given(self.customer.as_deref()).map(customer).transpose()?,
            made_from: time("from", self.from.as_deref(), zone)?,
            made_before: time("to", self.to.as_deref(), zone)?,
            refund_due: given(self.refund_due.as_deref()).map(refund_due).transpose()?,
        })
    }
}

/// The page's link with the filter too: as we write it, not as it came.
pub(crate) fn keep_in_link(paging: Paging, filter: &BookingFilter) -> Paging {
    let time = |instant: Timestamp| instant.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    paging
        .filtered("status", filter.status.map(booking_status))
        .filtered("show", filter.show_id)
        .filtered("customer", filter.customer.as_ref())
        .filtered("from", filter.made_from.map(time))
        .filtered("to", filter.made_before.map(time))
        .filtered("refund_due", filter.refund_due)
}

/// The show that a list is about, if it is about one.
pub(crate) fn show(text: Option<&str>) -> Result<Option<ShowId>, Problem> {
    let id = page::number("show", text).map_err(|_| invalid_query("show must be the id of a show."))?;
    Ok(id.and_then(ShowId::new))
}

fn status(word: &str) -> Result<BookingStatus, Problem> {
    parse_booking_status(word).ok_or_else(|| invalid_query("status must be PENDING, CONFIRMED or FAILED."))
}

fn customer(id: &str) -> Result<CustomerId, Problem> {
    CustomerId::new(id).map_err(|why| invalid_query(format!("customer {why}.")))
}

fn refund_due(word: &str) -> Result<bool, Problem> {
    word.parse().map_err(|_| invalid_query("refund_due must be true or false."))
}

fn time(name: &str, text: Option<&str>, zone: Tz) -> Result<Option<Timestamp>, Problem> {
    let read = |text| start_time::parse(text, zone).ok_or_else(|| mistaken(name));
    given(text).map(read).transpose()
}

/// The plus of an offset means a blank in a query: whoever sends it as it is has to be told.
fn mistaken(name: &str) -> Problem {
    invalid_query(format!("{name} {}; a + is sent as %2B.", start_time::EXPECTED))
}
