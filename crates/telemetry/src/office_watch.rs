//! What the box office does, counted and traced.

use std::sync::Arc;
use std::time::Duration;

use box_office::{Batch, BatchKind, Observer};
use domain::{Outcome, StoreError};
use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec};

use crate::metrics::{Metrics, MetricsError, SECONDS};
use crate::traces::Traces;

/// The observer of a box office.
pub struct OfficeWatch {
    waits: Histogram,
    lane: Calls,
    look: Calls,
    alone: Calls,
    failures: IntCounterVec,
    outcomes: Outcomes,
    traces: Option<Arc<Traces>>,
}

/// Calls to the store of one kind.
struct Calls {
    commands: Histogram,
    duration: Histogram,
}

/// What came of commands.
struct Outcomes {
    held: IntCounter,
    confirmed: IntCounter,
    reclaimed: IntCounter,
    blocked: IntCounter,
    expired: IntCounter,
    cancelled: IntCounter,
    extended: IntCounter,
    changed: IntCounter,
    replayed: IntCounter,
    refused: IntCounter,
}

/// Doubling, up to the largest batch that can be set.
const COMMANDS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0];

impl OfficeWatch {
    /// Adds the metrics of the box office.
    ///
    /// # Errors
    /// [`MetricsError`].
    pub fn new(metrics: &Metrics, traces: Option<Arc<Traces>>) -> Result<Self, MetricsError> {
        let help = "Time from a command's coming to its being taken into a batch, in seconds.";
        let waits = metrics.histogram("rowlock_queue_wait_seconds", help, SECONDS)?;
        let help = "Commands in a batch: of a lane, of a look before the queue, or tried alone.";
        let commands = metrics.histograms("rowlock_batch_commands", help, COMMANDS, &["kind"])?;
        let help = "Time that the store took for a batch, in seconds.";
        let duration = metrics.histograms("rowlock_batch_duration_seconds", help, SECONDS, &["kind"])?;
        let help = "Batches that the store did not do, by its reason.";
        let failures = metrics.counters("rowlock_batch_failures_total", help, &["kind", "error"])?;
        for kind in [BatchKind::Lane, BatchKind::Look, BatchKind::Alone] {
            for error in ["unavailable", "contended", "outcome_unknown", "corrupt"] {
                failures.with_label_values(&[word_for(kind), error]);
            }
        }
        let of = |kind| Calls::new(&commands, &duration, kind);
        Ok(Self {
            waits,
            lane: of(BatchKind::Lane),
            look: of(BatchKind::Look),
            alone: of(BatchKind::Alone),
            failures,
            outcomes: Outcomes::new(metrics)?,
            traces,
        })
    }

    const fn calls(&self, kind: BatchKind) -> &Calls {
        match kind {
            BatchKind::Lane => &self.lane,
            BatchKind::Look => &self.look,
            BatchKind::Alone => &self.alone,
        }
    }
}

impl Outcomes {
    fn new(metrics: &Metrics) -> Result<Self, MetricsError> {
        let help = "Commands by what came of them; what was refused before it reached the box office is not among them.";
        let outcomes = metrics.counters("rowlock_commands_total", help, &["outcome"])?;
        let of = |outcome| outcomes.with_label_values(&[outcome]);
        Ok(Self {
            held: of("held"),
            confirmed: of("confirmed"),
            reclaimed: of("reclaimed"),
            blocked: of("blocked"),
            expired: of("expired"),
            cancelled: of("cancelled"),
            extended: of("extended"),
            changed: of("changed"),
            replayed: of("replayed"),
            refused: of("refused"),
        })
    }

    /// The one for this outcome, if commands have it.
    const fn of(&self, outcome: &Outcome) -> Option<&IntCounter> {
        Some(match outcome {
            Outcome::Held { .. } => &self.held,
            Outcome::Confirmed { .. } => &self.confirmed,
            Outcome::Reclaimed { .. } => &self.reclaimed,
            Outcome::Blocked { .. } => &self.blocked,
            Outcome::Expired { .. } => &self.expired,
            Outcome::Cancelled { .. } => &self.cancelled,
            Outcome::Extended { .. } => &self.extended,
            Outcome::Changed { .. } => &self.changed,
            Outcome::ShowCreated { .. } | Outcome::ShowEdited { .. } | Outcome::ShowCancelled { .. } => return None,
            Outcome::Replayed(_) => &self.replayed,
            Outcome::Refused(_) => &self.refused,
        })
    }
}

impl Calls {
    fn new(commands: &HistogramVec, duration: &HistogramVec, kind: BatchKind) -> Self {
        let labels = [word_for(kind)];
        Self { commands: commands.with_label_values(&labels), duration: duration.with_label_values(&labels) }
    }
}

impl Observer for OfficeWatch {
    fn waited(&self, wait: Duration) {
        self.waits.observe(wait.as_secs_f64());
    }

    fn ran(&self, batch: &Batch<'_>) {
        let calls = self.calls(batch.kind);
        // A batch has at most some thousands.
        calls.commands.observe(u32::try_from(batch.commands).unwrap_or(u32::MAX).into());
        calls.duration.observe(batch.took.as_secs_f64());
        if let Some(error) = batch.error {
            self.failures.with_label_values(&[word_for(batch.kind), word_for_error(error)]).inc();
        }
        if let Some(traces) = &self.traces {
            traces.batch(batch);
        }
    }

    fn settled(&self, outcome: &Outcome) {
        if let Some(counter) = self.outcomes.of(outcome) {
            counter.inc();
        }
    }
}

/// How a kind of batch is called where it is shown.
pub(crate) const fn word_for(kind: BatchKind) -> &'static str {
    match kind {
        BatchKind::Lane => "lane",
        BatchKind::Look => "look",
        BatchKind::Alone => "alone",
    }
}

/// How a failure is called where it is shown: its text stays in the log.
pub(crate) const fn word_for_error(error: &StoreError) -> &'static str {
    match error {
        StoreError::Unavailable(_) => "unavailable",
        StoreError::Contended(_) => "contended",
        StoreError::OutcomeUnknown(_) => "outcome_unknown",
        StoreError::Corrupt(_) => "corrupt",
    }
}
