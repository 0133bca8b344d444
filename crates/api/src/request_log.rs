//! Around every request: its id, its count and its span, the access log, and the one line of a failure of ours.

use std::borrow::Cow;
use std::time::Instant;

use actix_cors::CorsError;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue, VARY};
use actix_web::middleware::Next;
use actix_web::web::Data;
use rand::Rng;
use telemetry::{RequestSpan, Route};

use crate::app::App;
use crate::health::is_probe;
use crate::problem::Problem;
use crate::rate_limit::{RATE_LIMIT, RATE_LIMIT_POLICY};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken over from a client, in characters.
const REQUEST_ID_CHARS_MAX: usize = 128;

/// Names the request, runs it, counts it, and writes it down.
pub(crate) async fn log<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let begun = Instant::now();
    let id = request_id(&request);
    let method = request.method().clone();
    let span = span(&request);
    let response = match &span {
        Some(span) => span.caller().brings(next.call(request)).await?,
        None => next.call(request).await?,
    };
    let (mut code, mut internal) = (None, None);
    let failure = response.response().error().map(|error| {
        let problem = as_problem(error);
        code = Some(problem.code);
        internal.clone_from(&problem.internal);
        let mut failure = problem.respond(id.to_str().ok());
        // The response is written anew; what CORS and the rate limit have put on it stays.
        let stays = |name: &HeaderName| {
            [VARY, RATE_LIMIT, RATE_LIMIT_POLICY].contains(name) || name.as_str().starts_with("access-control-")
        };
        for (name, value) in response.headers().iter().filter(|(name, _)| stays(name)) {
            failure.headers_mut().insert(name.clone(), value.clone());
        }
        failure
    });
    let mut response = match failure {
        Some(failure) => response.into_response(failure).map_into_right_body(),
        None => response.map_into_left_body(),
    };
    response.headers_mut().insert(REQUEST_ID, id.clone());
    let trace_id = span.as_ref().map(RequestSpan::trace_id);
    count(&method, &response, code, begun, span);
    let ids = Ids { request_id: id.to_str().unwrap_or_default(), trace_id: trace_id.as_deref() };
    write_down(&method, &response, ids, begun, internal.as_deref());
    Ok(response)
}

/// The request's span, if it is traced. Probes come every few seconds, and nobody looks for them.
fn span(request: &ServiceRequest) -> Option<RequestSpan> {
    if is_probe(request.path()) {
        return None;
    }
    let traces = request.app_data::<Data<App>>()?.traces.as_ref()?;
    traces.request(|name| request.headers().get(name)?.to_str().ok())
}

/// Counts the request where it was answered, and ends its span.
fn count<B>(
    method: &Method,
    response: &ServiceResponse<B>,
    code: Option<&'static str>,
    begun: Instant,
    span: Option<RequestSpan>,
) {
    let (request, status) = (response.request(), response.status().as_u16());
    let Some(app) = request.app_data::<Data<App>>() else { return };
    let pattern = || request.match_pattern();
    app.requests.answered(request.app_data::<Route>(), pattern, method.as_str(), status, begun.elapsed());
    if let Some(code) = code {
        app.requests.refused(code);
    }
    if let Some(span) = span {
        span.end(method.as_str(), pattern(), status);
    }
}

/// The failure, whoever made it.
fn as_problem(error: &actix_web::Error) -> Cow<'_, Problem> {
    if let Some(problem) = error.as_error::<Problem>() {
        return Cow::Borrowed(problem);
    }
    let status = error.as_response_error().status_code();
    Cow::Owned(match error.as_error::<CorsError>() {
        Some(refusal) => Problem::new(status, "cors_refused", format!("{refusal}.")),
        None => Problem::new(status, "refused", status.canonical_reason().unwrap_or("The request was refused.")).because(error),
    })
}

/// What a line of the log is found by.
#[derive(Clone, Copy)]
struct Ids<'a> {
    request_id: &'a str,
    /// If it is traced.
    trace_id: Option<&'a str>,
}

fn write_down<B>(method: &Method, response: &ServiceResponse<B>, ids: Ids<'_>, begun: Instant, internal: Option<&str>) {
    if internal.is_none() && !tracing::enabled!(target: "access", tracing::Level::INFO) {
        return;
    }
    let Ids { request_id, trace_id } = ids;
    // The pattern, not the path: its values are few, and it holds nothing of the client's.
    let route = response.request().match_pattern().unwrap_or_else(|| "unknown".to_owned());
    let status = response.status().as_u16();
    let latency_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    if let Some(cause) = internal {
        tracing::error!(target: "access", %method, route, status, latency_us, request_id, trace_id, cause, "request failed");
    } else {
        tracing::info!(target: "access", %method, route, status, latency_us, request_id, trace_id, "request");
    }
}

/// The client's id if it sent a decent one, else one of our own.
fn request_id(request: &ServiceRequest) -> HeaderValue {
    let decent = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        (1..=REQUEST_ID_CHARS_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
    };
    request.headers().get(REQUEST_ID).filter(decent).cloned().unwrap_or_else(|| {
        let id = format!("{:016x}", rand::rng().next_u64());
        HeaderValue::from_str(&id).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
    })
}
