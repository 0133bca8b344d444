//! A queue: the way in, which knows when to say no, and the way out, at which jobs are taken in batches.

use std::sync::Arc;

use domain::{Outcome, Request};
use tokio::sync::{mpsc, oneshot, watch};
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
    (Queue { jobs, pace: Arc::clone(&pace) }, Batches { waiting, closing, pace })
}

/// The way in.
pub(crate) struct Queue {
    jobs: mpsc::Sender<Job>,
    pace: Arc<Pace>,
}

impl Queue {
    /// Puts the job in; if it can't, or if the job would have to wait too long, declines it.
    pub(crate) fn take(&self, job: Job) {
        if self.is_slow() {
            return job.settle(Err(Declined::Full));
        }
        match self.jobs.try_send(job) {
            Ok(()) => {}
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
}

impl Batches {
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
