//! A TCP connection with HTTP on it.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::Context;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{Answer, BaseUrl, CallError};

/// A connection, driven by whoever waits for an answer on it: nobody else has to be woken for that.
pub(super) struct Wire {
    requests: SendRequest<Full<Bytes>>,
    driver: Driver,
}

/// The part that reads and writes; `None` once it has come to its end.
struct Driver(Option<http1::Connection<TokioIo<TcpStream>, Full<Bytes>>>);

impl Wire {
    pub(super) async fn open(base: &BaseUrl) -> Result<Box<Self>, CallError> {
        let stream = TcpStream::connect(base.address()).await.map_err(CallError::Connect)?;
        stream.set_nodelay(true).map_err(CallError::Connect)?;
        // Head and body in one buffer: cheaper than two slices, for bodies as small as these.
        let handshake = http1::Builder::new().writev(false).handshake(TokioIo::new(stream));
        let (requests, driver) = handshake.await.map_err(CallError::NotSent)?;
        let mut wire = Box::new(Self { requests, driver: Driver(Some(driver)) });
        if wire.ready().await { Ok(wire) } else { Err(CallError::Connect(io::ErrorKind::ConnectionReset.into())) }
    }

    /// This wire if it can take a request; `None` if the server has hung up.
    pub(super) async fn if_still_open(mut self: Box<Self>, look_closely: bool) -> Option<Box<Self>> {
        if look_closely {
            // Lets the runtime ask the operating system for news, which may be that the server has hung up.
            tokio::task::yield_now().await;
        }
        self.ready().await.then_some(self)
    }

    async fn ready(&mut self) -> bool {
        poll_fn(|cx| {
            self.driver.drive(cx);
            self.requests.poll_ready(cx)
        })
        .await
        .is_ok()
    }

    /// The answer; or the error, and the request if not a byte of it was sent.
    pub(super) async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, (CallError, Option<Box<Request<Full<Bytes>>>>)> {
        let sending = self.requests.try_send_request(request);
        match self.driver.until(sending).await {
            Ok(response) => self.driver.read(response).await.map_err(|error| (error, None)),
            Err(mut error) => Err(match error.take_message() {
                Some(request) => (CallError::NotSent(error.into_error()), Some(Box::new(request))),
                None => (CallError::Lost(error.into_error()), None),
            }),
        }
    }
}

impl Driver {
    async fn read(&mut self, response: Response<Incoming>) -> Result<Answer, CallError> {
        let (head, body) = response.into_parts();
        let body = self.until(body.collect()).await.map_err(CallError::Lost)?.to_bytes();
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }

    /// Reads and writes until this is there, which comes over the connection.
    async fn until<F: Future>(&mut self, waiting: F) -> F::Output {
        let mut waiting = pin!(waiting);
        poll_fn(|cx| {
            self.drive(cx);
            waiting.as_mut().poll(cx)
        })
        .await
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        // An error is reported to the call that waits; what has come to its end must not be polled again.
        if self.0.as_mut().is_some_and(|connection| Pin::new(connection).poll(cx).is_ready()) {
            self.0 = None;
        }
    }
}
