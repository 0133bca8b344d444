//! The counter: where callers hand in a command and wait for its outcome.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{BookingRepository, Outcome, Request, StoreError};
use thiserror::Error;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::aside::Aside;
use crate::lane::{Lane, Lanes};
use crate::observer::{Caller, Observer};
use crate::queue::{Job, Queue, queue};
use crate::taken::Taken;
use crate::window::Window;

/// How a box office works.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Queues, each of which is served batch after batch, at most one of them behind another. Few lanes batch better; more than one pays
    /// only when the store has cores to spare.
    pub lanes: usize,
    /// Most commands in one batch. It is reached only when more than twice as many wait.
    pub batch_max: usize,
    /// Most commands that wait for one lane; one more is declined.
    pub queue_max: usize,
    /// How long a command may have to wait, as far as the lane's last batches tell; where it would be longer it is declined at
    /// once, so that a caller learns in good time that there is too much to do.
    pub wait_max: Duration,
    /// How long a command may wait before it is begun; after that its caller has surely given up.
    pub patience: Duration,
    /// How often a command is tried when others are in its way or the store is away, the first time included.
    pub attempts_max: u32,
    /// Commands that are tried alone, beside the lanes, at the same time; as many again are retried.
    pub aside_max: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            lanes: 1,
            batch_max: 768,
            queue_max: 4096,
            wait_max: Duration::from_millis(100),
            patience: Duration::from_secs(5),
            attempts_max: 4,
            aside_max: 8,
        }
    }
}

/// How many commands wait, and where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// In the queues of the lanes.
    pub lanes: usize,
    /// At the window, for a look.
    pub window: usize,
    /// Beside the lanes, each to be tried alone; those that are being tried count too.
    pub aside: usize,
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
/// idle lane serves a lone command at once and a busy one shares its round trips and commits. A hold of a seat that was taken
/// when last heard of is looked at first, beside the lanes, where most such holds can be refused without a lock. Every command
/// that was taken gets exactly one reply, after its commit.
pub struct BoxOffice {
    lanes: Lanes,
    window: Queue,
    taken: Arc<Taken>,
    aside: Arc<Aside>,
    patience: Duration,
    closing: Closing,
    running: Mutex<Option<Running>>,
}

/// First nobody comes in, then the window closes, then the lanes, which the window still hands to.
struct Closing {
    window: watch::Sender<bool>,
    lanes: watch::Sender<bool>,
}

/// The tasks.
struct Running {
    window: JoinHandle<()>,
    lanes: Vec<JoinHandle<()>>,
}

impl BoxOffice {
    /// Opens a box office on a store, with nobody watching. Must be called within a tokio runtime, which its lanes then run on.
    pub fn open(store: &Arc<dyn BookingRepository>, plan: &Plan) -> Self {
        Self::open_observed(store, plan, &(Arc::new(()) as Arc<dyn Observer>))
    }

    /// The same, with an observer.
    pub fn open_observed(store: &Arc<dyn BookingRepository>, plan: &Plan, observer: &Arc<dyn Observer>) -> Self {
        let (close_lanes, lanes_closed) = watch::channel(false);
        let (close_window, window_closed) = watch::channel(false);
        let taken = Arc::new(Taken::new());
        let aside = Arc::new(Aside::new(Arc::clone(store), Arc::clone(&taken), Arc::clone(observer), plan));
        let (queues, lanes_running) = (0..plan.lanes.max(1))
            .map(|_| {
                let (queue, batches) = queue(plan, lanes_closed.clone());
                let (aside, taken) = (Arc::clone(&aside), Arc::clone(&taken));
                let lane = Lane::new(Arc::clone(store), aside, taken, Arc::clone(observer), plan);
                (queue, tokio::spawn(lane.run(batches)))
            })
            .unzip();
        let lanes = Lanes::new(queues);
        let (window, batches) = queue(plan, window_closed);
        let looking = Window::new(Arc::clone(store), Arc::clone(&taken), lanes.clone(), Arc::clone(observer));
        let running = Running { window: tokio::spawn(looking.run(batches)), lanes: lanes_running };
        let closing = Closing { window: close_window, lanes: close_lanes };
        Self { lanes, window, taken, aside, patience: plan.patience, closing, running: Mutex::new(Some(running)) }
    }

    /// Runs a request and waits for its outcome. If the caller drops the future, it may or may not happen.
    ///
    /// # Errors
    /// [`Declined`]. After all but [`StoreError::OutcomeUnknown`] nothing has happened.
    pub async fn submit(&self, request: impl Into<Request>) -> Result<Outcome, Declined> {
        // A busy lane closes its queue only after its batch.
        if *self.closing.window.borrow() {
            return Err(Declined::Closing);
        }
        let (reply, outcome) = oneshot::channel();
        let came_at = Instant::now();
        let job = Job { request: request.into(), caller: Caller::current(), came_at, give_up_at: came_at + self.patience, reply };
        if self.taken.suspects(&job.request) {
            self.window.take(job);
        } else {
            self.lanes.take(job);
        }
        let lost = |_| Declined::Store(StoreError::OutcomeUnknown("the command's task has died".to_owned()));
        outcome.await.map_err(lost)?
    }

    /// How many commands wait.
    pub fn waiting(&self) -> Waiting {
        Waiting { lanes: self.lanes.waiting(), window: self.window.waiting(), aside: self.aside.waiting() }
    }

    /// Whether every lane would decline one more command: then whoever brings one can be turned away before it is even read.
    pub fn is_busy(&self) -> bool {
        self.lanes.are_busy()
    }

    /// Whether a lane can take no more: its queue is full, or it has closed.
    pub fn is_full(&self) -> bool {
        self.lanes.is_full()
    }

    /// Takes no more commands, and returns when all that were taken have their reply.
    pub async fn close(&self) {
        self.closing.window.send_replace(true);
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Running { window, lanes }) = running else { return };
        finished(window).await;
        self.closing.lanes.send_replace(true);
        for lane in lanes {
            finished(lane).await;
        }
        self.aside.finished().await;
    }
}

/// Waits for a task of ours.
async fn finished(task: JoinHandle<()>) {
    if let Err(error) = task.await {
        tracing::error!(%error, "a task of the box office has died");
    }
}
