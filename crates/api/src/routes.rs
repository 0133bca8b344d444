//! The one table of routes.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpResponse, Route};

use crate::app::App;
use crate::body::BODY_BYTES_MAX;
use crate::problem::Problem;
use crate::{admin, bookings, health, shows};

/// Adds every route.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(BODY_BYTES_MAX))
        .app_data(
            web::QueryConfig::default()
                .error_handler(|_, _| Problem::bad_request("invalid_query", "The query could not be read.").into()),
        )
        .service(resource("/shows", "GET", web::get().to(shows::list)))
        .service(resource("/shows/{id}/seats", "GET", web::get().to(shows::seats)))
        .service(resource("/book", "POST", web::post().to(bookings::book)))
        .service(resource("/book/confirm", "POST", web::post().to(bookings::confirm)))
        .service(resource("/book/{id}", "GET", web::get().to(bookings::find)))
        .service(
            web::scope("/admin")
                .wrap(from_fn(admin_only))
                .service(resource("/shows", "POST", web::post().to(admin::create_show)))
                .service(resource("/bookings", "GET", web::get().to(admin::bookings)))
                .default_service(web::to(unknown_route)),
        )
        .service(resource("/healthz", "GET", web::get().to(health::healthz)))
        .service(resource("/readyz", "GET", web::get().to(health::readyz)))
        .default_service(web::to(unknown_route));
}

/// A path with its one route; any other method is told which is allowed.
fn resource(path: &str, allowed: &'static str, route: Route) -> actix_web::Resource {
    web::resource(path).route(route).default_service(web::to(move || async move {
        let detail = format!("This address takes {allowed} only.");
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
        Err::<HttpResponse, Problem>(problem.with_header(header::ALLOW, HeaderValue::from_static(allowed)))
    }))
}

async fn unknown_route() -> Result<HttpResponse, Problem> {
    Err(Problem::new(StatusCode::NOT_FOUND, "unknown_route", "There is nothing at this address."))
}

/// Lets only those through who may administrate.
async fn admin_only(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    if let Some(app) = request.app_data::<Data<App>>() {
        app.access.may_administrate(request.headers().get(header::AUTHORIZATION))?;
    }
    next.call(request).await
}
