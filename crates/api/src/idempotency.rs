//! `Idempotency-Key`: what makes a request known again.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use chrono::TimeDelta;
use domain::{Fingerprint, Idempotency, IdempotencyKey};
use sha2::{Digest, Sha256};

use crate::body::Body;
use crate::problem::Problem;

/// The header.
pub(crate) const KEY: &str = "Idempotency-Key";

/// Says that an answer is the one that the first request under this key got.
pub(crate) const REPLAYED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));

/// The key that the request shows, with a digest of what it asks for; `None` without one. To be taken before the body is read, which
/// takes members out of it.
pub(crate) fn of(request: &HttpRequest, body: &Body, keep_for: TimeDelta) -> Result<Option<Idempotency>, Problem> {
    let mut given = request.headers().get_all(KEY);
    let Some(value) = given.next() else { return Ok(None) };
    let key = value.to_str().ok().filter(|_| given.next().is_none()).and_then(|key| IdempotencyKey::new(key).ok());
    let key = key.ok_or_else(|| {
        let detail = format!("{KEY} must be given once, as 1 to {} visible ASCII characters.", IdempotencyKey::CHARS_MAX);
        Problem::bad_request("invalid_idempotency_key", detail)
    })?;
    Ok(Some(Idempotency { key, fingerprint: fingerprint(request, body), keep_for }))
}

/// The same for the same members at the same address, in whatever order and spelling they come. A token only opens the door: it may
/// come in the body once and in a header the next time.
fn fingerprint(request: &HttpRequest, body: &Body) -> Fingerprint {
    let mut digest = Sha256::new();
    digest.update(request.method().as_str());
    digest.update(" ");
    digest.update(request.path());
    digest.update("\n");
    digest.update(body.canonical_without("bookingToken"));
    Fingerprint(digest.finalize().into())
}

pub(crate) fn key_reused() -> Problem {
    let detail = "Another request was made under this Idempotency-Key; nothing has changed.";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail)
}
