//! The one thread that writes.

use std::io;
use std::thread;

use domain::StoreError;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::failure::Failure;

/// Jobs that may wait. Whoever comes when it is full waits to get in; lanes send one batch at a time and never fill it.
const QUEUE_MAX: usize = 64;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The way to the thread. It ends, and closes its connection, when this is dropped and all jobs are done.
#[derive(Debug)]
pub(crate) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    pub(crate) fn start(mut connection: Connection) -> io::Result<Self> {
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE_MAX);
        thread::Builder::new().name("sqlite-writer".to_owned()).spawn(move || {
            while let Some(job) = queue.blocking_recv() {
                job(&mut connection);
            }
        })?;
        Ok(Self { jobs })
    }

    /// Does the job after those that came before it. If its caller is gone before it begins it is left out; one that has begun
    /// goes on to its end.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(move |connection: &mut Connection| {
            if !reply.is_closed() {
                // A caller who has left does not want the answer.
                let _ = reply.send(job(connection));
            }
        });
        self.jobs.send(job).await.map_err(|_| StoreError::Unavailable("the writer has ended".to_owned()))?;
        let ended = |_| StoreError::OutcomeUnknown("the writer ended in the middle of a job".to_owned());
        Ok(answer.await.map_err(ended)??)
    }

    /// Whether jobs are still done.
    pub(crate) fn is_alive(&self) -> bool {
        !self.jobs.is_closed()
    }
}
