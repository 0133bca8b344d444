//! Small answers over HTTP, beside whatever else the program does.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// How long a client may take for its request, and for all of it until it has its answer.
const HEAD_PATIENCE: Duration = Duration::from_secs(4);
const PATIENCE: Duration = Duration::from_secs(15);

/// Clients at once; one more waits.
const CLIENTS_MAX: usize = 32;

/// The wait before an address that is in use is tried again.
const ADDRESS_PATIENCE: Duration = Duration::from_secs(5);

/// Answers for as long as the program runs, one request for each connection.
pub async fn serve<R>(listener: TcpListener, respond: impl Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static)
where
    R: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(CLIENTS_MAX));
    // It is never closed.
    while let Ok(place) = Arc::clone(&room).acquire_owned().await {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let respond = respond.clone();
        let service = service_fn(move |request| {
            let response = respond(request);
            async move { Ok::<_, Infallible>(response.await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_PATIENCE)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            if let Ok(Err(error)) = tokio::time::timeout(PATIENCE, connection).await {
                tracing::debug!(%error, "a connection broke off");
            }
            drop(place);
        });
    }
}

/// Answers at this address. Where it is in use, it is tried again and again: that a program can't be watched is no reason for it
/// not to work, and the last one to have the address may just be closing.
pub async fn keep_serving<R>(
    address: SocketAddr,
    what: &'static str,
    respond: impl Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static,
) where
    R: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let mut said = false;
    let listener = loop {
        match TcpListener::bind(address).await {
            Ok(listener) => break listener,
            Err(error) => {
                if !std::mem::replace(&mut said, true) {
                    tracing::warn!(%error, wanted = %address, "{what} can't be served yet; trying on");
                }
                tokio::time::sleep(ADDRESS_PATIENCE).await;
            }
        }
    };
    let at = listener.local_addr().unwrap_or(address);
    tracing::info!(%at, "serving {what}");
    serve(listener, respond).await;
}
