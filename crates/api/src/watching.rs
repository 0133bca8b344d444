//! How the server is seen from outside: its metrics and its traces.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::web::Data;
use box_office::Observer;
use settings::TraceSettings;
use telemetry::{Kind, Metrics, OfficeWatch, Page, Requests, SweepWatch, Traces, watch_batches, watch_pools};

use crate::app::App;
use crate::store::Store;

/// The codes that rules watch for.
const AWAITED: [&str; 6] = ["busy", "timed_out", "contended", "store_unavailable", "outcome_unknown", "internal"];

/// What watches this server.
pub(crate) struct Watching {
    metrics: Metrics,
    pub(crate) office: Arc<dyn Observer>,
    pub(crate) traces: Option<Arc<Traces>>,
}

impl Watching {
    /// Begins to watch the store, and whatever is told to the observers.
    pub(crate) fn begin(settings: &TraceSettings, store: &Store) -> anyhow::Result<Self> {
        let version = env!("CARGO_PKG_VERSION");
        let metrics = Metrics::new("api", version)?;
        let traces = Traces::start(settings, "rowlock-api", version)?;
        if let Some(postgres) = &store.postgres {
            watch_batches(&metrics, postgres)?;
            watch_pools(&metrics, postgres)?;
        }
        let office = Arc::new(OfficeWatch::new(&metrics, traces.clone())?);
        Ok(Self { metrics, office, traces })
    }

    /// What the requests are counted in.
    pub(crate) fn requests(&self) -> anyhow::Result<Requests> {
        Ok(Requests::new(&self.metrics, &AWAITED)?)
    }

    /// Who watches a sweeper of this server's.
    pub(crate) fn sweeps(&self) -> anyhow::Result<Arc<dyn Observer>> {
        Ok(Arc::new(SweepWatch::new(&self.metrics, self.traces.clone())?))
    }

    /// Serves the metrics at this address from now on, if at any.
    pub(crate) fn serve(self, app: &Data<App>, address: Option<SocketAddr>) -> anyhow::Result<()> {
        let Some(address) = address else { return Ok(()) };
        let help = "Commands that wait: for a lane, for a look before it, or to be tried alone beside the lanes.";
        let health = Arc::clone(&app.health);
        let app = app.clone();
        self.metrics.pull(Kind::Gauge, "rowlock_queue_length", help, &["queue"], move || {
            let waiting = app.box_office.waiting();
            let queues = [("lanes", waiting.lanes), ("window", waiting.window), ("aside", waiting.aside)];
            queues.map(|(queue, length)| (vec![queue], u32::try_from(length).unwrap_or(u32::MAX).into())).into()
        })?;
        tokio::spawn(Page::new(self.metrics, health)?.keep_serving(address));
        Ok(())
    }
}
