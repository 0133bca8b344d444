//! Lists for those who run a house, below `/admin`.

use actix_web::http::{Method, header};
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use domain::{BookingId, LiveHold, Page, PaymentReference, Refund, RefundKey, RefundReason, SeatNumber};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::booking_filter::{self, BookingsQuery, keep_in_link};
use crate::bookings_csv::{self, Pages};
use crate::page::{self, LIMIT_MAX, Paging, given, invalid_query};
use crate::problem::Problem;
use crate::refusals::no_such_booking;
use crate::resources::{BookingResource, FAILURE_REASONS, TransitionResource, failure_reason, rfc3339};
use crate::shows::path_number;

/// `GET /admin/bookings`
pub(crate) async fn bookings(app: Data<App>, request: HttpRequest, query: Query<BookingsQuery>) -> Result<HttpResponse, Problem> {
    let filter = query.filter(app.time_zone)?;
    let paging = keep_in_link(Paging::backwards("/admin/bookings", query.limit.as_deref())?, &filter);
    let before = page::number("before", query.before.as_deref())?;
    let mut response = if bookings_csv::is_wanted(&request) {
        let limit = given(query.limit.as_deref()).map(|_| paging.limit);
        let pages = Pages::new(app.bookings.clone(), filter, before, limit);
        bookings_csv::respond(pages, request.method() == Method::HEAD).await?
    } else {
        let bookings = app.bookings.list(&filter, Page { limit: paging.limit, before }).await?;
        let last = bookings.last().map(|booking| booking.id);
        let bookings: Vec<BookingResource> = bookings.into_iter().map(BookingResource::from).collect();
        paging.respond(&bookings, last)
    };
    response.headers_mut().append(header::VARY, header::HeaderValue::from_static("Accept"));
    Ok(response)
}

#[derive(Deserialize)]
pub(crate) struct HoldsQuery {
    show: Option<String>,
    limit: Option<String>,
    after: Option<String>,
}

/// A hold that lives.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LiveHold")]
pub(crate) struct LiveHoldResource {
    booking_id: i64,
    show_id: i64,
    user_name: String,
    /// To whom it counts where seats are limited.
    customer_id: Option<String>,
    seat_numbers: Vec<i64>,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    expires_at: String,
    /// Since it was made, by the clock of the store.
    age_seconds: f64,
    /// Until it ends, by the same clock.
    remaining_seconds: f64,
}

impl From<LiveHold> for LiveHoldResource {
    fn from(LiveHold { booking, age, remaining }: LiveHold) -> Self {
        Self {
            booking_id: booking.id.get(),
            show_id: booking.show_id.get(),
            user_name: booking.user_name.to_string(),
            customer_id: booking.customer.map(|customer| customer.to_string()),
            seat_numbers: booking.seats.into_iter().map(SeatNumber::get).collect(),
            created_at: rfc3339(booking.created_at),
            expires_at: rfc3339(booking.deadline.instant()),
            age_seconds: age.as_seconds_f64(),
            remaining_seconds: remaining.as_seconds_f64(),
        }
    }
}

/// `GET /admin/holds`
pub(crate) async fn holds(app: Data<App>, query: Query<HoldsQuery>) -> Result<HttpResponse, Problem> {
    let show_id = booking_filter::show(query.show.as_deref())?;
    let paging = Paging::forwards("/admin/holds", query.limit.as_deref(), LIMIT_MAX)?.filtered("show", show_id);
    let after = page::number("after", query.after.as_deref())?.and_then(BookingId::new);
    let holds = app.bookings.live_holds(show_id, after, paging.limit).await?;
    let last = holds.last().map(|hold| hold.booking.id);
    let holds: Vec<LiveHoldResource> = holds.into_iter().map(LiveHoldResource::from).collect();
    Ok(paging.respond(&holds, last))
}

#[derive(Deserialize)]
pub(crate) struct RefundsQuery {
    limit: Option<String>,
    after: Option<String>,
}

/// Money that has to be given back.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Refund")]
pub(crate) struct RefundResource {
    /// What tells it from others: the booking, and the payment if it was paid again.
    #[schemars(extend("examples" = ["1", "1:pi_3MtwBw"]))]
    id: String,
    booking_id: i64,
    show_id: i64,
    /// Null if nobody has said how the booking was paid.
    payment_reference: Option<String>,
    /// Why the booking failed; or `paid_again`, if it had been paid for already.
    #[schemars(extend("enum" = [FAILURE_REASONS[0], FAILURE_REASONS[1], FAILURE_REASONS[2], Some(PAID_AGAIN)]))]
    reason: &'static str,
    #[schemars(extend("format" = "date-time"))]
    since: String,
}

const PAID_AGAIN: &str = "paid_again";

impl From<Refund> for RefundResource {
    fn from(refund: Refund) -> Self {
        Self {
            id: refund_id(&refund.key()),
            booking_id: refund.booking_id.get(),
            show_id: refund.show_id.get(),
            payment_reference: refund.payment.map(|payment| payment.to_string()),
            reason: match refund.reason {
                RefundReason::Failed(reason) => failure_reason(reason),
                RefundReason::PaidAgain => PAID_AGAIN,
            },
            since: rfc3339(refund.since),
        }
    }
}

fn refund_id(key: &RefundKey) -> String {
    match &key.paid_again {
        None => key.booking_id.to_string(),
        Some(payment) => format!("{}:{payment}", key.booking_id),
    }
}

fn parse_refund_id(id: &str) -> Option<RefundKey> {
    let (booking, payment) = id.split_once(':').map_or((id, None), |(booking, payment)| (booking, Some(payment)));
    Some(RefundKey {
        booking_id: booking.parse().ok().and_then(BookingId::new)?,
        paid_again: payment.map(PaymentReference::new).transpose().ok()?,
    })
}

/// `GET /admin/refunds`
pub(crate) async fn refunds(app: Data<App>, query: Query<RefundsQuery>) -> Result<HttpResponse, Problem> {
    let paging = Paging::forwards("/admin/refunds", query.limit.as_deref(), LIMIT_MAX)?;
    let after = given(query.after.as_deref());
    let key =
        after.map(|id| parse_refund_id(id).ok_or_else(|| invalid_query("after must be the id of a refund."))).transpose()?;
    let refunds = app.bookings.refunds(key.as_ref(), paging.limit).await?;
    let last = refunds.last().map(|refund| refund_id(&refund.key()));
    let refunds: Vec<RefundResource> = refunds.into_iter().map(RefundResource::from).collect();
    Ok(paging.respond(&refunds, last))
}

/// Steps of a booking in an answer that asks for no limit, and the most it can ask for.
pub(crate) const HISTORY_LIMIT_MAX: u32 = 1_000;

#[derive(Deserialize)]
pub(crate) struct HistoryQuery {
    limit: Option<String>,
    after: Option<String>,
}

/// `GET /admin/bookings/{id}/history`
pub(crate) async fn history(app: Data<App>, id: Path<String>, query: Query<HistoryQuery>) -> Result<HttpResponse, Problem> {
    let booking_id = path_number(&id)?.and_then(BookingId::new).ok_or_else(|| no_such_booking(&id))?;
    let path = format!("/admin/bookings/{booking_id}/history");
    let paging = Paging::forwards(&path, query.limit.as_deref(), HISTORY_LIMIT_MAX)?;
    let after = page::number("after", query.after.as_deref())?.unwrap_or_default();
    let history = app.bookings.history(booking_id).await?.ok_or_else(|| no_such_booking(&id))?;
    let rows = usize::try_from(paging.limit.get()).unwrap_or(usize::MAX);
    // A booking has few steps, so pages of them are cut here.
    let history = history.into_iter().filter(|step| step.number > after).take(rows);
    let history: Vec<TransitionResource> = history.map(TransitionResource::from).collect();
    let last = history.last().map(|step| step.number);
    Ok(paging.respond(&history, last))
}
