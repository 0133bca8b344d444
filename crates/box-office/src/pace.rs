//! How fast a lane is: what tells a queue that is long from one that is slow.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::office::Plan;

/// So many batches may always wait, however long the last ones took: a lane that was held up once must get to see that it no
/// longer is.
const BATCHES_FREE: u64 = 2;

/// The recent duration of a batch, and the wait that is expected from it.
pub(crate) struct Pace {
    batch_max: u64,
    wait_max_us: u64,
    batch_us: AtomicU64,
}

impl Pace {
    pub(crate) fn new(plan: &Plan) -> Self {
        let batch_max = u64::try_from(plan.batch_max.max(1)).unwrap_or(u64::MAX);
        Self { batch_max, wait_max_us: micros(plan.wait_max), batch_us: AtomicU64::new(0) }
    }

    /// Whether one who comes behind so many others would have to wait too long.
    pub(crate) fn is_too_slow_for(&self, waiting: usize) -> bool {
        let batches = u64::try_from(waiting).unwrap_or(u64::MAX) / self.batch_max;
        batches >= BATCHES_FREE && batches.saturating_mul(self.batch_us.load(Ordering::Relaxed)) > self.wait_max_us
    }

    /// Takes a batch into account: an eighth of it. (Only its lane does so.)
    pub(crate) fn learn(&self, batch: Duration) {
        let average = self.batch_us.load(Ordering::Relaxed);
        self.batch_us.store(average - average / 8 + micros(batch) / 8, Ordering::Relaxed);
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_as_long_as_its_batches_are_quick() {
        let pace = Pace::new(&Plan { batch_max: 10, wait_max: Duration::from_millis(100), ..Plan::default() });
        assert!(!pace.is_too_slow_for(1000), "nothing is known yet");
        for _ in 0..100 {
            pace.learn(Duration::from_millis(5));
        }
        assert!(!pace.is_too_slow_for(200));
        assert!(pace.is_too_slow_for(220));
        for _ in 0..100 {
            pace.learn(Duration::from_secs(1));
        }
        assert!(pace.is_too_slow_for(20));
        assert!(!pace.is_too_slow_for(19), "the next batches always may");
    }
}
