//! The timer: turns dead holds into FAILED bookings soon after their deadline. Nothing depends on it for being right.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{BookingRepository, StoreError, Sweep};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use rand::RngExt;
use tokio::time::Instant;

use crate::observer::Observer;
use crate::panics::caught;

/// How a sweeper works.
#[derive(Clone, Copy, Debug)]
pub struct SweepPlan {
    /// Longest sleep between two looks, give or take a tenth; it sleeps shorter when a deadline comes before that.
    pub tick: Duration,
    /// Most bookings in one transaction.
    pub batch: NonZeroU32,
}

/// How a sweeper is doing.
#[derive(Debug)]
pub struct SweepHealth {
    last_success: Mutex<Instant>,
    failures: AtomicU64,
    expired: AtomicU64,
    allowed_silence: Duration,
}

impl SweepHealth {
    fn new(plan: &SweepPlan) -> Self {
        Self {
            last_success: Mutex::new(Instant::now()),
            failures: AtomicU64::new(0),
            expired: AtomicU64::new(0),
            allowed_silence: Duration::from_secs(15).max(plan.tick * 5),
        }
    }

    /// How long ago it last asked the store and got an answer.
    pub fn silence(&self) -> Duration {
        self.last_success.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Whether that is recent: within 15 s or five ticks.
    pub fn is_healthy(&self) -> bool {
        self.silence() <= self.allowed_silence
    }

    /// Failures since the last success.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Bookings failed since the start.
    pub fn expired(&self) -> u64 {
        self.expired.load(Ordering::Relaxed)
    }

    fn succeeded(&self, expired: usize) {
        *self.last_success.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.failures.store(0, Ordering::Relaxed);
        self.expired.fetch_add(u64::try_from(expired).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// A timer loop over [`BookingRepository::expire_due`]. Any number can run on one store.
pub struct Sweeper {
    bookings: Arc<dyn BookingRepository>,
    plan: SweepPlan,
    health: Arc<SweepHealth>,
    observer: Arc<dyn Observer>,
}

/// Longest sleep after failures: dead holds are tidied up soon after the store is back.
const BACK_OFF_MAX: Duration = Duration::from_secs(2);

impl Sweeper {
    /// Sweeps that run at once after a full one: while one waits for its commit, another works. The store should have as many
    /// connections to write with.
    pub const AT_ONCE_WHEN_BEHIND: usize = 2;

    /// A sweeper of this store's bookings.
    pub fn new(bookings: Arc<dyn BookingRepository>, plan: SweepPlan) -> Self {
        Self { bookings, plan, health: Arc::new(SweepHealth::new(&plan)), observer: Arc::new(()) }
    }

    /// The same, with an observer.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer, ..self }
    }

    /// How it is doing, now and later.
    pub fn health(&self) -> Arc<SweepHealth> {
        Arc::clone(&self.health)
    }

    /// Sweeps until `stop` resolves. A batch that has begun is finished.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let sweep = || async {
            let begun = Instant::now();
            (caught(self.bookings.expire_due(self.plan.batch)).await, begun.elapsed())
        };
        let mut in_flight = FuturesUnordered::new();
        let mut sleep = Duration::ZERO;
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some((result, took)) = in_flight.next() => {
                    sleep = self.note(&result, took);
                    if result.is_ok_and(|swept| self.is_full(&swept)) {
                        in_flight.extend((in_flight.len()..Self::AT_ONCE_WHEN_BEHIND).map(|_| sweep()));
                    }
                }
                () = tokio::time::sleep(sleep), if in_flight.is_empty() => in_flight.push(sweep()),
            }
        }
        while let Some((result, took)) = in_flight.next().await {
            self.note(&result, took);
        }
    }

    /// Notes how a sweep went; gives the time until the next look.
    fn note(&self, result: &Result<Sweep, StoreError>, took: Duration) -> Duration {
        self.observer.swept(result, took);
        match result {
            Ok(sweep) => self.swept(sweep),
            Err(error) => self.failed(error),
        }
    }

    fn is_full(&self, sweep: &Sweep) -> bool {
        u32::try_from(sweep.expired.len()).is_ok_and(|expired| expired >= self.plan.batch.get())
    }

    /// Notes a success; gives the time until the next look.
    fn swept(&self, sweep: &Sweep) -> Duration {
        self.health.succeeded(sweep.expired.len());
        if !sweep.expired.is_empty() {
            let lag_ms = u64::try_from(sweep.lag_max.as_millis()).unwrap_or(u64::MAX);
            tracing::info!(bookings = sweep.expired.len(), lag_ms, "expired holds");
        }
        let tick = jittered(self.plan.tick);
        match sweep.next_due_in {
            // There may be more at once.
            _ if !sweep.expired.is_empty() => Duration::ZERO,
            // Someone else is working on what is due.
            Some(Duration::ZERO) | None => tick,
            // Just after it: a hold is dead from its deadline on, and clocks tick in microseconds.
            Some(next) => tick.min(next + Duration::from_millis(1)),
        }
    }

    /// Notes a failure; gives the time until the next attempt.
    fn failed(&self, error: &StoreError) -> Duration {
        let failures = self.health.failures.fetch_add(1, Ordering::Relaxed);
        let doublings = u32::try_from(failures.min(10)).unwrap_or(10);
        let wait = jittered(Duration::from_millis(100).saturating_mul(1 << doublings).min(BACK_OFF_MAX));
        let retry_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(%error, failures = failures + 1, retry_ms, "the sweep failed");
        wait
    }
}

/// Give or take a tenth, so that many sweepers spread out.
fn jittered(duration: Duration) -> Duration {
    duration.mul_f64(rand::rng().random_range(0.9..1.1))
}
