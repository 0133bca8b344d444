//! Callers who lose interest.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Polls the call at most `polls` times, then drops it where it stands. `None` if it did not come to its end.
pub(crate) async fn cut_short<T>(call: impl Future<Output = T>, polls: u32) -> Option<T> {
    let mut call = pin!(call);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match call.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
