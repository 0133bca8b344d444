//! How fast a lane is: what tells a queue that is long from one that is slow.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::office::Plan;

/// So many small batches may always wait, however long the last ones took: a lane that was held up once must get to see that it
/// no longer is.
const BATCHES_FREE: usize = 2;

/// A small batch: a queue of up to so many is taken whole, if a batch may be that large. Of a longer one a half: then the store works on one
/// half while the outcomes of the other are on their way to their callers, and whatever a batch costs beside its commands, most
/// of it turns in a line for a processor, is shared by more of them the more there is to do.
const SMALL: usize = 96;

/// No batch is in flight.
const IDLE: u64 = u64::MAX;

/// How long the last batches took, and the wait that is expected from it. Only the lane itself writes here.
pub(crate) struct Pace {
    batch_max: usize,
    /// [`SMALL`], or less if batches must be smaller.
    small: usize,
    wait_max_us: u64,
    opened: Instant,
    /// How long a small batch took lately; of a larger one, as much as a small one is of it.
    small_us: AtomicU64,
    /// When the batch in flight was begun, counted from `opened`, and how large it is.
    begun_us: AtomicU64,
    size: AtomicUsize,
}

impl Pace {
    pub(crate) fn new(plan: &Plan) -> Self {
        let batch_max = plan.batch_max.max(1);
        Self {
            batch_max,
            small: SMALL.min(batch_max),
            wait_max_us: micros(plan.wait_max),
            opened: Instant::now(),
            small_us: AtomicU64::new(0),
            begun_us: AtomicU64::new(IDLE),
            size: AtomicUsize::new(0),
        }
    }

    /// How many to take from a queue of so many.
    pub(crate) fn batch_of(&self, waiting: usize) -> usize {
        (waiting / 2).max(SMALL).min(self.batch_max)
    }

    /// How many must wait for a batch of so many, or of as many as a batch can be.
    pub(crate) fn waiting_for(&self, batch: usize) -> usize {
        let batch = batch.min(self.batch_max);
        if batch <= SMALL { batch } else { batch.saturating_mul(2) }
    }

    /// Whether one who comes behind so many others would have to wait too long: by what the last batches took, or because the
    /// one in flight has taken that long by itself.
    pub(crate) fn is_too_slow_for(&self, waiting: usize) -> bool {
        let batches = waiting / self.small;
        batches >= BATCHES_FREE && (self.expected_us(batches) > self.wait_max_us || self.in_flight_us() > self.wait_max_us)
    }

    /// A batch of so many has been taken.
    pub(crate) fn begun(&self, size: usize) {
        self.size.store(size, Ordering::Relaxed);
        self.begun_us.store(self.now_us(), Ordering::Relaxed);
    }

    /// It is done: an eighth of it counts from now on.
    pub(crate) fn done(&self) {
        let begun = self.begun_us.swap(IDLE, Ordering::Relaxed);
        if begun != IDLE {
            let batch = self.now_us().saturating_sub(begun);
            let small = batch.saturating_mul(count(self.small)) / count(self.size.load(Ordering::Relaxed).max(self.small));
            let average = self.small_us.load(Ordering::Relaxed);
            self.small_us.store(average - average / 8 + small / 8, Ordering::Relaxed);
        }
    }

    fn expected_us(&self, batches: usize) -> u64 {
        count(batches).saturating_mul(self.small_us.load(Ordering::Relaxed))
    }

    fn in_flight_us(&self) -> u64 {
        match self.begun_us.load(Ordering::Relaxed) {
            IDLE => 0,
            begun => self.now_us().saturating_sub(begun),
        }
    }

    fn now_us(&self) -> u64 {
        micros(self.opened.elapsed())
    }
}

fn count(commands: usize) -> u64 {
    u64::try_from(commands).unwrap_or(u64::MAX)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(duration: u64) -> Duration {
        Duration::from_millis(duration)
    }

    async fn batches_of(pace: &Pace, size: usize, batch: Duration) {
        for _ in 0..100 {
            pace.begun(size);
            tokio::time::advance(batch).await;
            pace.done();
        }
    }

    #[test]
    fn batches_grow_with_the_queue() {
        let pace = Pace::new(&Plan { batch_max: 500, ..Plan::default() });
        let sizes = [0, 1, 96, 191, 200, 600, 1000, 5000].map(|waiting| pace.batch_of(waiting));
        assert_eq!(sizes, [96, 96, 96, 96, 100, 300, 500, 500]);
        let pace = Pace::new(&Plan { batch_max: 3, ..Plan::default() });
        assert_eq!(pace.batch_of(1000), 3);
    }

    #[test]
    fn a_batch_can_be_waited_for() {
        for batch_max in [3, 96, 500] {
            let pace = Pace::new(&Plan { batch_max, ..Plan::default() });
            for batch in [1, 3, 95, 96, 97, 300, 500, 900] {
                let waiting = pace.waiting_for(batch);
                assert!(pace.batch_of(waiting).min(waiting) >= batch.min(batch_max), "{batch} of {batch_max}");
                assert!(pace.batch_of(waiting - 1).min(waiting - 1) < batch.min(batch_max), "{batch} of {batch_max}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_is_as_long_as_its_batches_are_quick() {
        let pace = Pace::new(&Plan { batch_max: 10, wait_max: ms(100), ..Plan::default() });
        assert!(!pace.is_too_slow_for(1000), "nothing is known yet");
        batches_of(&pace, 10, ms(5)).await;
        assert!(!pace.is_too_slow_for(200));
        assert!(pace.is_too_slow_for(220));
        batches_of(&pace, 10, ms(1000)).await;
        assert!(pace.is_too_slow_for(20));
        assert!(!pace.is_too_slow_for(19), "the next batches always may");
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_batch_counts_as_several_and_one_that_is_not_full_as_one() {
        let pace = Pace::new(&Plan { batch_max: 1000, wait_max: ms(100), ..Plan::default() });
        for (size, batch) in [(960, ms(50)), (96, ms(5)), (1, ms(5))] {
            batches_of(&pace, size, batch).await;
            assert!(!pace.is_too_slow_for(20 * 96));
            assert!(pace.is_too_slow_for(22 * 96));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_that_hangs_makes_the_queue_slow_before_it_is_done() {
        let pace = Pace::new(&Plan { batch_max: 10, wait_max: ms(100), ..Plan::default() });
        batches_of(&pace, 10, ms(5)).await;
        pace.begun(10);
        tokio::time::advance(ms(100)).await;
        assert!(!pace.is_too_slow_for(20));
        tokio::time::advance(ms(1)).await;
        assert!(pace.is_too_slow_for(20));
        assert!(!pace.is_too_slow_for(19), "the next batches always may");
        pace.done();
        assert!(!pace.is_too_slow_for(20), "it is over");
    }
}
