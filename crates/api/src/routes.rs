//! The one table of routes: where each is, what may be asked there, and which scope an admin needs for it. What a booking is touched
//! with is judged where its id is known, by `Access::may_touch`.

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, AcceptEncoding, Encoding, HeaderValue};
use actix_web::middleware::{Compress, Next, from_fn};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpMessage, HttpResponse, Route, guard};
use telemetry::Route as CountedRoute;

use crate::access::Scope;
use crate::app::App;
use crate::body::BODY_BYTES_MAX;
use crate::problem::Problem;
use crate::room::while_there_is_room;
use crate::{admin, bookings, health, shows};

/// Adds every route.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(BODY_BYTES_MAX))
        .app_data(
            web::QueryConfig::default()
                .error_handler(|_, _| Problem::bad_request("invalid_query", "The query could not be read.").into()),
        )
        // They are tried in this order: what a sale needs first.
        .service(resource("/book", "POST", web::post().to(bookings::book)).wrap(from_fn(while_there_is_room)))
        .service(resource("/book/confirm", "POST", web::post().to(bookings::confirm)).wrap(from_fn(while_there_is_room)))
        .service(resource("/book/cancel", "POST", web::post().to(bookings::cancel)).wrap(from_fn(while_there_is_room)))
        .service(resource("/book/extend", "POST", web::post().to(bookings::extend)).wrap(from_fn(while_there_is_room)))
        .service(resource("/book/change", "POST", web::post().to(bookings::change)).wrap(from_fn(while_there_is_room)))
        .service(resource("/shows", "GET, HEAD", read().to(shows::list)))
        .service(
            resource("/shows/{id}/seats", "GET, HEAD", read().to(shows::seats))
                .wrap(Compress::default())
                .wrap(from_fn(gzip_or_plain)),
        )
        .service(resource("/shows/{id}", "GET, HEAD", read().to(shows::find)))
        .service(resource("/book/{id}", "GET, HEAD", read().to(bookings::find)))
        .service(
            web::scope("/admin")
                .app_data(CountedRoute::named("/admin"))
                .wrap(from_fn(admins_only))
                .service(resource("/shows", "POST", needs(Scope::Manage, web::post().to(admin::create_show))))
                .service(resource("/bookings", "GET, HEAD", needs(Scope::Read, read().to(admin::bookings))))
                .service(resource("/shows/{id}/counts", "GET, HEAD", needs(Scope::Read, read().to(admin::counts))))
                .service(resource("/bookings/{id}/cancel", "POST", needs(Scope::Sell, web::post().to(admin::cancel_booking))))
                .service(resource("/bookings/{id}/history", "GET, HEAD", needs(Scope::Read, read().to(admin::history))))
                .default_service(web::to(unknown_route)),
        )
        .service(resource("/healthz", "GET, HEAD", read().to(health::healthz)))
        .service(resource("/readyz", "GET, HEAD", read().to(health::readyz)))
        .default_service(web::to(unknown_route));
}

/// `GET`, and `HEAD`, which is answered alike but without the body.
fn read() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// A path with its one route, which is counted under its pattern; any other method is told which is allowed.
fn resource(path: &str, allowed: &'static str, route: Route) -> actix_web::Resource {
    web::resource(path).app_data(CountedRoute::default()).route(route).default_service(web::to(move || async move {
        let detail = format!("This address takes {allowed} only.");
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
        Err::<HttpResponse, Problem>(problem.with_header(header::ALLOW, HeaderValue::from_static(allowed)))
    }))
}

async fn unknown_route() -> Result<HttpResponse, Problem> {
    Err(Problem::new(StatusCode::NOT_FOUND, "unknown_route", "There is nothing at this address."))
}

/// The route, for admins with this scope only.
fn needs(scope: Scope, route: Route) -> Route {
    route.wrap(from_fn(move |request: ServiceRequest, next: Next<BoxBody>| admins(Some(scope), request, next)))
}

/// Nothing below an admin's address is there for anyone else, not even the news that there is nothing.
async fn admins_only<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    admins(None, request, next).await
}

async fn admins<B: MessageBody>(
    scope: Option<Scope>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let app = request.app_data::<Data<App>>();
    match app.map_or(Ok(()), |app| app.access.may_administrate(request.headers(), scope)) {
        Ok(()) => next.call(request).await.map(ServiceResponse::map_into_left_body),
        // As a response, not as an error: it is to be logged like any other.
        Err(problem) => Ok(request.error_response(problem).map_into_right_body()),
    }
}

/// Answers by gzip where that is wanted, and else as it is, whatever else a client says that it would rather have.
async fn gzip_or_plain<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let accepted = request.get_header::<AcceptEncoding>();
    let gzip = accepted.and_then(|accepted| accepted.negotiate([Encoding::gzip(), Encoding::identity()].iter()));
    let headers = request.headers_mut();
    if gzip == Some(Encoding::gzip()) {
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    } else {
        headers.remove(header::ACCEPT_ENCODING);
    }
    next.call(request).await
}
