//! Request bodies: JSON objects, strictly typed, with every mistake named. Unknown members are ignored.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::{StatusCode, header};
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use serde_json::{Map, Value, json};

use crate::problem::Problem;

/// Largest request body, in bytes.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;

/// How long a client may take to send its body.
const PATIENCE: Duration = Duration::from_secs(10);

/// The members of a JSON object, and the mistakes found in reading them.
#[derive(Clone)]
pub(crate) struct Body {
    members: Map<String, Value>,
    mistakes: Vec<(&'static str, &'static str)>,
}

impl FromRequest for Body {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let kind = request.content_type().to_ascii_lowercase();
        let encoded = request.headers().get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity");
        let is_json = !encoded && (kind == "application/json" || kind.ends_with("+json"));
        let bytes = Bytes::from_request(request, payload);
        Box::pin(async move {
            if !is_json {
                let detail = "The body must be plain JSON, with Content-Type: application/json.";
                return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail));
            }
            let bytes = tokio::time::timeout(PATIENCE, bytes).await.map_err(|_| too_slow())?;
            let bytes = bytes.map_err(|error| unreadable(&error))?;
            Self::parse(&bytes)
        })
    }
}

fn too_slow() -> Problem {
    let detail = format!("The body must arrive within {} seconds.", PATIENCE.as_secs());
    Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail)
        .with_header(header::CONNECTION, header::HeaderValue::from_static("close"))
}

fn unreadable(error: &actix_web::Error) -> Problem {
    match error.as_error::<PayloadError>() {
        Some(PayloadError::Overflow) => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("The body must be at most {BODY_BYTES_MAX} bytes long."),
        ),
        _ if error.as_response_error().status_code() == StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("The body must be at most {BODY_BYTES_MAX} bytes long."),
        ),
        _ => Problem::bad_request("unreadable_body", "The body could not be read."),
    }
}

impl Body {
    /// The members of this object.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(members)) => Ok(Self { members, mistakes: Vec::new() }),
            Ok(_) => Err(Problem::bad_request("invalid_json", "The body must be a JSON object.")),
            Err(_) if bytes.is_empty() => Err(Problem::bad_request("invalid_json", "A JSON body is needed.")),
            Err(error) => Err(Problem::bad_request(
                "invalid_json",
                format!("The body is not valid JSON (line {}, column {}).", error.line(), error.column()),
            )),
        }
    }

    /// An integer that must be there.
    pub(crate) fn integer(&mut self, member: &'static str) -> i64 {
        let value = self.members.get(member).and_then(Value::as_i64);
        self.needed(member, "must be an integer", value)
    }

    /// A text that must be there.
    pub(crate) fn text(&mut self, member: &'static str) -> String {
        let value = match self.members.remove(member) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        self.needed(member, "must be a string", value)
    }

    /// A text that may be missing or null.
    pub(crate) fn optional_text(&mut self, member: &'static str) -> Option<String> {
        match self.members.remove(member) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(_) => self.needed(member, "must be a string", None),
        }
    }

    /// A list of integers that must be there.
    pub(crate) fn integers(&mut self, member: &'static str) -> Vec<i64> {
        let value = self.members.get(member).and_then(Value::as_array);
        let value = value.and_then(|items| items.iter().map(Value::as_i64).collect());
        self.needed(member, "must be an array of integers", value)
    }

    /// A list of integers that may be missing or null.
    pub(crate) fn optional_integers(&mut self, member: &'static str) -> Option<Vec<i64>> {
        match self.members.get(member) {
            None | Some(Value::Null) => None,
            Some(_) => Some(self.integers(member)),
        }
    }

    /// An integer that may be missing or null.
    pub(crate) fn optional_integer(&mut self, member: &'static str) -> Option<i64> {
        match self.members.get(member) {
            None | Some(Value::Null) => None,
            Some(_) => Some(self.integer(member)),
        }
    }

    /// A truth value that may be missing or null, and then is false.
    pub(crate) fn optional_boolean(&mut self, member: &'static str) -> bool {
        match self.members.get(member) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(value)) => *value,
            Some(_) => self.needed(member, "must be true or false", None),
        }
    }

    /// What is read of a member, or something else if it is missing.
    pub(crate) fn if_given<T>(&mut self, member: &'static str, missing: T, read: impl FnOnce(&mut Self) -> T) -> T {
        if self.members.contains_key(member) { read(self) } else { missing }
    }

    /// All members but this one, in a form that does not depend on how they were written.
    pub(crate) fn canonical_without(&self, member: &str) -> Vec<u8> {
        let members: BTreeMap<_, _> = self.members.iter().filter(|(name, _)| *name != member).collect();
        serde_json::to_vec(&members).unwrap_or_default()
    }

    /// One more mistake; the first one of a member is enough.
    pub(crate) fn mistake(&mut self, member: &'static str, expected: &'static str) {
        if self.mistakes.iter().all(|(mistaken, _)| *mistaken != member) {
            self.mistakes.push((member, expected));
        }
    }

    fn needed<T: Default>(&mut self, member: &'static str, expected: &'static str, value: Option<T>) -> T {
        value.unwrap_or_else(|| {
            self.mistake(member, expected);
            T::default()
        })
    }

    /// All of the mistakes as one problem, when there is nothing more to read.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        self.check()
    }

    /// All of the mistakes up to here as one problem.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        if self.mistakes.is_empty() {
            return Ok(());
        }
        let sentences: Vec<String> = self.mistakes.iter().map(|(member, expected)| format!("{member} {expected}")).collect();
        let facts: Vec<Value> =
            self.mistakes.iter().map(|(member, expected)| json!({"member": member, "expected": expected})).collect();
        Err(Problem::bad_request("invalid_request", format!("{}.", sentences.join("; "))).with("mistakes", facts))
    }
}
