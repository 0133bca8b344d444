//! The way back: replies of a look, each to its caller.

use std::cell::RefCell;
use std::thread::ThreadId;

use domain::Outcome;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{mpsc, oneshot};

use crate::office::Declined;

/// Where a caller waits for its reply.
pub(crate) struct Reply {
    caller: oneshot::Sender<Result<Outcome, Declined>>,
    desk: Option<Desk>,
}

impl Reply {
    /// For whoever waits in this thread.
    pub(crate) fn here() -> (Self, oneshot::Receiver<Result<Outcome, Declined>>) {
        let (caller, reply) = oneshot::channel();
        (Self { caller, desk: Desk::here() }, reply)
    }

    /// Whether nobody waits any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.caller.is_closed()
    }

    /// Replies at once. A caller that has gone needs none.
    pub(crate) fn send(self, result: Result<Outcome, Declined>) {
        let _ = self.caller.send(result);
    }
}

/// Hands out replies in the thread that it was opened in. To wake a task of a runtime with a thread of its own from elsewhere is a
/// system call, however many have been woken there before it: so the replies of a look go to such a thread together. Not those of a
/// lane's batch: it took a tenth of the sales, as the callers' thread begins later.
#[derive(Clone)]
struct Desk {
    thread: ThreadId,
    replies: mpsc::UnboundedSender<Vec<Ready>>,
}

/// A reply and what it says.
type Ready = (Reply, Result<Outcome, Declined>);

thread_local! {
    static DESK: RefCell<Option<Desk>> = const { RefCell::new(None) };
}

impl Desk {
    /// This thread's desk, if its runtime has but this thread; else nobody knows where the caller will be.
    fn here() -> Option<Self> {
        DESK.with_borrow_mut(|desk| {
            let is_open = desk.as_ref().is_some_and(|desk| !desk.replies.is_closed());
            if !is_open {
                let runtime = Handle::try_current().ok();
                *desk = runtime
                    .filter(|runtime| runtime.runtime_flavor() == RuntimeFlavor::CurrentThread)
                    .map(|runtime| Self::open(&runtime));
            }
            desk.clone()
        })
    }

    fn open(runtime: &Handle) -> Self {
        let (replies, mut waiting) = mpsc::unbounded_channel::<Vec<Ready>>();
        runtime.spawn(async move {
            while let Some(replies) = waiting.recv().await {
                hand_out(replies);
            }
        });
        Self { thread: std::thread::current().id(), replies }
    }
}

fn hand_out(replies: Vec<Ready>) {
    for (reply, result) in replies {
        reply.send(result);
    }
}

/// Replies that are ready, and go out when this is dropped, those for one thread together.
pub(crate) struct Replies {
    here: ThreadId,
    ready: Vec<(mpsc::UnboundedSender<Vec<Ready>>, Vec<Ready>)>,
}

impl Replies {
    pub(crate) fn new() -> Self {
        Self { here: std::thread::current().id(), ready: Vec::new() }
    }

    pub(crate) fn add(&mut self, reply: Reply, result: Result<Outcome, Declined>) {
        let Some(desk) = reply.desk.as_ref().filter(|desk| desk.thread != self.here) else { return reply.send(result) };
        if let Some((_, ready)) = self.ready.iter_mut().find(|(known, _)| known.same_channel(&desk.replies)) {
            ready.push((reply, result));
        } else {
            let desk = desk.replies.clone();
            self.ready.push((desk, vec![(reply, result)]));
        }
    }
}

impl Drop for Replies {
    fn drop(&mut self) {
        for (desk, ready) in self.ready.drain(..) {
            // The runtime of that thread may have ended; who has gone on elsewhere shall hear of it.
            if let Err(mpsc::error::SendError(ready)) = desk.send(ready) {
                hand_out(ready);
            }
        }
    }
}
