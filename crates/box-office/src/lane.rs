//! A lane: one task that executes whatever has queued, batch after batch.

use std::sync::Arc;

use domain::{BookingRepository, Command, Outcome, Request, StoreError};
use tokio::time::Instant;

use crate::aside::{Aside, pause};
use crate::observer::{BatchKind, Observer, observed};
use crate::office::{Declined, Plan};
use crate::queue::{Batches, Job, Queue};
use crate::taken::Taken;

/// The queues of all lanes.
#[derive(Clone)]
pub(crate) struct Lanes(Arc<[Queue]>);

impl Lanes {
    pub(crate) fn new(queues: Vec<Queue>) -> Self {
        Self(queues.into())
    }

    /// Puts the job into its queue, or declines it.
    pub(crate) fn take(&self, job: Job) {
        self.of(&job.request.command).take(job);
    }

    /// Jobs that wait in all of them.
    pub(crate) fn waiting(&self) -> usize {
        self.0.iter().map(Queue::waiting).sum()
    }

    /// Whether each of them would decline one more job.
    pub(crate) fn are_busy(&self) -> bool {
        self.0.iter().all(Queue::is_busy)
    }

    /// Whether one of them can take no more.
    pub(crate) fn is_full(&self) -> bool {
        self.0.iter().any(Queue::is_full)
    }

    /// Holds by their show, everything else by its booking.
    fn of(&self, command: &Command) -> &Queue {
        let key = match command {
            Command::Hold(hold) => hold.show_id.get(),
            other => other.booking_id().map_or(0, domain::BookingId::get),
        };
        &self.0[usize::try_from(key).unwrap_or(0) % self.0.len()]
    }
}

pub(crate) struct Lane {
    store: Arc<dyn BookingRepository>,
    aside: Arc<Aside>,
    taken: Arc<Taken>,
    observer: Arc<dyn Observer>,
    attempts_max: u32,
}

impl Lane {
    pub(crate) fn new(
        store: Arc<dyn BookingRepository>,
        aside: Arc<Aside>,
        taken: Arc<Taken>,
        observer: Arc<dyn Observer>,
        plan: &Plan,
    ) -> Self {
        Self { store, aside, taken, observer, attempts_max: plan.attempts_max.max(1) }
    }

    /// Serves until the box office closes, and then until the queue is empty.
    pub(crate) async fn run(self, mut batches: Batches) {
        while let Some(jobs) = batches.next().await {
            self.serve(jobs).await;
        }
    }

    /// Executes the batch; every job gets its reply, now or aside.
    async fn serve(&self, jobs: Vec<Job>) {
        let mut jobs = drop_stale(jobs);
        let now = Instant::now();
        for job in &jobs {
            self.observer.waited(now - job.came_at);
        }
        for attempt in 1.. {
            if jobs.is_empty() {
                return;
            }
            let requests: Vec<Request> = jobs.iter().map(|job| job.request.clone()).collect();
            let error = match observed(&*self.observer, BatchKind::Lane, &jobs, self.store.execute(&requests)).await {
                Ok(outcomes) => return reply_each(jobs, outcomes, &self.taken, &*self.observer),
                Err(error) => error,
            };
            tracing::warn!(commands = requests.len(), attempt, %error, "a batch failed");
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
pub(crate) fn reply_each(jobs: Vec<Job>, outcomes: Vec<Outcome>, taken: &Taken, observer: &dyn Observer) {
    if jobs.len() == outcomes.len() {
        for (job, outcome) in jobs.into_iter().zip(outcomes) {
            taken.learn(&job.request.command, &outcome);
            observer.settled(&outcome);
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
