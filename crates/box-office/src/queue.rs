//! A queue: the way in, which knows when to say no, and the way out, at which jobs are taken in batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::{Outcome, Request};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::observer::Caller;
use crate::office::{Declined, Plan};
use crate::pace::Pace;

/// A request and its caller.
pub(crate) struct Job {
    pub(crate) request: Request,
    pub(crate) caller: Option<Caller>,
    pub(crate) came_at: Instant,
    pub(crate) give_up_at: Instant,
    pub(crate) reply: oneshot::Sender<Result<Outcome, Declined>>,
}

impl Job {
    /// Replies. A caller that has gone needs none.
    pub(crate) fn settle(self, result: Result<Outcome, Declined>) {
        let _ = self.reply.send(result);
    }
}

/// Both ends of a queue that drains and ends when `closing` says so.
pub(crate) fn queue(plan: &Plan, closing: watch::Receiver<bool>) -> (Queue, Batches) {
    let (jobs, waiting) = mpsc::channel(plan.queue_max.max(1));
    let pace = Arc::new(Pace::new(plan));
    let bell = Arc::new(Bell { at: AtomicUsize::new(NEVER), rung: Notify::new() });
    (Queue { jobs, pace: Arc::clone(&pace), bell: Arc::clone(&bell) }, Batches { waiting, closing, pace, bell })
}

/// More jobs than can wait.
const NEVER: usize = usize::MAX;

/// Rings once when so many jobs wait.
struct Bell {
    at: AtomicUsize,
    rung: Notify,
}

impl Bell {
    fn ring_if(&self, waiting: usize) {
        if waiting >= self.at.load(Ordering::Relaxed) && self.at.swap(NEVER, Ordering::Relaxed) != NEVER {
            self.rung.notify_one();
        }
    }
}

/// The way in.
pub(crate) struct Queue {
    jobs: mpsc::Sender<Job>,
    pace: Arc<Pace>,
    bell: Arc<Bell>,
}

impl Queue {
    /// Puts the job in; if it can't, or if the job would have to wait too long, declines it.
    pub(crate) fn take(&self, job: Job) {
        if self.is_slow() {
            return job.settle(Err(Declined::Full));
        }
        match self.jobs.try_send(job) {
            Ok(()) => self.bell.ring_if(self.waiting()),
            Err(mpsc::error::TrySendError::Full(job)) => job.settle(Err(Declined::Full)),
            Err(mpsc::error::TrySendError::Closed(job)) => job.settle(Err(Declined::Closing)),
        }
    }

    /// Whether one more job would be declined because of those that wait.
    pub(crate) fn is_busy(&self) -> bool {
        self.jobs.capacity() == 0 || self.is_slow()
    }

    /// Whether it has no room, or has closed.
    pub(crate) fn is_full(&self) -> bool {
        self.jobs.capacity() == 0 || self.jobs.is_closed()
    }

    /// Jobs that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }

    fn is_slow(&self) -> bool {
        self.pace.is_too_slow_for(self.waiting())
    }
}

/// The way out.
pub(crate) struct Batches {
    waiting: mpsc::Receiver<Job>,
    closing: watch::Receiver<bool>,
    pace: Arc<Pace>,
    bell: Arc<Bell>,
}

impl Batches {
    /// Waits until there are jobs for a batch of so many, or for a full one if that is less. That one is missed which comes at the very
    /// moment at which this begins to listen costs a little time, no more: the next one rings.
    pub(crate) async fn as_many_as(&self, jobs: usize) {
        let jobs = self.pace.waiting_for(jobs);
        loop {
            self.bell.at.store(jobs, Ordering::Relaxed);
            if self.waiting.len() >= jobs {
                return self.bell.at.store(NEVER, Ordering::Relaxed);
            }
            self.bell.rung.notified().await;
        }
    }

    /// Done with the last batch; waits until so many jobs wait, but not for longer than that.
    pub(crate) async fn gather(&self, jobs: usize, patience: Duration) {
        self.pace.done();
        let _ = tokio::time::timeout(patience, self.as_many_as(jobs)).await;
    }

    /// Waits for jobs, and takes as many as make a batch; `None` when the box office has closed and the queue is empty. Whoever
    /// comes for the next batch is done with the last one.
    pub(crate) async fn next(&mut self) -> Option<Vec<Job>> {
        self.pace.done();
        let size = self.pace.batch_of(self.waiting.len());
        let mut batch = Vec::with_capacity(size);
        loop {
            tokio::select! {
                biased;
                // Resolves at once for good after closing, and then draining is all there is to do.
                () = closed(&mut self.closing), if !self.waiting.is_closed() => self.waiting.close(),
                taken = self.waiting.recv_many(&mut batch, size) => {
                    self.pace.begun(taken);
                    return (taken > 0).then_some(batch);
                }
            }
        }
    }
}

/// Resolves when the box office closes, or has been dropped.
async fn closed(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}
