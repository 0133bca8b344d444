//! `/book`.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use domain::{BookingId, Command, Hold, Outcome, SeatSelection, ShowId, UserName};
use serde::Serialize;

use crate::app::App;
use crate::body::Body;
use crate::problem::Problem;
use crate::refusals::{no_such_booking, no_such_show};
use crate::resources::{BookingDetailsResource, rfc3339};
use crate::shows::path_number;

/// `expiresAt` and `bookingToken` are ours; the rest is the contract's.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Booked {
    message: &'static str,
    booking_id: i64,
    status: &'static str,
    expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    booking_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Confirmed {
    message: &'static str,
    booking_id: i64,
}

/// `POST /book`
pub(crate) async fn book(app: Data<App>, body: Body) -> Result<HttpResponse, Problem> {
    let hold = hold(body, &app)?;
    match app.box_office.submit(Command::Hold(hold)).await? {
        Outcome::Held { booking_id, deadline } => Ok(HttpResponse::Created().json(Booked {
            message: "Booking created",
            booking_id: booking_id.get(),
            status: "PENDING",
            expires_at: rfc3339(deadline.instant()),
            booking_token: app.access.booking_token(booking_id),
        })),
        Outcome::Refused(refusal) => Err(refusal.into()),
        other @ (Outcome::Confirmed { .. } | Outcome::Expired { .. }) => Err(absurd(&other)),
    }
}

fn hold(mut body: Body, app: &App) -> Result<Hold, Problem> {
    let show = body.integer("showId");
    let seats = body.integers("seats");
    let user_name = body.optional_text("userName").unwrap_or_default();
    body.finish()?;
    let seats = SeatSelection::new(&seats, app.seats_per_booking_max)?;
    let user_name =
        UserName::new(&user_name).map_err(|error| Problem::bad_request("invalid_request", format!("userName {error}.")))?;
    let show_id = ShowId::new(show).ok_or_else(|| no_such_show(show))?;
    Ok(Hold { show_id, seats, user_name, hold_for: app.hold_for })
}

/// `POST /book/confirm`
pub(crate) async fn confirm(app: Data<App>, request: HttpRequest, mut body: Body) -> Result<HttpResponse, Problem> {
    let id = body.integer("bookingId");
    let token = body.optional_text("bookingToken").filter(|token| !token.is_empty());
    body.finish()?;
    let booking_id = app.access.may_touch(&request, token.as_deref(), BookingId::new(id), &id)?;
    match app.box_office.submit(Command::Confirm { booking_id }).await? {
        Outcome::Confirmed { booking_id } => {
            Ok(HttpResponse::Ok().json(Confirmed { message: "Booking confirmed", booking_id: booking_id.get() }))
        }
        Outcome::Refused(refusal) => Err(refusal.into()),
        other @ (Outcome::Held { .. } | Outcome::Expired { .. }) => Err(absurd(&other)),
    }
}

/// `GET /book/{id}`
pub(crate) async fn find(app: Data<App>, request: HttpRequest, id: Path<String>) -> Result<HttpResponse, Problem> {
    let booking_id = path_number(&id)?.and_then(BookingId::new);
    let booking_id = app.access.may_touch(&request, None, booking_id, &id)?;
    let details = app.bookings.find(booking_id).await?.ok_or_else(|| no_such_booking(&id))?;
    Ok(HttpResponse::Ok().json(BookingDetailsResource::from(details)))
}

/// An outcome that its command can't have.
fn absurd(outcome: &Outcome) -> Problem {
    domain::StoreError::Corrupt(format!("an outcome of another command: {outcome:?}")).into()
}
