//! The counter: where callers hand in a command and wait for its outcome.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{BookingRepository, Command, Outcome, StoreError};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::aside::Aside;
use crate::lane::{Job, Lane};

/// How a box office works.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Batches in flight at once, each on a connection of its own. Few lanes batch better; more than one pays only when the
    /// store has cores to spare.
    pub lanes: usize,
    /// Most commands in one batch. Less than are in flight at the busiest time, so that the store works on one batch while the
    /// outcomes of the last one are on their way to their callers.
    pub batch_max: usize,
    /// Most commands that wait for one lane; one more is declined.
    pub queue_max: usize,
    /// How long a command may wait before it is begun; after that its caller has surely given up.
    pub patience: Duration,
    /// How often a command is tried when others are in its way or the store is away, the first time included.
    pub attempts_max: u32,
    /// Commands that are tried alone, beside the lanes, at the same time; as many again are retried.
    pub aside_max: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self { lanes: 1, batch_max: 96, queue_max: 4096, patience: Duration::from_secs(5), attempts_max: 4, aside_max: 8 }
    }
}

/// Why a command has no outcome.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Declined {
    /// Too many commands are waiting. Nothing has happened; try again soon.
    #[error("the queue is full")]
    Full,
    /// It waited longer than [`Plan::patience`] and was not begun. Nothing has happened.
    #[error("the command waited too long and was not begun")]
    TooLate,
    /// The box office is closing. Nothing has happened.
    #[error("the box office is closing")]
    Closing,
    /// The store could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Runs commands in batches.
///
/// Each command goes to one of a few lanes: holds by their show, so that customers of one show meet in a queue and not in row
/// locks, everything else by its booking. A lane executes whatever has queued while its last batch was in flight, so that an
/// idle lane serves a lone command at once and a busy one shares its round trips and commits. Every command that was taken
/// gets exactly one reply, after its commit.
pub struct BoxOffice {
    lanes: Vec<mpsc::Sender<Job>>,
    aside: Arc<Aside>,
    patience: Duration,
    closing: watch::Sender<bool>,
    running: Mutex<Vec<JoinHandle<()>>>,
}

impl BoxOffice {
    /// Opens a box office on a store. Must be called within a tokio runtime, which its lanes then run on.
    pub fn open(store: &Arc<dyn BookingRepository>, plan: &Plan) -> Self {
        let (closing, closed) = watch::channel(false);
        let aside = Arc::new(Aside::new(Arc::clone(store), plan));
        let (lanes, running) = (0..plan.lanes.max(1))
            .map(|_| {
                let (jobs, queue) = mpsc::channel(plan.queue_max.max(1));
                let lane = Lane::new(Arc::clone(store), Arc::clone(&aside), plan);
                (jobs, tokio::spawn(lane.run(queue, closed.clone())))
            })
            .unzip();
        Self { lanes, aside, patience: plan.patience, closing, running: Mutex::new(running) }
    }

    /// Runs a command and waits for its outcome. If the caller drops the future, the command may or may not happen.
    ///
    /// # Errors
    /// [`Declined`]. After all but [`StoreError::OutcomeUnknown`] nothing has happened.
    pub async fn submit(&self, command: Command) -> Result<Outcome, Declined> {
        // A busy lane closes its queue only after its batch.
        if *self.closing.borrow() {
            return Err(Declined::Closing);
        }
        let (reply, outcome) = oneshot::channel();
        let lane = self.lane_of(&command);
        lane.try_send(Job { command, give_up_at: Instant::now() + self.patience, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Declined::Full,
            mpsc::error::TrySendError::Closed(_) => Declined::Closing,
        })?;
        let lost = |_| Declined::Store(StoreError::OutcomeUnknown("the command's task has died".to_owned()));
        outcome.await.map_err(lost)?
    }

    /// Whether a lane can take no more: its queue is full, or it has closed.
    pub fn is_full(&self) -> bool {
        self.lanes.iter().any(|lane| lane.capacity() == 0 || lane.is_closed())
    }

    /// Takes no more commands, and returns when all that were taken have their reply.
    pub async fn close(&self) {
        self.closing.send_replace(true);
        let running = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        for lane in running {
            if let Err(error) = lane.await {
                tracing::error!(%error, "a lane has died");
            }
        }
        self.aside.finished().await;
    }

    fn lane_of(&self, command: &Command) -> &mpsc::Sender<Job> {
        let key = match command {
            Command::Hold(hold) => hold.show_id.get(),
            Command::Confirm { booking_id } | Command::Expire { booking_id } => booking_id.get(),
        };
        &self.lanes[usize::try_from(key).unwrap_or(0) % self.lanes.len()]
    }
}
