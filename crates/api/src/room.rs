//! The door of `/book`: while the box office takes no more, a request is turned away before it is read.
//!
//! Of a load that is too much, most is refused: what a refusal costs is taken from those who could be served.

use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web::Data;
use box_office::Declined;
use futures_util::StreamExt;

use crate::app::App;
use crate::body::BODY_BYTES_MAX;
use crate::problem::Problem;

/// How long a refusal waits for a body that is still on its way.
const PATIENCE: Duration = Duration::from_millis(10);

/// Lets a command through while there is room for one more.
pub(crate) async fn while_there_is_room<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let is_busy = || request.app_data::<Data<App>>().is_some_and(|app| app.box_office.is_busy());
    if request.method() != Method::POST || !is_busy() {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    }
    pass_over(request.take_payload()).await;
    Ok(request.error_response(Problem::from(Declined::Full)).map_into_right_body())
}

/// Takes a body off the connection, so that it can be used for the next request. One that is late or large is left where it is:
/// then the connection is closed after the answer.
pub(crate) async fn pass_over(mut body: Payload) {
    let all = async {
        let mut bytes = 0;
        while let Some(Ok(chunk)) = body.next().await {
            bytes += chunk.len();
            if bytes > BODY_BYTES_MAX {
                return;
            }
        }
    };
    // Late is as good as never.
    let _ = tokio::time::timeout(PATIENCE, all).await;
}
