//! A time limit that costs next to nothing when it is kept.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::{Sleep, sleep_until};

/// A timer that stays set from call to call. Setting one for every call is a sixth of what a call costs; this one is set when
/// it goes off, which it does once in a time limit: too early for the call that waits then, which sets it anew.
pub(super) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// What `working` yields, if it does so before the deadline.
    pub(super) async fn bound<F: Future>(&mut self, deadline: Instant, working: F) -> Option<F::Output> {
        let mut working = pin!(working);
        poll_fn(|cx| match working.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => self.poll_gone_off(deadline, cx).map(|()| None),
        })
        .await
    }

    fn poll_gone_off(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let timer = self.0.get_or_insert_with(|| Box::pin(sleep_until(deadline.into())));
        if timer.deadline().into_std() > deadline {
            timer.as_mut().reset(deadline.into());
        }
        loop {
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if deadline.saturating_duration_since(Instant::now()) == Duration::ZERO {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_call_has_all_of_its_time_and_no_more() {
        let mut alarm = Alarm::new();
        for limit in [40, 80, 10, 10, 60].map(Duration::from_millis) {
            let began = Instant::now();
            assert_eq!(alarm.bound(began + limit, async { 7 }).await, Some(7));
            assert_eq!(alarm.bound(began + limit, std::future::pending::<()>()).await, None);
            let waited = began.elapsed();
            assert!(waited >= limit && waited < limit + Duration::from_secs(1), "{waited:?} for {limit:?}");
        }
    }
}
