//! Whose clock a store reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::TimeDelta;

use crate::deadline::Timestamp;

/// Where a store takes its `now` from.
#[derive(Clone, Debug, Default)]
pub enum TimeSource {
    /// The store's own clock: the database server's, or for an embedded store the machine's.
    #[default]
    Store,
    /// A clock that a test moves by hand.
    Manual(Arc<ManualTime>),
}

impl TimeSource {
    /// The instant to use instead of the store's clock.
    pub fn fixed(&self) -> Option<Timestamp> {
        match self {
            Self::Store => None,
            Self::Manual(time) => Some(time.now()),
        }
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualTime(AtomicI64);

impl ManualTime {
    /// A clock that shows `start`, cut to the microsecond.
    pub const fn starting_at(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.timestamp_micros()))
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Moves it, forwards or back.
    pub fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
    }
}
