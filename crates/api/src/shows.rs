//! `/shows`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use domain::{Page, ShowId};
use serde::Deserialize;

use crate::app::App;
use crate::page::{self, Paging};
use crate::problem::Problem;
use crate::refusals::no_such_show;
use crate::resources::{SeatResource, ShowResource};

#[derive(Deserialize)]
pub(crate) struct ShowsQuery {
    limit: Option<String>,
    before: Option<String>,
}

/// `GET /shows`
pub(crate) async fn list(app: Data<App>, query: Query<ShowsQuery>) -> Result<HttpResponse, Problem> {
    let paging = Paging::backwards("/shows", query.limit.as_deref())?;
    let before = page::number("before", query.before.as_deref())?;
    let shows = app.shows.list(Page { limit: paging.limit, before }).await?;
    let last = shows.last().map(|show| show.id);
    let shows: Vec<ShowResource> = shows.into_iter().map(ShowResource::from).collect();
    Ok(paging.respond(&shows, last))
}

/// `GET /shows/{id}`
pub(crate) async fn find(app: Data<App>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let show_id = path_number(&id)?.and_then(ShowId::new).ok_or_else(|| no_such_show(&id))?;
    let show = app.shows.find(show_id).await?.ok_or_else(|| no_such_show(&id))?;
    Ok(HttpResponse::Ok().json(ShowResource::from(show)))
}

/// `GET /shows/{id}/seats`
pub(crate) async fn seats(app: Data<App>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let show_id = path_number(&id)?.and_then(ShowId::new).ok_or_else(|| no_such_show(&id))?;
    let seats = app.shows.seat_map(show_id).await?.ok_or_else(|| no_such_show(&id))?;
    let seats: Vec<SeatResource> = seats.into_iter().map(SeatResource::from).collect();
    Ok(HttpResponse::Ok().json(seats))
}

/// The number in a path; `None` if it is larger than any id. What is no number is not understood.
pub(crate) fn path_number(text: &str) -> Result<Option<i64>, Problem> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::bad_request("invalid_id", "The id must be a number."));
    }
    Ok(text.parse().ok())
}
