//! What came back, or why nothing did.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use hyper::HeaderMap;
use serde::de::{Deserialize, DeserializeOwned};
use thiserror::Error;

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as it came.
    pub body: Bytes,
}

/// Why a call has no answer, or not the answer that was asked for.
#[derive(Debug, Error)]
pub enum CallError {
    /// The path or a header can't be sent.
    #[error("the request can't be written: {0}")]
    Unwritable(#[from] hyper::http::Error),
    /// There is no connection. Nothing was sent.
    #[error("no connection: {0}")]
    Connect(#[source] io::Error),
    /// The connection broke before the request was on it. Nothing was sent.
    #[error("the connection broke before the request was sent: {0}")]
    NotSent(#[source] hyper::Error),
    /// The connection broke with the request on it: it may have been served, or may yet be.
    #[error("the connection broke before the answer came: {0}")]
    Lost(#[source] hyper::Error),
    /// No answer in time: it may have been served, or may yet be.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// Answered, with a status that means failure.
    #[error("answered {status}: {body}")]
    Refused {
        /// The status code.
        status: u16,
        /// The body.
        body: String,
    },
    /// Answered, with a body that does not say what the contract promises.
    #[error("the answer's body is not what the contract says: {0}")]
    Body(#[from] serde_json::Error),
}

impl CallError {
    /// Whether the request may have had its effect although there is no answer.
    pub const fn outcome_unknown(&self) -> bool {
        match self {
            Self::Lost(_) | Self::TimedOut(_) => true,
            Self::Unwritable(_) | Self::Connect(_) | Self::NotSent(_) | Self::Refused { .. } | Self::Body(_) => false,
        }
    }
}

impl Answer {
    /// Whether the status is 2xx.
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// This answer if it is a success.
    ///
    /// # Errors
    /// [`CallError::Refused`] for any other status.
    pub fn success(self) -> Result<Self, CallError> {
        if self.is_success() { Ok(self) } else { Err(CallError::Refused { status: self.status, body: self.text() }) }
    }

    /// The body as JSON, whatever the status.
    ///
    /// # Errors
    /// [`CallError::Body`] if it is not a `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        self.json_borrowed()
    }

    /// The same, for a `T` that may borrow from the body.
    pub(super) fn json_borrowed<'a, T: Deserialize<'a>>(&'a self) -> Result<T, CallError> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value, if there is one and it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
