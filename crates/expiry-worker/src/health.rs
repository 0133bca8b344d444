//! How the worker is, over HTTP on loopback: `GET /healthz`.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use box_office::SweepHealth;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::TcpListener;

/// How long a client may take for its request, and the worker for its answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// Listens on loopback.
pub(crate) async fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.with_context(|| format!("can't listen on port {port}"))?;
    tracing::info!(address = %listener.local_addr()?, "answering health checks");
    Ok(listener)
}

/// Answers for as long as the worker runs.
pub(crate) async fn answer(listener: TcpListener, health: Arc<SweepHealth>) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a health check could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let health = Arc::clone(&health);
        let respond = service_fn(move |request| {
            let response = respond(&request, &health);
            async move { Ok::<_, Infallible>(response) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), respond);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a health check broke off");
            }
        });
    }
}

fn respond(request: &Request<Incoming>, health: &SweepHealth) -> Response<Full<Bytes>> {
    let is_healthy = health.is_healthy();
    let (status, body) = if request.uri().path() == "/healthz" {
        let body = json!({
            "status": if is_healthy { "ok" } else { "failing" },
            "seconds_since_last_sweep": health.silence().as_secs(),
            "failures_in_a_row": health.failures(),
            "bookings_expired": health.expired(),
        });
        (if is_healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, body)
    } else {
        (StatusCode::NOT_FOUND, json!({"error": "There is nothing at this address."}))
    };
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Asks a worker on this machine how it is.
pub(crate) fn probe(port: u16) -> anyhow::Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).with_context(|| format!("no worker answers on {address}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(64 * 1024).read_to_string(&mut answer)?;
    anyhow::ensure!(answer.starts_with("HTTP/1.1 200 "), "{}", answer.lines().last().unwrap_or("no answer"));
    Ok(())
}
