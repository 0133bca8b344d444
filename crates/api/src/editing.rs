//! Shows that change: `/admin/shows/{id}/…`.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use box_office::call_off;
use domain::{
    Block, BlockReason, CalledOff, Command, NewShow, Outcome, Refusal, Request, SeatSelection, Show, ShowChange, ShowId, Terms,
    Timestamp,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::access::Caller;
use crate::answer::answer;
use crate::app::App;
use crate::body::Body;
use crate::bookings::Done;
use crate::problem::Problem;
use crate::refusals::no_such_show;
use crate::shows::path_number;
use crate::terms::terms;
use crate::{idempotency, start_time};

/// Most seats of one block.
pub(crate) const BLOCK_SEATS_MAX: usize = 1_000;

/// So often an edit is tried again that somebody else's was quicker than.
const TRIES_MAX: u32 = 5;

/// The revision of no show: they count from 0.
const NO_REVISION: i32 = -1;

/// What was done to a show.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShowDone {
    message: &'static str,
    show_id: i64,
}

fn show_id(id: &str) -> Result<ShowId, Problem> {
    path_number(id)?.and_then(ShowId::new).ok_or_else(|| no_such_show(id))
}

/// `POST /admin/shows/{id}/edit`
pub(crate) async fn edit(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let idempotency = idempotency::of(&request, &body, app.keep_keys_for)?;
    let show_id = show_id(&id)?;
    for _ in 0..TRIES_MAX {
        let show = app.shows.find(show_id).await?.ok_or_else(|| no_such_show(show_id))?;
        let (revision, edited, problem) = match edited(body.clone(), &show, &app) {
            Ok(edited) => (show.revision, edited, None),
            // What makes no sense any more may have been done under its key while it did: only that is asked then.
            Err(problem) if idempotency.is_some() => (NO_REVISION, as_it_is(&show)?, Some(problem)),
            Err(problem) => return Err(problem),
        };
        let outcome = match app.shows.edit(show_id, revision, &edited, idempotency.as_ref()).await? {
            ShowChange::Overtaken => match problem {
                None => continue,
                Some(problem) => return Err(problem),
            },
            ShowChange::Done(_) => {
                tracing::info!(show_id = show_id.get(), %caller, "a show was edited");
                Outcome::ShowEdited { show_id }
            }
            other => settled(&other, Outcome::ShowEdited { show_id })?,
        };
        return answer(outcome, |_| Some(done("Show edited", show_id)));
    }
    Err(Problem::unavailable("contended", "Others are changing the same show; nothing has changed."))
}

/// What is said of the show already.
fn as_it_is(show: &Show) -> Result<NewShow, Problem> {
    described(&show.name, show.start_time, show, show.terms)
}

fn described(name: &str, start: Timestamp, show: &Show, terms: Terms) -> Result<NewShow, Problem> {
    let described = NewShow::new(name, start, show.total_seats.into()).and_then(|described| described.on(terms));
    described.map_err(|error| Problem::bad_request("invalid_request", format!("{error}.")))
}

/// The show as it is to be: what the body does not say is as it was.
fn edited(mut body: Body, show: &Show, app: &App) -> Result<NewShow, Problem> {
    let name = body.if_given("name", show.name.clone(), |body| body.text("name"));
    let start = body.if_given("start_time", Some(show.start_time), |body| {
        let text = body.text("start_time");
        start_time::parse(&text, app.time_zone)
    });
    if start.is_none() {
        body.mistake("start_time", start_time::EXPECTED);
    }
    let terms = terms(&mut body, show.terms, app.time_zone);
    body.finish()?;
    described(&name, start.unwrap_or_default(), show, terms)
}

/// `POST /admin/shows/{id}/cancel`
pub(crate) async fn cancel(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let idempotency = idempotency::of(&request, &body, app.keep_keys_for)?;
    let (show_id, by) = (show_id(&id)?, caller.house());
    let change = app.shows.cancel(show_id, &by, idempotency.as_ref()).await?;
    if matches!(change, ShowChange::Done(_)) {
        tracing::info!(show_id = show_id.get(), %caller, "a show was cancelled");
    }
    let outcome = settled(&change, Outcome::ShowCancelled { show_id })?;
    // It is cancelled, whatever comes of this: the worker goes on with what is left.
    if let Err(error) = call_off(app.shows.as_ref(), app.bookings.as_ref(), &CalledOff { show_id, by }).await {
        tracing::warn!(show_id = show_id.get(), %error, "bookings of a cancelled show are left for the worker");
    }
    answer(outcome, |_| Some(done("Show cancelled", show_id)))
}

/// What came of a change, which comes to `outcome` if it was made.
fn settled(change: &ShowChange, outcome: Outcome) -> Result<Outcome, Problem> {
    match change {
        ShowChange::Done(_) => Ok(outcome),
        ShowChange::Replayed(_) => Ok(Outcome::Replayed(Box::new(outcome))),
        ShowChange::KeyReused => Err(Refusal::KeyReused.into()),
        ShowChange::NoSuchShow | ShowChange::Overtaken => match outcome {
            Outcome::ShowEdited { show_id } | Outcome::ShowCancelled { show_id } => Err(no_such_show(show_id)),
            _ => Err(no_such_show("")),
        },
    }
}

fn done(message: &'static str, show_id: ShowId) -> HttpResponse {
    HttpResponse::Ok().json(ShowDone { message, show_id: show_id.get() })
}

/// `POST /admin/shows/{id}/blocks`
pub(crate) async fn block(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<String>,
    mut body: Body,
) -> Result<HttpResponse, Problem> {
    let idempotency = idempotency::of(&request, &body, app.keep_keys_for)?;
    let show_id = show_id(&id)?;
    let (seats, reason) = (body.integers("seats"), body.text("reason"));
    body.finish()?;
    let seats = SeatSelection::new(&seats, BLOCK_SEATS_MAX)?;
    let reason =
        BlockReason::new(&reason).map_err(|error| Problem::bad_request("invalid_request", format!("reason {error}.")))?;
    let command = Command::Block(Block { show_id, seats, reason });
    let outcome = app.box_office.submit(Request { command, by: caller.house(), idempotency }).await?;
    answer(outcome, |outcome| {
        let Outcome::Blocked { booking_id } = *outcome else { return None };
        Some(HttpResponse::Created().json(Done::new("Seats blocked", booking_id, "CONFIRMED")))
    })
}
