//! Failures on the wire: RFC 9457 `application/problem+json`, with the contract's `error` member.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

/// A failure, as the client sees it; and what the log gets besides.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// Stable, for programs.
    pub(crate) code: &'static str,
    /// A sentence for a person.
    pub(crate) detail: String,
    /// Whether the same request may succeed later.
    pub(crate) retryable: bool,
    /// For the log only.
    pub(crate) internal: Option<String>,
    facts: Vec<(&'static str, Value)>,
    headers: Vec<(header::HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { status, code, detail, retryable: false, internal: None, facts: Vec::new(), headers: Vec::new() }
    }

    /// A request that can't be understood.
    pub(crate) fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// A dependency in trouble: the client may come again in a second.
    pub(crate) fn unavailable(code: &'static str, detail: &str) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
        problem.with_header(header::RETRY_AFTER, HeaderValue::from_static("1")).retryable(true)
    }

    /// One more member of the body.
    pub(crate) fn with(mut self, member: &'static str, value: impl Into<Value>) -> Self {
        self.facts.push((member, value.into()));
        self
    }

    pub(crate) fn with_header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn retryable(mut self, retryable: bool) -> Self {
        self.retryable = retryable;
        self
    }

    /// What the log shall say, and the client shall not see.
    pub(crate) fn because(mut self, internal: impl fmt::Display) -> Self {
        self.internal = Some(internal.to_string());
        self
    }

    /// The response. A failure of ours names the request, so that its log line can be found.
    pub(crate) fn respond(&self, request_id: Option<&str>) -> HttpResponse {
        let body = Body { problem: self, request_id: request_id.filter(|_| self.status.is_server_error()) };
        let mut response = HttpResponse::build(self.status);
        for header in &self.headers {
            response.insert_header(header.clone());
        }
        response.content_type("application/problem+json").body(serde_json::to_vec(&body).unwrap_or_default())
    }
}

/// The members on the wire. Written straight into bytes: on the day of a big sale most answers are refusals.
struct Body<'a> {
    problem: &'a Problem,
    request_id: Option<&'a str>,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Problem { status, code, detail, retryable, facts, .. } = self.problem;
        let mut body = serializer.serialize_map(None)?;
        body.serialize_entry("type", &format!("urn:rowlock:problem:{code}"))?;
        body.serialize_entry("title", status.canonical_reason().unwrap_or("Error"))?;
        body.serialize_entry("status", &status.as_u16())?;
        body.serialize_entry("code", code)?;
        body.serialize_entry("error", detail)?;
        body.serialize_entry("detail", detail)?;
        body.serialize_entry("retryable", retryable)?;
        for (member, value) in facts {
            body.serialize_entry(member, value)?;
        }
        if let Some(id) = self.request_id {
            body.serialize_entry("request_id", id)?;
        }
        body.end()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status.as_u16(), self.code)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    /// Without a body: `request_log`, which every response passes, writes it, with the request's id.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status)
    }
}
