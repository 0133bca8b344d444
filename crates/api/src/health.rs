//! `/healthz` and `/readyz`.

use std::sync::atomic::Ordering;

use actix_web::HttpResponse;
use actix_web::web::Data;
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::App;
use crate::problem::Problem;
use crate::refusals::not_prepared;

/// Whether this is the path of a probe: it is always answered.
pub(crate) fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Health {
    status: &'static str,
}

/// `GET /healthz`: the process answers.
pub(crate) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok" })
}

/// `GET /readyz`: it can serve: the store can be reached, its migrations are current, and the queue has room.
pub(crate) async fn readyz(app: Data<App>) -> Result<HttpResponse, Problem> {
    app.health.ready().await?;
    if !app.prepared.load(Ordering::Acquire) {
        return Err(not_prepared());
    }
    if app.box_office.is_full() {
        return Err(Problem::unavailable("busy", "Too many requests are waiting."));
    }
    Ok(HttpResponse::Ok().json(Health { status: "ready" }))
}
