//! `/admin`.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use domain::{BookingId, Command, Creation, NewShow, Outcome, Refusal, Request, ShowId, Terms};
use schemars::JsonSchema;
use serde::Serialize;

use crate::access::Caller;
use crate::answer::answer;
use crate::app::App;
use crate::body::Body;
use crate::bookings::cancelled;
use crate::problem::Problem;
use crate::refusals::{no_such_booking, no_such_show};
use crate::resources::CountsResource;
use crate::shows::path_number;
use crate::terms::terms;
use crate::{idempotency, start_time};

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShowCreated {
    message: &'static str,
    show_id: i64,
}

/// `POST /admin/shows`
pub(crate) async fn create_show(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let idempotency = idempotency::of(&request, &body, app.keep_keys_for)?;
    let outcome = match app.shows.create(&new_show(body, &app)?, idempotency.as_ref()).await? {
        Creation::Created(show) => {
            tracing::info!(show_id = show.id.get(), %caller, "a show was created");
            Outcome::ShowCreated { show_id: show.id }
        }
        Creation::Replayed(show_id) => Outcome::Replayed(Box::new(Outcome::ShowCreated { show_id })),
        Creation::KeyReused => Outcome::Refused(Refusal::KeyReused),
    };
    answer(outcome, |outcome| {
        let Outcome::ShowCreated { show_id } = outcome else { return None };
        Some(HttpResponse::Created().json(ShowCreated { message: "Show created", show_id: show_id.get() }))
    })
}

/// `POST /admin/bookings/{id}/cancel`
pub(crate) async fn cancel_booking(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let idempotency = idempotency::of(&request, &body, app.keep_keys_for)?;
    let booking_id = path_number(&id)?.and_then(BookingId::new).ok_or_else(|| no_such_booking(&id))?;
    let cancel = Request { command: Command::Cancel { booking_id }, by: caller.house(), idempotency };
    answer(app.box_office.submit(cancel).await?, cancelled)
}

/// `GET /admin/shows/{id}/counts`
pub(crate) async fn counts(app: Data<App>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let show_id = path_number(&id)?.and_then(ShowId::new).ok_or_else(|| no_such_show(&id))?;
    let counts = app.shows.counts(show_id).await?.ok_or_else(|| no_such_show(&id))?;
    Ok(HttpResponse::Ok().json(CountsResource::of(show_id, counts)))
}

fn new_show(mut body: Body, app: &App) -> Result<NewShow, Problem> {
    let name = body.text("name");
    let start_time = body.text("start_time");
    let total_seats = body.integer("total_seats");
    let terms = terms(&mut body, Terms::default(), app.time_zone);
    let start_time = start_time::parse(&start_time, app.time_zone);
    if start_time.is_none() {
        body.mistake("start_time", start_time::EXPECTED);
    }
    body.finish()?;
    let show = NewShow::new(&name, start_time.unwrap_or_default(), total_seats).and_then(|show| show.on(terms));
    show.map_err(|error| Problem::bad_request("invalid_request", format!("{error}.")))
}
