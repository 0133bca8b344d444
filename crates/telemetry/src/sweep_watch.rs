//! What the sweeper does, counted and traced.

use std::sync::Arc;
use std::time::Duration;

use box_office::Observer;
use domain::{StoreError, Sweep};
use prometheus::{Histogram, IntCounter};

use crate::metrics::{Metrics, MetricsError, SECONDS};
use crate::traces::Traces;

/// The observer of a sweeper.
pub struct SweepWatch {
    done: IntCounter,
    failed: IntCounter,
    duration: Histogram,
    expired: IntCounter,
    lag: Histogram,
    traces: Option<Arc<Traces>>,
}

/// A sweeper looks once in a second; an hour is a worker that was down.
const LAGS: &[f64] = &[0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0];

impl SweepWatch {
    /// Adds the metrics of a sweeper.
    ///
    /// # Errors
    /// [`MetricsError`].
    pub fn new(metrics: &Metrics, traces: Option<Arc<Traces>>) -> Result<Self, MetricsError> {
        let sweeps = metrics.counters("rowlock_sweeps_total", "Sweeps for dead holds, done or failed.", &["result"])?;
        let help = "Time that the store took for a sweep, in seconds.";
        let duration = metrics.histogram("rowlock_sweep_duration_seconds", help, SECONDS)?;
        let expired = metrics.counter("rowlock_expired_bookings_total", "Bookings that sweeps have failed.")?;
        let help = "How long a hold had been dead when a sweep failed it, in seconds: the longest of each sweep that failed any.";
        let lag = metrics.histogram("rowlock_expiry_lag_seconds", help, LAGS)?;
        let (done, failed) = (sweeps.with_label_values(&["done"]), sweeps.with_label_values(&["failed"]));
        Ok(Self { done, failed, duration, expired, lag, traces })
    }
}

impl Observer for SweepWatch {
    fn swept(&self, sweep: &Result<Sweep, StoreError>, took: Duration) {
        self.duration.observe(took.as_secs_f64());
        match sweep {
            Ok(sweep) => {
                self.done.inc();
                if !sweep.expired.is_empty() {
                    self.expired.inc_by(u64::try_from(sweep.expired.len()).unwrap_or(u64::MAX));
                    self.lag.observe(sweep.lag_max.as_secs_f64());
                }
            }
            Err(_) => self.failed.inc(),
        }
        if let Some(traces) = &self.traces {
            traces.sweep(sweep, took);
        }
    }
}
