//! Whether this machine lets us run: on a busy one, what is late may be so through no fault of the service.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// How often we look at the clock.
const BEAT: Duration = Duration::from_millis(20);
/// A beat that is later than this was held up.
const LATE: Duration = Duration::from_millis(200);

/// A clock that ticks as long as this program gets to run.
#[derive(Debug)]
pub(super) struct Pulse {
    missed_ms: Arc<AtomicU64>,
    beating: JoinHandle<()>,
}

impl Pulse {
    pub(super) fn start() -> Self {
        let missed_ms = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&missed_ms);
        let beating = tokio::spawn(async move {
            loop {
                let began = Instant::now();
                sleep(BEAT).await;
                let late = began.elapsed().saturating_sub(BEAT);
                if late > LATE {
                    counter.fetch_add(u64::try_from(late.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
                }
            }
        });
        Self { missed_ms, beating }
    }

    /// For how long this program has not got to run, so far.
    pub(super) fn missed(&self) -> Duration {
        Duration::from_millis(self.missed_ms.load(Ordering::Relaxed))
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.beating.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_blocks_this_program_is_noticed() {
        let pulse = Pulse::start();
        sleep(BEAT).await;
        std::thread::sleep(LATE * 3);
        sleep(BEAT * 3).await;
        assert!(pulse.missed() >= LATE, "{:?}", pulse.missed());
    }
}
