//! The window: a look before the queue, for holds that are likely to be refused. It says no without a lock; whatever it does not
//! refuse goes on to a lane.

use std::sync::Arc;
use std::time::Duration;

use domain::{BookingRepository, Command, Hold, Outcome, Refusal, StoreError};

use crate::lane::{Lanes, drop_stale};
use crate::observer::{BatchKind, Observer, observed};
use crate::queue::{Batches, Job};
use crate::taken::Taken;

/// A look for more than these costs hardly less for each.
const TOGETHER_MAX: usize = 24;
/// How long a look waits for others at most, when fewer come than before. The clock that wakes it ticks in milliseconds.
const PATIENCE: Duration = Duration::from_millis(1);

pub(crate) struct Window {
    store: Arc<dyn BookingRepository>,
    taken: Arc<Taken>,
    lanes: Lanes,
    observer: Arc<dyn Observer>,
}

impl Window {
    pub(crate) const fn new(
        store: Arc<dyn BookingRepository>,
        taken: Arc<Taken>,
        lanes: Lanes,
        observer: Arc<dyn Observer>,
    ) -> Self {
        Self { store, taken, lanes, observer }
    }

    /// Serves until the box office closes, and then until the queue is empty. A look costs much the same for one hold and for twenty, and
    /// a quick one finds few that have come meanwhile. So the next one is for nearly as many as the last: not for all of them, or it
    /// would wait for the last of few callers while nobody does anything.
    pub(crate) async fn run(self, mut batches: Batches) {
        while let Some(jobs) = batches.next().await {
            let nearly_as_many = jobs.len() * 7 / 8;
            self.serve(jobs).await;
            batches.gather(nearly_as_many.min(TOGETHER_MAX), PATIENCE).await;
        }
    }

    /// Refuses what can be refused, and passes the rest on.
    async fn serve(&self, jobs: Vec<Job>) {
        let jobs = drop_stale(jobs);
        if jobs.is_empty() {
            return;
        }
        let look = observed(&*self.observer, BatchKind::Look, &jobs, self.look(&jobs)).await;
        let refusals = look.unwrap_or_else(|error| {
            // A lane will find out whether it matters, and try again.
            tracing::warn!(%error, "a look failed");
            Vec::new()
        });
        let refusals = refusals.into_iter().chain(std::iter::repeat(None));
        for (job, refusal) in jobs.into_iter().zip(refusals) {
            if let Some(refusal) = refusal {
                let refused = Outcome::Refused(refusal);
                self.observer.settled(&refused);
                job.settle(Ok(refused));
            } else {
                if let Some(hold) = hold_of(&job.request.command) {
                    self.taken.forget(hold);
                }
                self.lanes.take(job);
            }
        }
    }

    /// The refusals, one for each job.
    async fn look(&self, jobs: &[Job]) -> Result<Vec<Option<Refusal>>, StoreError> {
        let holds: Vec<&Hold> = jobs.iter().filter_map(|job| hold_of(&job.request.command)).collect();
        let refusals = self.store.look(&holds).await?;
        if refusals.len() == jobs.len() { Ok(refusals) } else { Err(StoreError::Corrupt("a look of another size".to_owned())) }
    }
}

fn hold_of(command: &Command) -> Option<&Hold> {
    match command {
        Command::Hold(hold) => Some(hold),
        _ => None,
    }
}
