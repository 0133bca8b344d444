//! `/admin`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use domain::{BookingFilter, InvalidShow, NewShow};
use serde::Deserialize;
use serde_json::json;

use crate::access::Caller;
use crate::app::App;
use crate::body::Body;
use crate::page::PageQuery;
use crate::problem::Problem;
use crate::resources::{BookingResource, booking_status, parse_booking_status};
use crate::start_time;

/// `POST /admin/shows`
pub(crate) async fn create_show(app: Data<App>, caller: Caller, body: Body) -> Result<HttpResponse, Problem> {
    let show = app.shows.create(&new_show(body, &app)?).await?;
    tracing::info!(show_id = show.id.get(), %caller, "a show was created");
    Ok(HttpResponse::Created().json(json!({"message": "Show created", "showId": show.id.get()})))
}

fn new_show(mut body: Body, app: &App) -> Result<NewShow, Problem> {
    let name = body.text("name");
    let start_time = body.text("start_time");
    let total_seats = body.integer("total_seats");
    let start_time = start_time::parse(&start_time, app.time_zone);
    if start_time.is_none() {
        body.mistake("start_time", start_time::EXPECTED);
    }
    body.finish()?;
    NewShow::new(&name, start_time.unwrap_or_default(), total_seats).map_err(|error| match error {
        InvalidShow::Name(_) | InvalidShow::StartTime | InvalidShow::TotalSeats => {
            Problem::bad_request("invalid_request", format!("{error}."))
        }
    })
}

#[derive(Deserialize)]
pub(crate) struct BookingsQuery {
    status: Option<String>,
    limit: Option<String>,
    before: Option<String>,
}

/// `GET /admin/bookings`
pub(crate) async fn bookings(app: Data<App>, query: Query<BookingsQuery>) -> Result<HttpResponse, Problem> {
    let status = match query.status.as_deref().filter(|word| !word.is_empty()) {
        None => None,
        Some(word) => Some(
            parse_booking_status(word)
                .ok_or_else(|| Problem::bad_request("invalid_query", "status must be PENDING, CONFIRMED or FAILED."))?,
        ),
    };
    let query = PageQuery::new("/admin/bookings", query.limit.as_deref(), query.before.as_deref())?
        .filtered("status", status.map(booking_status));
    let bookings = app.bookings.list(BookingFilter { status }, query.page).await?;
    let last_id = bookings.last().map(|booking| booking.id.get());
    let bookings: Vec<BookingResource> = bookings.into_iter().map(BookingResource::from).collect();
    Ok(query.respond(&bookings, last_id))
}
