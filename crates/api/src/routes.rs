//! The one table of routes: where each is, what may be asked there, and which scope an admin needs for it. What a booking is touched
//! with is judged where its id is known, by `Access::may_touch`.

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, AcceptEncoding, Encoding, HeaderValue};
use actix_web::middleware::{Compress, Next, from_fn};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpMessage, HttpResponse, Resource, Responder, Route, guard};
use telemetry::Route as CountedRoute;

use crate::access::Scope;
use crate::app::App;
use crate::body::BODY_BYTES_MAX;
use crate::openapi::{self, Call, Verb};
use crate::problem::Problem;
use crate::room::while_there_is_room;
use crate::{admin, bookings, editing, health, lists, shows};

/// Adds every route.
pub(crate) fn routes(config: &mut ServiceConfig) {
    register(config, &mut Vec::new());
}

/// The calls of every route.
pub(crate) fn calls() -> Vec<Call> {
    let mut calls = Vec::new();
    // An application that is never served: registering is how the calls are told.
    let _ = actix_web::App::new().configure(|config| register(config, &mut calls));
    calls
}

/// Adds every route, and tells what it is called by.
fn register(config: &mut ServiceConfig, calls: &mut Vec<Call>) {
    config
        .app_data(web::PayloadConfig::new(BODY_BYTES_MAX))
        .app_data(
            web::QueryConfig::default()
                .error_handler(|_, _| Problem::bad_request("invalid_query", "The query could not be read.").into()),
        )
        // They are tried in this order: what a sale needs first.
        .service(resource(calls, openapi::bookings::BOOK, bookings::book).wrap(from_fn(while_there_is_room)))
        .service(resource(calls, openapi::bookings::CONFIRM, bookings::confirm).wrap(from_fn(while_there_is_room)))
        .service(resource(calls, openapi::bookings::CANCEL, bookings::cancel).wrap(from_fn(while_there_is_room)))
        .service(resource(calls, openapi::bookings::EXTEND, bookings::extend).wrap(from_fn(while_there_is_room)))
        .service(resource(calls, openapi::bookings::CHANGE, bookings::change).wrap(from_fn(while_there_is_room)))
        .service(resource(calls, openapi::shows::SHOWS, shows::list))
        .service(resource(calls, openapi::shows::SEATS, shows::seats).wrap(Compress::default()).wrap(from_fn(gzip_or_plain)))
        .service(resource(calls, openapi::shows::SHOW, shows::find))
        .service(resource(calls, openapi::bookings::BOOKING, bookings::find))
        .service(
            web::scope(ADMIN)
                .app_data(CountedRoute::named(ADMIN))
                .wrap(from_fn(admins_only))
                .service(resource(calls, openapi::admin::CREATE_SHOW, admin::create_show))
                .service(resource(calls, openapi::lists::BOOKINGS, lists::bookings))
                .service(resource(calls, openapi::lists::HOLDS, lists::holds))
                .service(resource(calls, openapi::lists::REFUNDS, lists::refunds))
                .service(resource(calls, openapi::admin::COUNTS, admin::counts))
                .service(resource(calls, openapi::editing::EDIT, editing::edit))
                .service(resource(calls, openapi::editing::CANCEL, editing::cancel))
                .service(resource(calls, openapi::editing::BLOCK, editing::block))
                .service(resource(calls, openapi::admin::CANCEL, admin::cancel_booking))
                .service(resource(calls, openapi::lists::HISTORY, lists::history))
                .default_service(web::to(unknown_route)),
        )
        .service(resource(calls, openapi::health::HEALTHZ, health::healthz))
        .service(resource(calls, openapi::health::READYZ, health::readyz))
        .service(resource(calls, openapi::DOCUMENT, openapi::document))
        .service(resource(calls, openapi::PAGE, openapi::page))
        .default_service(web::to(unknown_route));
}

/// The scope of what only the admin may do; the paths of its calls begin with it.
const ADMIN: &str = "/admin";

/// The path of a call with its one route, which is counted under its pattern; any other method is told which is allowed.
fn resource<F, Args>(calls: &mut Vec<Call>, call: Call, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    calls.push(call);
    let route = match call.verb {
        // `HEAD` is answered alike but without the body.
        Verb::Get => web::route().guard(guard::Any(guard::Get()).or(guard::Head())),
        Verb::Post => web::post(),
    };
    let route = route.to(handler);
    let route = if let Some(scope) = call.scope { needs(scope, route) } else { route };
    let path = call.path.strip_prefix(ADMIN).unwrap_or(call.path);
    web::resource(path).app_data(CountedRoute::default()).route(route).default_service(web::to(move || async move {
        let allowed = call.allowed();
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
