//! One kept connection and the requests on it.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Uri};
use serde::Serialize;

use super::alarm::Alarm;
use super::wire::Wire;
use super::{Answer, BaseUrl, CallError};

/// How long a call may take, unless [`Connection::set_time_limit`] says otherwise.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// After this long without a call, look whether the server has hung up before sending another.
const IDLE: Duration = Duration::from_millis(100);

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// One customer's connection to a server: one call at a time, kept alive between calls, opened again when it is gone.
pub struct Connection {
    base: BaseUrl,
    admin_token: Option<String>,
    time_limit: Duration,
    alarm: Alarm,
    // In a box, since it is taken out for every call, and is large.
    wire: Option<Box<Wire>>,
    last_used: Instant,
    pub(super) buffer: BytesMut,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// [`CallError::Connect`], [`CallError::NotSent`], [`CallError::TimedOut`].
    pub async fn open(base: &BaseUrl) -> Result<Self, CallError> {
        let wire = tokio::time::timeout(TIME_LIMIT, Wire::open(base)).await;
        let wire = wire.unwrap_or(Err(CallError::TimedOut(TIME_LIMIT)))?;
        Ok(Self {
            base: base.clone(),
            admin_token: None,
            time_limit: TIME_LIMIT,
            alarm: Alarm::new(),
            wire: Some(wire),
            last_used: Instant::now(),
            buffer: BytesMut::new(),
        })
    }

    /// The same, with the token that the admin routes ask for.
    #[must_use]
    pub fn with_admin_token(mut self, token: Option<&str>) -> Self {
        self.admin_token = token.map(str::to_owned);
        self
    }

    /// Lets a call take this long, to the last byte of its answer.
    pub const fn set_time_limit(&mut self, limit: Duration) {
        self.time_limit = limit;
    }

    /// The token for the admin routes.
    pub(super) fn admin_token(&self) -> Option<&str> {
        self.admin_token.as_deref()
    }

    /// `GET path`.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn get(&mut self, path: &str) -> Result<Answer, CallError> {
        self.call(Method::GET, path, None, &[]).await
    }

    /// `POST path` with a JSON body.
    ///
    /// # Errors
    /// As [`Self::call`]; [`CallError::Body`] if `body` can't be written as JSON.
    pub async fn post(&mut self, path: &str, body: &(impl Serialize + Sync + ?Sized)) -> Result<Answer, CallError> {
        let body = serde_json::to_vec(body)?;
        self.call(Method::POST, path, Some(&body), &[]).await
    }

    /// Any request. A body is announced as JSON unless `headers` says what it is.
    ///
    /// A connection that is found closed is opened again; a request that may have reached the server is never repeated.
    ///
    /// # Errors
    /// [`CallError`], except `Refused`: any status is an answer here.
    pub async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&[u8]>,
        headers: &[(&str, &str)],
    ) -> Result<Answer, CallError> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let typed = request.headers_ref().is_some_and(|headers| headers.contains_key(CONTENT_TYPE));
        let mut request = request.body(Full::new(body.map_or_else(Bytes::new, Bytes::copy_from_slice)))?;
        if body.is_some() && !typed {
            request.headers_mut().insert(CONTENT_TYPE, JSON);
        }
        self.exchange(request).await
    }

    /// A JSON request, with a bearer token if there is one.
    pub(super) async fn json_call(
        &mut self,
        method: Method,
        uri: Uri,
        body: Option<Bytes>,
        bearer: Option<&str>,
    ) -> Result<Answer, CallError> {
        let has_body = body.is_some();
        // Not through the builder, which moves all of it at every step.
        let mut request = Request::new(Full::new(body.unwrap_or_default()));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        if has_body {
            request.headers_mut().insert(CONTENT_TYPE, JSON);
        }
        if let Some(token) = bearer {
            let token = HeaderValue::try_from(format!("Bearer {token}")).map_err(hyper::http::Error::from)?;
            request.headers_mut().insert(AUTHORIZATION, token);
        }
        self.exchange(request).await
    }

    async fn exchange(&mut self, mut request: Request<Full<Bytes>>) -> Result<Answer, CallError> {
        request.headers_mut().entry(HOST).or_insert_with(|| self.base.host_header().clone());
        let began = Instant::now();
        let idle = began.duration_since(self.last_used) > IDLE;
        let working = exchange(&self.base, &mut self.wire, idle, request);
        let answer = self.alarm.bound(began + self.time_limit, working).await;
        self.last_used = Instant::now();
        answer.unwrap_or(Err(CallError::TimedOut(self.time_limit)))
    }
}

/// The wire is not in its place while a call is on it, so that a call which is dropped half-way takes the wire with it: the
/// answer still to come must not be taken for the next call's.
async fn exchange(
    base: &BaseUrl,
    place: &mut Option<Box<Wire>>,
    idle: bool,
    request: Request<Full<Bytes>>,
) -> Result<Answer, CallError> {
    let kept = match place.take() {
        Some(wire) => wire.if_still_open(idle).await,
        None => None,
    };
    let mut wire = match kept {
        Some(wire) => wire,
        None => Wire::open(base).await?,
    };
    let mut answer = wire.exchange(request).await;
    if let Err((CallError::NotSent(_), Some(request))) = answer {
        wire = Wire::open(base).await?;
        answer = wire.exchange(*request).await;
    }
    let answer = answer.map_err(|(error, _)| error)?;
    *place = Some(wire);
    Ok(answer)
}
