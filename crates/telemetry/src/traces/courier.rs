//! Carries spans to the collector.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use opentelemetry_http::{HttpClient, HttpError};
use tokio::net::TcpStream;
use tokio::runtime::Handle;

/// How long the collector has to take what it is sent.
const PATIENCE: Duration = Duration::from_secs(5);

/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// How often trouble is logged, at most.
const TROUBLE_EVERY: Duration = Duration::from_mins(1);

/// An HTTP client: a connection for each parcel, of which there is one in a few seconds. Whoever exports has a thread without a
/// runtime, so that the sending is done on ours.
#[derive(Debug)]
pub(super) struct Courier {
    runtime: Handle,
    /// When trouble was last logged, if there is any.
    trouble: Mutex<Option<Instant>>,
}

impl Courier {
    pub(super) fn new() -> Self {
        Self { runtime: Handle::current(), trouble: Mutex::new(None) }
    }

    /// Says that spans are lost when that begins, and once in a while; and when it is over.
    fn note(&self, error: Option<&str>) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match (error, *trouble) {
            (Some(_), Some(logged)) if logged.elapsed() < TROUBLE_EVERY => {}
            (Some(error), _) => {
                *trouble = Some(Instant::now());
                tracing::warn!(error, "traces can't be sent, and are dropped");
            }
            (None, Some(_)) => {
                *trouble = None;
                tracing::info!("traces are being sent again");
            }
            (None, None) => {}
        }
    }
}

#[async_trait]
impl HttpClient for Courier {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = self.runtime.spawn(async { tokio::time::timeout(PATIENCE, send(request)).await }).await;
        let sent = match sent {
            Ok(Ok(sent)) => sent,
            Ok(Err(_)) => Err("the collector does not answer".into()),
            Err(ended) => Err(ended.into()),
        };
        match &sent {
            Ok(response) if response.status().is_success() => self.note(None),
            Ok(response) => self.note(Some(&format!("the collector answers {}", response.status()))),
            Err(error) => self.note(Some(&error.to_string())),
        }
        sent
    }
}

async fn send(request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let (mut head, body) = request.into_parts();
    let authority = head.uri.authority().ok_or("an address without a host")?.clone();
    let address = if authority.port().is_some() { authority.to_string() } else { format!("{authority}:80") };
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    // A server is asked by path, and told its own name.
    head.headers.insert(HOST, HeaderValue::from_str(authority.as_str())?);
    head.uri = head.uri.path_and_query().map_or_else(Uri::default, |path| Uri::from(path.clone()));
    let (head, body) = sender.send_request(Request::from_parts(head, Full::new(body))).await?.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|error| error as Box<dyn Error + Send + Sync>)?;
    Ok(Response::from_parts(head, body.to_bytes()))
}
