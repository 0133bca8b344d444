//! The page that Prometheus reads.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use domain::StoreHealth;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response, StatusCode};
use prometheus::Gauge;

use crate::metrics::{Metrics, MetricsError};
use crate::serve::keep_serving;

/// `GET /metrics`. Some of it is asked of the store when it is read.
pub struct Page {
    metrics: Metrics,
    health: Arc<dyn StoreHealth>,
    ready: Gauge,
    oldest_dead_hold: Gauge,
}

impl Page {
    /// The page of these metrics, to which it adds how the store is.
    ///
    /// # Errors
    /// [`MetricsError`].
    pub fn new(metrics: Metrics, health: Arc<dyn StoreHealth>) -> Result<Self, MetricsError> {
        let ready =
            metrics.gauge("rowlock_store_ready", "1 when the store can be reached and its migrations are current, else 0.")?;
        let help = "How long the hold that has been dead longest stands there without having been failed, in seconds; NaN when the \
                    store does not say.";
        let oldest_dead_hold = metrics.gauge("rowlock_oldest_dead_hold_seconds", help)?;
        Ok(Self { metrics, health, ready, oldest_dead_hold })
    }

    /// Serves it at this address for as long as the program runs.
    pub async fn keep_serving(self, address: SocketAddr) {
        let page = Arc::new(self);
        keep_serving(address, "metrics", move |request| {
            let page = Arc::clone(&page);
            async move {
                match (request.method(), request.uri().path()) {
                    (&Method::GET, "/metrics") => page.read().await,
                    _ => text(StatusCode::NOT_FOUND, "The metrics are at GET /metrics.\n".to_owned()),
                }
            }
        })
        .await;
    }

    async fn read(self: Arc<Self>) -> Response<Full<Bytes>> {
        let (ready, oldest) = tokio::join!(self.health.ready(), self.health.oldest_dead_hold());
        self.ready.set(if ready.is_ok() { 1.0 } else { 0.0 });
        self.oldest_dead_hold.set(oldest.map_or(f64::NAN, |age| age.as_secs_f64()));
        // On a thread of its own: whoever runs batches must not wait for it.
        match tokio::task::spawn_blocking(move || self.metrics.text()).await {
            Ok(Ok(page)) => text(StatusCode::OK, page),
            failed => {
                tracing::error!(?failed, "the metrics can't be written");
                text(StatusCode::INTERNAL_SERVER_ERROR, "The metrics can't be written.\n".to_owned())
            }
        }
    }
}

fn text(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    response
}
