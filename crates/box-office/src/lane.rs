//! A lane: one task that executes whatever has queued, batch after batch.

use std::sync::Arc;

use domain::{BookingRepository, Command, Outcome, Request, StoreError};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use crate::aside::{Aside, pause};
use crate::observer::{BatchKind, Observer, observed};
use crate::office::{Declined, Plan};
use crate::panics::caught;
use crate::queue::{Batches, Job, Queue};
use crate::taken::Taken;

/// Fewer than these do not go behind a batch that is in flight, but wait for it, and for others.
const FOLLOWERS_MIN: usize = 16;

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

    /// Serves until the box office closes, and then until the queue is empty: one batch after the other, or the next behind the one that
    /// is in flight, once as many wait as that has, where the store takes it. A store that is busy with one batch need not wait for
    /// another; and as many, since batches would only get smaller else.
    pub(crate) async fn run(self, mut batches: Batches) {
        let mut in_flight = FuturesUnordered::new();
        let mut last: Arc<[Request]> = Arc::default();
        loop {
            let is_behind = !in_flight.is_empty();
            if is_behind {
                tokio::select! {
                    biased;
                    _ = in_flight.next() => continue,
                    () = batches.as_many_as(last.len().max(FOLLOWERS_MIN)), if in_flight.len() == 1 => {}
                }
                if !self.may_follow(&last, &[]).await {
                    in_flight.next().await;
                    continue;
                }
            }
            let Some(jobs) = batches.next().await else { break };
            let mut batch = Batch::of(jobs);
            if is_behind && !self.may_follow(&last, &batch.requests).await {
                in_flight.next().await;
                batch = Batch::of(batch.jobs);
            }
            let before = std::mem::replace(&mut last, Arc::clone(&batch.requests));
            in_flight.push(self.serve(batch, (!in_flight.is_empty()).then_some(before)));
        }
        while in_flight.next().await.is_some() {}
    }

    /// What the store says to that; a store that panics takes none.
    async fn may_follow(&self, before: &[Request], requests: &[Request]) -> bool {
        caught(async { Ok(self.store.may_follow(before, requests)) }).await.unwrap_or(false)
    }

    /// Executes the batch, behind the one before if that is in flight; every job gets its reply, now or aside.
    async fn serve(&self, mut batch: Batch, mut before: Option<Arc<[Request]>>) {
        let now = Instant::now();
        for job in &batch.jobs {
            self.observer.waited(now - job.came_at);
        }
        for attempt in 1.. {
            let Batch { jobs, requests } = batch;
            if jobs.is_empty() {
                return;
            }
            let executed = match &before {
                Some(before) => self.store.execute_behind(before, &requests),
                None => self.store.execute(&requests),
            };
            let error = match observed(&*self.observer, BatchKind::Lane, &jobs, executed).await {
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
            (batch, before) = (Batch::of(jobs), None);
        }
    }
}

/// Jobs whose callers still wait, and what they ask for.
struct Batch {
    jobs: Vec<Job>,
    requests: Arc<[Request]>,
}

impl Batch {
    fn of(jobs: Vec<Job>) -> Self {
        let jobs = drop_stale(jobs);
        Self { requests: jobs.iter().map(|job| job.request.clone()).collect(), jobs }
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
