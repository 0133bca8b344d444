//! What a store has done since it was opened, and how its pools stand: plain numbers, for whoever wants to show them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The numbers as they are now.
#[derive(Clone, Debug)]
pub struct PgFigures {
    /// Batches that came true as foreseen, and took one round trip.
    pub batches_in_one_trip: u64,
    /// Of these, those that were sent behind another, which was being executed still.
    pub batches_behind: u64,
    /// Batches that were locked first and then saved.
    pub batches_locked: u64,
    /// Forecasts that did not come true.
    pub forecasts_failed: u64,
    /// The first round trips of the batches that were locked, taken together: the waits for row locks, and the way there and
    /// back.
    pub locking: Duration,
    /// The pools.
    pub pools: [PoolUse; 3],
}

/// How a pool stands.
#[derive(Clone, Copy, Debug)]
pub struct PoolUse {
    /// What its connections are for.
    pub name: &'static str,
    /// Most connections.
    pub max: usize,
    /// Connections that someone is using.
    pub in_use: usize,
    /// Connections that are open, and idle.
    pub idle: usize,
    /// Callers who wait for one.
    pub waiting: usize,
}

/// Counts batches.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    in_one_trip: AtomicU64,
    behind: AtomicU64,
    locked: AtomicU64,
    forecasts_failed: AtomicU64,
    locking_us: AtomicU64,
}

impl Tally {
    pub(crate) fn in_one_trip(&self, is_behind: bool) {
        self.in_one_trip.fetch_add(1, Ordering::Relaxed);
        self.behind.fetch_add(is_behind.into(), Ordering::Relaxed);
    }

    pub(crate) fn forecast_failed(&self) {
        self.forecasts_failed.fetch_add(1, Ordering::Relaxed);
    }

    /// A batch had its locks, after so long.
    pub(crate) fn locked(&self, after: Duration) {
        self.locked.fetch_add(1, Ordering::Relaxed);
        self.locking_us.fetch_add(u64::try_from(after.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(crate) fn with_pools(&self, pools: [PoolUse; 3]) -> PgFigures {
        PgFigures {
            batches_in_one_trip: self.in_one_trip.load(Ordering::Relaxed),
            batches_behind: self.behind.load(Ordering::Relaxed),
            batches_locked: self.locked.load(Ordering::Relaxed),
            forecasts_failed: self.forecasts_failed.load(Ordering::Relaxed),
            locking: Duration::from_micros(self.locking_us.load(Ordering::Relaxed)),
            pools,
        }
    }
}
