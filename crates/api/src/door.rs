//! The door of the whole server, before routes and bodies: who has asked too often is turned away, and so is everyone while the
//! store has not been found to have this program's schema. Health is always told, and the
//! description of the interface needs no store.

use std::sync::atomic::Ordering;

use actix_web::HttpMessage;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::app::App;
use crate::health::is_probe;
use crate::openapi::{DOCUMENT_PATH, PAGE_PATH};
use crate::rate_limit::Verdict;
use crate::refusals::not_prepared;
use crate::room::pass_over;

/// Lets a request through, or answers it.
pub(crate) async fn door<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    if is_probe(request.path()) {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    }
    let (verdict, is_prepared) = request
        .app_data::<Data<App>>()
        .map_or((None, true), |app| (app.rate_limits.judge(&request, app), app.prepared.load(Ordering::Acquire)));
    let needs_a_store = !matches!(request.path(), DOCUMENT_PATH | PAGE_PATH);
    let mut response = if let Some(problem) = verdict.as_ref().and_then(Verdict::refusal) {
        pass_over(request.take_payload()).await;
        request.error_response(problem).map_into_right_body()
    } else if is_prepared || !needs_a_store {
        next.call(request).await?.map_into_left_body()
    } else {
        request.error_response(not_prepared()).map_into_right_body()
    };
    if let Some(verdict) = verdict {
        verdict.tell(response.headers_mut());
    }
    Ok(response)
}
