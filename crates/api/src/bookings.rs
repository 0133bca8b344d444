//! `/book`.

use std::net::{IpAddr, Ipv6Addr};

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use domain::{
    BookingId, Change, Command, Confirm, CustomerId, Deadline, Extend, Hold, Outcome, PaymentReference, Request, SeatExchange,
    SeatNumber, SeatSelection, ShowId, UserName,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::access::Caller;
use crate::answer::answer;
use crate::app::App;
use crate::body::Body;
use crate::idempotency;
use crate::problem::Problem;
use crate::refusals::{no_such_booking, no_such_show};
use crate::resources::{BOOKING_STATUSES, BookingDetailsResource, booking_status, rfc3339};
use crate::shows::path_number;

// In an answer to `POST /book`, `expiresAt` and `bookingToken` are ours, and the rest is the contract's; in one to a confirm, the two
// first members are the contract's.
/// What was done to a booking.
#[derive(Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Done {
    message: &'static str,
    booking_id: i64,
    /// Where the booking stands now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("enum" = BOOKING_STATUSES.map(booking_status)))]
    status: Option<&'static str>,
    /// What it has now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<i64>")]
    seats: Option<Vec<i64>>,
    /// When the hold ends unless it is confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    expires_at: Option<String>,
    /// Whether what was paid is to be paid back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool")]
    refund_due: Option<bool>,
    /// Whether it was confirmed too late, its seats having been free still.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool")]
    reclaimed: Option<bool>,
    /// What the booking can be touched with; missing if the server has no `BOOKING_SECRET`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    booking_token: Option<String>,
}

impl Done {
    pub(crate) fn new(message: &'static str, booking_id: BookingId, status: &'static str) -> Self {
        Self { message, booking_id: booking_id.get(), status: Some(status), ..Self::default() }
    }
}

fn until(deadline: Deadline) -> String {
    rfc3339(deadline.instant())
}

/// `POST /book`
pub(crate) async fn book(app: Data<App>, caller: Caller, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let idempotency = idempotency::of(&request, &body, app.keep_keys_for)?;
    let hold = hold(body, &request, &app)?;
    let outcome = app.box_office.submit(Request { command: Command::Hold(hold), by: caller.actor(), idempotency }).await?;
    answer(outcome, |outcome| {
        let Outcome::Held { booking_id, deadline } = *outcome else { return None };
        Some(HttpResponse::Created().json(Done {
            message: "Booking created",
            booking_id: booking_id.get(),
            status: Some("PENDING"),
            expires_at: Some(until(deadline)),
            booking_token: app.access.booking_token(booking_id),
            ..Done::default()
        }))
    })
}

fn hold(mut body: Body, request: &HttpRequest, app: &App) -> Result<Hold, Problem> {
    let show = body.integer("showId");
    let seats = body.integers("seats");
    let user_name = body.optional_text("userName").unwrap_or_default();
    let customer = customer(&mut body, request, app);
    body.finish()?;
    let seats = SeatSelection::new(&seats, app.seats_per_booking_max)?;
    let user_name =
        UserName::new(&user_name).map_err(|error| Problem::bad_request("invalid_request", format!("userName {error}.")))?;
    let show_id = ShowId::new(show).ok_or_else(|| no_such_show(show))?;
    Ok(Hold { show_id, seats, user_name, customer, hold_for: app.hold_for })
}

/// To whom the seats count where they are limited: who the body says, else whoever has the address that a proxy tells.
fn customer(body: &mut Body, request: &HttpRequest, app: &App) -> Option<CustomerId> {
    let Some(id) = body.optional_text("customerId") else {
        // Without a proxy that is trusted, everybody may seem to come from one that is not known.
        let address = (!app.trusted_proxies.is_empty()).then(|| app.trusted_proxies.client_of(request.head()))?;
        return CustomerId::new(&client_name(address)).ok();
    };
    // Nobody can take what an address may have.
    let customer = CustomerId::new(&id).ok().filter(|_| !id.starts_with(ADDRESS));
    if customer.is_none() {
        body.mistake("customerId", "must be 1 to 128 visible ASCII characters, and not begin with ip:");
    }
    customer
}

/// How the customers begin that are known by their address.
const ADDRESS: &str = "ip:";

/// A client by its address: whoever has one IPv6 address of a /64 has all of them, and is one customer.
fn client_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("{ADDRESS}{address}"),
        IpAddr::V6(address) => format!("{ADDRESS}{}/64", Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

/// What somebody wishes to be done to a booking, in a body that names it: `read` takes what else it says.
async fn act<R>(
    app: &App,
    (caller, request, mut body): (Caller, HttpRequest, Body),
    read: impl FnOnce(&mut Body) -> Result<R, Problem>,
    command: impl FnOnce(BookingId, R) -> Command,
) -> Result<Outcome, Problem> {
    let idempotency = idempotency::of(&request, &body, app.keep_keys_for)?;
    let id = body.integer("bookingId");
    let token = body.optional_text("bookingToken").filter(|token| !token.is_empty());
    let read = read(&mut body)?;
    body.finish()?;
    let booking_id = app.access.may_touch(&request, token.as_deref(), BookingId::new(id), &id)?;
    Ok(app.box_office.submit(Request { command: command(booking_id, read), by: caller.actor(), idempotency }).await?)
}

/// For a body that only names its booking.
#[expect(clippy::unnecessary_wraps, reason = "others have more to read, and may fail")]
fn nothing_else(_: &mut Body) -> Result<(), Problem> {
    Ok(())
}

/// `POST /book/confirm`
pub(crate) async fn confirm(app: Data<App>, caller: Caller, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let seats_max = app.seats_per_booking_max;
    let read = |body: &mut Body| {
        let (payment, seats) = (payment(body), body.optional_integers("seats"));
        body.check()?;
        Ok((seats.map(|seats| SeatSelection::new(&seats, seats_max)).transpose()?, payment))
    };
    let command = |booking_id, (seats, payment)| Command::Confirm(Confirm { booking_id, seats, payment });
    answer(act(&app, (caller, request, body), read, command).await?, |outcome| {
        let (booking_id, reclaimed) = match outcome {
            Outcome::Confirmed { booking_id } => (booking_id, None),
            Outcome::Reclaimed { booking_id } => (booking_id, Some(true)),
            _ => return None,
        };
        let done = Done { message: "Booking confirmed", booking_id: booking_id.get(), reclaimed, ..Done::default() };
        Some(HttpResponse::Ok().json(done))
    })
}

fn payment(body: &mut Body) -> Option<PaymentReference> {
    let reference = body.optional_text("paymentReference")?;
    let payment = PaymentReference::new(&reference).ok();
    if payment.is_none() {
        body.mistake("paymentReference", "must be 1 to 255 visible ASCII characters");
    }
    payment
}

/// `POST /book/cancel`
pub(crate) async fn cancel(app: Data<App>, caller: Caller, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let outcome = act(&app, (caller, request, body), nothing_else, |booking_id, ()| Command::Cancel { booking_id }).await?;
    answer(outcome, cancelled)
}

/// The answer to a cancellation.
pub(crate) fn cancelled(outcome: &Outcome) -> Option<HttpResponse> {
    let Outcome::Cancelled { booking_id, refund_due } = *outcome else { return None };
    Some(HttpResponse::Ok().json(Done {
        message: "Booking cancelled",
        booking_id: booking_id.get(),
        status: Some("FAILED"),
        refund_due: Some(refund_due),
        ..Done::default()
    }))
}

/// `POST /book/extend`
pub(crate) async fn extend(app: Data<App>, caller: Caller, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let (hold_for, hold_limit) = (app.hold_for, app.hold_limit);
    let command = |booking_id, ()| Command::Extend(Extend { booking_id, hold_for, hold_limit });
    answer(act(&app, (caller, request, body), nothing_else, command).await?, |outcome| {
        let Outcome::Extended { booking_id, deadline } = *outcome else { return None };
        Some(HttpResponse::Ok().json(Done {
            message: "Booking extended",
            booking_id: booking_id.get(),
            status: Some("PENDING"),
            expires_at: Some(until(deadline)),
            ..Done::default()
        }))
    })
}

/// `POST /book/change`
pub(crate) async fn change(app: Data<App>, caller: Caller, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let seats_max = app.seats_per_booking_max;
    let exchange = |body: &mut Body| {
        let add = body.optional_integers("add").unwrap_or_default();
        let remove = body.optional_integers("remove").unwrap_or_default();
        body.check()?;
        Ok(SeatExchange::new(&add, &remove, seats_max)?)
    };
    let command = |booking_id, seats| Command::Change(Change { booking_id, seats, seats_max });
    answer(act(&app, (caller, request, body), exchange, command).await?, |outcome| {
        let Outcome::Changed { booking_id, seats, deadline } = outcome else { return None };
        Some(HttpResponse::Ok().json(Done {
            message: "Booking changed",
            booking_id: booking_id.get(),
            status: Some("PENDING"),
            seats: Some(seats.iter().copied().map(SeatNumber::get).collect()),
            expires_at: Some(until(*deadline)),
            ..Done::default()
        }))
    })
}

/// `GET /book/{id}`
pub(crate) async fn find(app: Data<App>, request: HttpRequest, id: Path<String>) -> Result<HttpResponse, Problem> {
    let booking_id = path_number(&id)?.and_then(BookingId::new);
    let booking_id = app.access.may_touch(&request, None, booking_id, &id)?;
    let details = app.bookings.find(booking_id).await?.ok_or_else(|| no_such_booking(&id))?;
    Ok(HttpResponse::Ok().json(BookingDetailsResource::from(details)))
}
