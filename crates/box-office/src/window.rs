//! The window: a look before the queue, for holds that are likely to be refused. It says no without a lock; whatever it does not
//! refuse goes on to a lane.

use std::sync::Arc;

use domain::{BookingRepository, Command, Hold, Outcome, Refusal, StoreError};
use tokio::sync::{mpsc, watch};

use crate::lane::{Job, Lanes, closed, drop_stale};
use crate::office::Plan;
use crate::taken::Taken;

pub(crate) struct Window {
    store: Arc<dyn BookingRepository>,
    taken: Arc<Taken>,
    lanes: Lanes,
    batch_max: usize,
}

impl Window {
    pub(crate) fn new(store: Arc<dyn BookingRepository>, taken: Arc<Taken>, lanes: Lanes, plan: &Plan) -> Self {
        Self { store, taken, lanes, batch_max: plan.batch_max.max(1) }
    }

    /// Serves until the box office closes, and then until the queue is empty.
    pub(crate) async fn run(self, mut queue: mpsc::Receiver<Job>, mut closing: watch::Receiver<bool>) {
        let mut batch = Vec::with_capacity(self.batch_max);
        loop {
            tokio::select! {
                biased;
                () = closed(&mut closing), if !queue.is_closed() => queue.close(),
                taken = queue.recv_many(&mut batch, self.batch_max) => match taken {
                    0 => return,
                    _ => self.serve(std::mem::take(&mut batch)).await,
                },
            }
        }
    }

    /// Refuses what can be refused, and passes the rest on.
    async fn serve(&self, jobs: Vec<Job>) {
        let jobs = drop_stale(jobs);
        if jobs.is_empty() {
            return;
        }
        let refusals = self.look(&jobs).await.unwrap_or_else(|error| {
            // A lane will find out whether it matters, and try again.
            tracing::warn!(%error, "a look failed");
            Vec::new()
        });
        let refusals = refusals.into_iter().chain(std::iter::repeat(None));
        for (job, refusal) in jobs.into_iter().zip(refusals) {
            if let Some(refusal) = refusal {
                job.settle(Ok(Outcome::Refused(refusal)));
            } else {
                self.taken.forget(&job.command);
                self.lanes.take(job);
            }
        }
    }

    /// The refusals, one for each job.
    async fn look(&self, jobs: &[Job]) -> Result<Vec<Option<Refusal>>, StoreError> {
        let holds: Vec<&Hold> = jobs.iter().filter_map(|job| hold_of(&job.command)).collect();
        let refusals = self.store.look(&holds).await?;
        if refusals.len() == jobs.len() { Ok(refusals) } else { Err(StoreError::Corrupt("a look of another size".to_owned())) }
    }
}

fn hold_of(command: &Command) -> Option<&Hold> {
    match command {
        Command::Hold(hold) => Some(hold),
        Command::Confirm { .. } | Command::Expire { .. } => None,
    }
}
