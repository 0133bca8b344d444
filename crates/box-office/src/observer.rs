//! Who is told what the box office does: for counting and tracing, never for deciding.

use std::time::Duration;

use domain::{Outcome, StoreError, Sweep};
use tokio::time::Instant;

use crate::panics::caught;
use crate::queue::Job;

/// Is told what happens, by the task that does it and on the way of every batch: it must be quick, and must not block.
pub trait Observer: Send + Sync {
    /// A command was taken out of a lane's queue, so long after it was handed in.
    fn waited(&self, wait: Duration) {
        let _ = wait;
    }

    /// A batch has come back from the store.
    fn ran(&self, batch: &Batch<'_>) {
        let _ = batch;
    }

    /// A command has its outcome.
    fn settled(&self, outcome: &Outcome) {
        let _ = outcome;
    }

    /// A sweep has come back from the store.
    fn swept(&self, sweep: &Result<Sweep, StoreError>, took: Duration) {
        let _ = (sweep, took);
    }
}

/// Nobody watches.
impl Observer for () {}

/// One call to the store.
#[derive(Debug)]
pub struct Batch<'a> {
    /// Which call.
    pub kind: BatchKind,
    /// How many commands it was for.
    pub commands: usize,
    /// How long the store took.
    pub took: Duration,
    /// What the store said instead of outcomes.
    pub error: Option<&'a StoreError>,
    /// The requests that brought the commands, those that are traced.
    pub callers: &'a [Caller],
}

/// The calls that batches are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchKind {
    /// A lane executes.
    Lane,
    /// The window looks.
    Look,
    /// A command is tried alone, beside the lanes.
    Alone,
}

/// A request that is traced, by its W3C trace context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The trace.
    pub trace: u128,
    /// The span of the request.
    pub span: u64,
}

tokio::task_local! {
    static CALLER: Caller;
}

impl Caller {
    /// Handles a request of this caller: whatever it submits meanwhile is known as the caller's.
    pub async fn brings<T>(self, request: impl Future<Output = T>) -> T {
        CALLER.scope(self, request).await
    }

    /// Whose request this task is handling.
    pub(crate) fn current() -> Option<Self> {
        CALLER.try_with(|caller| *caller).ok()
    }
}

/// Makes a call to the store for these jobs, and tells the observer of it.
pub(crate) async fn observed<T>(
    observer: &dyn Observer,
    kind: BatchKind,
    jobs: &[Job],
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let begun = Instant::now();
    let result = caught(call).await;
    let callers: Vec<Caller> = jobs.iter().filter_map(|job| job.caller).collect();
    let error = result.as_ref().err();
    observer.ran(&Batch { kind, commands: jobs.len(), took: begun.elapsed(), error, callers: &callers });
    result
}
