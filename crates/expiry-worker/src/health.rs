//! How the worker is, over HTTP on loopback: `GET /healthz`.

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
use hyper::{Request, Response, StatusCode};
use serde_json::json;
use tokio::net::TcpListener;

/// How long the worker may take for its answer.
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
    telemetry::serve(listener, move |request| std::future::ready(respond(&request, &health))).await;
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
