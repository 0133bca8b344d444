//! A lane: one task that executes whatever has queued, batch after batch.

use std::sync::Arc;

use domain::{BookingRepository, Command, Outcome, StoreError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::aside::{Aside, pause};
use crate::office::{Declined, Plan};
use crate::pace::Pace;
use crate::taken::Taken;

/// A command and its caller.
pub(crate) struct Job {
    pub(crate) command: Command,
    pub(crate) give_up_at: Instant,
    pub(crate) reply: oneshot::Sender<Result<Outcome, Declined>>,
}

impl Job {
    /// Replies. A caller that has gone needs none.
    pub(crate) fn settle(self, result: Result<Outcome, Declined>) {
        let _ = self.reply.send(result);
    }
}

/// The queues of all lanes.
#[derive(Clone)]
pub(crate) struct Lanes(Arc<[Queue]>);

/// The way into a lane.
pub(crate) struct Queue {
    jobs: mpsc::Sender<Job>,
    pace: Arc<Pace>,
}

impl Queue {
    pub(crate) const fn new(jobs: mpsc::Sender<Job>, pace: Arc<Pace>) -> Self {
        Self { jobs, pace }
    }
}

impl Lanes {
    pub(crate) fn new(queues: Vec<Queue>) -> Self {
        Self(queues.into())
    }

    /// Puts the job into its queue; if it can't, or if it would have to wait too long there, declines it.
    pub(crate) fn take(&self, job: Job) {
        let Queue { jobs, pace } = self.of(&job.command);
        if pace.is_too_slow_for(jobs.max_capacity() - jobs.capacity()) {
            return job.settle(Err(Declined::Full));
        }
        enqueue(jobs, job);
    }

    /// Whether one of them can take no more: its queue is full, or it has closed.
    pub(crate) fn is_full(&self) -> bool {
        self.0.iter().any(|queue| queue.jobs.capacity() == 0 || queue.jobs.is_closed())
    }

    /// Holds by their show, everything else by its booking.
    fn of(&self, command: &Command) -> &Queue {
        let key = match command {
            Command::Hold(hold) => hold.show_id.get(),
            Command::Confirm { booking_id } | Command::Expire { booking_id } => booking_id.get(),
        };
        &self.0[usize::try_from(key).unwrap_or(0) % self.0.len()]
    }
}

/// Puts the job into the queue; if it can't, declines it.
pub(crate) fn enqueue(queue: &mpsc::Sender<Job>, job: Job) {
    match queue.try_send(job) {
        Ok(()) => {}
        Err(mpsc::error::TrySendError::Full(job)) => job.settle(Err(Declined::Full)),
        Err(mpsc::error::TrySendError::Closed(job)) => job.settle(Err(Declined::Closing)),
    }
}

/// The end of a queue at which jobs are taken, as many as there are.
pub(crate) struct Batches {
    queue: mpsc::Receiver<Job>,
    closing: watch::Receiver<bool>,
    size_max: usize,
}

impl Batches {
    pub(crate) const fn of(queue: mpsc::Receiver<Job>, closing: watch::Receiver<bool>, size_max: usize) -> Self {
        Self { queue, closing, size_max }
    }

    /// Waits for jobs; `None` when the box office has closed and the queue is empty.
    pub(crate) async fn next(&mut self) -> Option<Vec<Job>> {
        let mut batch = Vec::with_capacity(self.size_max);
        loop {
            tokio::select! {
                biased;
                // Resolves at once for good after closing, and then draining is all there is to do.
                () = closed(&mut self.closing), if !self.queue.is_closed() => self.queue.close(),
                taken = self.queue.recv_many(&mut batch, self.size_max) => return (taken > 0).then_some(batch),
            }
        }
    }
}

pub(crate) struct Lane {
    store: Arc<dyn BookingRepository>,
    aside: Arc<Aside>,
    taken: Arc<Taken>,
    attempts_max: u32,
    pace: Arc<Pace>,
}

impl Lane {
    pub(crate) fn new(
        store: Arc<dyn BookingRepository>,
        aside: Arc<Aside>,
        taken: Arc<Taken>,
        pace: Arc<Pace>,
        plan: &Plan,
    ) -> Self {
        Self { store, aside, taken, attempts_max: plan.attempts_max.max(1), pace }
    }

    /// Serves until the box office closes, and then until the queue is empty.
    pub(crate) async fn run(self, mut batches: Batches) {
        while let Some(jobs) = batches.next().await {
            self.serve(jobs).await;
        }
    }

    /// Executes the batch; every job gets its reply, now or aside.
    async fn serve(&self, jobs: Vec<Job>) {
        let begun = Instant::now();
        self.execute(jobs).await;
        self.pace.learn(begun.elapsed());
    }

    async fn execute(&self, jobs: Vec<Job>) {
        let mut jobs = drop_stale(jobs);
        for attempt in 1.. {
            if jobs.is_empty() {
                return;
            }
            let commands: Vec<Command> = jobs.iter().map(|job| job.command.clone()).collect();
            let error = match self.store.execute(&commands).await {
                Ok(outcomes) => return reply_each(jobs, outcomes, &self.taken),
                Err(error) => error,
            };
            tracing::warn!(commands = commands.len(), attempt, %error, "a batch failed");
            match error {
                // Nobody can be served: keep the queue waiting a little, then say so.
                StoreError::Unavailable(_) if attempt < self.attempts_max => pause(attempt).await,
                StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_) => return reply_all(jobs, &error),
                // One command may be the reason: let each stand alone, and the lane go on.
                StoreError::Contended(_) | StoreError::Corrupt(_) => return self.aside.take(jobs, &error),
            }
            jobs = drop_stale(jobs);
        }
    }
}

/// Resolves when the box office closes, or has been dropped.
async fn closed(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}

/// The jobs whose callers still wait; those that waited too long are told so.
pub(crate) fn drop_stale(jobs: Vec<Job>) -> Vec<Job> {
    let now = Instant::now();
    let (live, late): (Vec<Job>, Vec<Job>) =
        jobs.into_iter().filter(|job| !job.reply.is_closed()).partition(|job| now < job.give_up_at);
    for job in late {
        job.settle(Err(Declined::TooLate));
    }
    live
}

/// Gives each job its outcome. A store that answers with another number of outcomes has answered nobody.
pub(crate) fn reply_each(jobs: Vec<Job>, outcomes: Vec<Outcome>, taken: &Taken) {
    if jobs.len() == outcomes.len() {
        for (job, outcome) in jobs.into_iter().zip(outcomes) {
            taken.learn(&job.command, &outcome);
            job.settle(Ok(outcome));
        }
    } else {
        reply_all(jobs, &StoreError::OutcomeUnknown("the store answered another number of commands".to_owned()));
    }
}

pub(crate) fn reply_all(jobs: Vec<Job>, error: &StoreError) {
    for job in jobs {
        job.settle(Err(Declined::Store(error.clone())));
    }
}
