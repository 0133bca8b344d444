//! Beside the lanes: commands of a failed batch, one at a time each, so that one that is poisoned or blocked fails alone.

use std::sync::Arc;
use std::time::Duration;

use domain::{BookingRepository, StoreError};
use rand::RngExt;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::lane::{reply_all, reply_each};
use crate::observer::{BatchKind, Observer, observed};
use crate::office::{Declined, Plan};
use crate::queue::Job;
use crate::taken::Taken;

pub(crate) struct Aside {
    store: Arc<dyn BookingRepository>,
    taken: Arc<Taken>,
    observer: Arc<dyn Observer>,
    attempts_max: u32,
    /// Bounds the commands that wait or run here.
    room: Arc<Semaphore>,
    room_max: u32,
    /// Bounds the commands that run here at the same time: those that are new here, and apart from them those that were blocked
    /// again, so that they don't stand in the way of the others.
    counters: Semaphore,
    retries: Semaphore,
}

impl Aside {
    pub(crate) fn new(store: Arc<dyn BookingRepository>, taken: Arc<Taken>, observer: Arc<dyn Observer>, plan: &Plan) -> Self {
        let room_max = u32::try_from(plan.queue_max.max(1)).unwrap_or(u32::MAX);
        Self {
            store,
            taken,
            observer,
            attempts_max: plan.attempts_max.max(1),
            room: Arc::new(Semaphore::new(plan.queue_max.max(1))),
            room_max,
            counters: Semaphore::new(plan.aside_max.max(1)),
            retries: Semaphore::new(plan.aside_max.max(1)),
        }
    }

    /// Takes the jobs of a batch that failed with `error`. Where there is no room for one, it gets that error.
    pub(crate) fn take(self: &Arc<Self>, jobs: Vec<Job>, error: &StoreError) {
        for job in jobs {
            let Ok(place) = Arc::clone(&self.room).try_acquire_owned() else {
                job.settle(Err(Declined::Store(error.clone())));
                continue;
            };
            let aside = Arc::clone(self);
            tokio::spawn(async move {
                aside.serve(job).await;
                drop(place);
            });
        }
    }

    /// Jobs that wait or run here.
    pub(crate) fn waiting(&self) -> usize {
        usize::try_from(self.room_max).unwrap_or(usize::MAX).saturating_sub(self.room.available_permits())
    }

    /// Returns when everything that was taken has its reply.
    pub(crate) async fn finished(&self) {
        drop(self.room.acquire_many(self.room_max).await);
    }

    async fn serve(&self, job: Job) {
        for attempt in 1.. {
            let counter = if attempt == 1 { &self.counters } else { &self.retries }.acquire().await;
            if Instant::now() >= job.give_up_at {
                return job.settle(Err(Declined::TooLate));
            }
            let call = self.store.execute(std::slice::from_ref(&job.request));
            let result = observed(&*self.observer, BatchKind::Alone, std::slice::from_ref(&job), call).await;
            drop(counter);
            match result {
                Ok(outcomes) => return reply_each(vec![job], outcomes, &self.taken, &*self.observer),
                Err(StoreError::Contended(_) | StoreError::Unavailable(_)) if attempt < self.attempts_max => pause(attempt).await,
                Err(error) => {
                    tracing::warn!(attempt, %error, "a command failed");
                    return reply_all(vec![job], &error);
                }
            }
        }
    }
}

/// Waits before the next attempt: 10 ms, doubled each time to at most 160 ms, give or take half.
pub(crate) async fn pause(attempt: u32) {
    let base = Duration::from_millis(10 << attempt.saturating_sub(1).min(4));
    let wait = base.mul_f64(rand::rng().random_range(0.5..1.5));
    tokio::time::sleep(wait).await;
}
