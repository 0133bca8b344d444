//! The sweeper on a store that does what a test tells it. Time is tokio's, paused.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has to fail")]

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use box_office::{SweepPlan, Sweeper};
use domain::{
    Booking, BookingDetails, BookingFilter, BookingId, BookingRepository, LiveHold, Outcome, Page, Refund, RefundKey, Request,
    ShowId, StoreError, Sweep, Transition,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// What this error says is said by a panic.
const PANIC: &str = "a bug";

/// Answers sweeps from a list, then with nothing due.
struct ScriptedStore {
    answers: Mutex<VecDeque<Result<Sweep, StoreError>>>,
    sweeps: mpsc::UnboundedSender<Instant>,
    /// How many answers are left when one of them does not come.
    stuck_at: Option<usize>,
}

#[async_trait]
impl BookingRepository for ScriptedStore {
    async fn expire_due(&self, _: NonZeroU32) -> Result<Sweep, StoreError> {
        self.sweeps.send(Instant::now()).unwrap();
        let (left, answer) = {
            let mut answers = self.answers.lock().unwrap();
            (answers.len(), answers.pop_front())
        };
        if self.stuck_at == Some(left) {
            std::future::pending::<()>().await;
        }
        assert_ne!(answer, Some(Err(StoreError::Corrupt(PANIC.to_owned()))));
        answer.unwrap_or_else(|| Ok(Sweep::default()))
    }

    async fn execute(&self, _: &[Request]) -> Result<Vec<Outcome>, StoreError> {
        unreachable!("a sweeper only sweeps")
    }

    async fn find(&self, _: BookingId) -> Result<Option<BookingDetails>, StoreError> {
        unreachable!("a sweeper only sweeps")
    }

    async fn history(&self, _: BookingId) -> Result<Option<Vec<Transition>>, StoreError> {
        unreachable!("a sweeper only sweeps")
    }

    async fn forget_keys(&self, _: NonZeroU32) -> Result<u32, StoreError> {
        unreachable!("a sweeper only sweeps")
    }

    async fn list(&self, _: &BookingFilter, _: Page) -> Result<Vec<Booking>, StoreError> {
        unreachable!("a sweeper only sweeps")
    }

    async fn live_holds(&self, _: Option<ShowId>, _: Option<BookingId>, _: NonZeroU32) -> Result<Vec<LiveHold>, StoreError> {
        unreachable!("a sweeper only sweeps")
    }

    async fn refunds(&self, _: Option<&RefundKey>, _: NonZeroU32) -> Result<Vec<Refund>, StoreError> {
        unreachable!("a sweeper only sweeps")
    }
}

const TICK: Duration = Duration::from_secs(1);

/// The times of the first sweeps, counted from the first of them.
async fn times(answers: Vec<Result<Sweep, StoreError>>, sweeps: usize) -> Vec<Duration> {
    let (sender, mut arrivals) = mpsc::unbounded_channel();
    let store = Arc::new(ScriptedStore { answers: Mutex::new(answers.into()), sweeps: sender, stuck_at: None });
    let sweeper = Sweeper::new(store, SweepPlan { tick: TICK, batch: NonZeroU32::new(10).unwrap() });
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(sweeper.run(async move {
        let _ = stopped.await;
    }));
    let mut times = Vec::new();
    for _ in 0..sweeps {
        times.push(arrivals.recv().await.unwrap());
    }
    stop.send(()).unwrap();
    running.await.unwrap();
    times.iter().map(|time| *time - times[0]).collect()
}

fn expired(count: i64) -> Sweep {
    Sweep { expired: (1..=count).filter_map(BookingId::new).collect(), ..Sweep::default() }
}

#[tokio::test(start_paused = true)]
async fn it_sweeps_until_nothing_is_due_and_then_sleeps_a_tick() {
    let times = times(vec![Ok(expired(9)), Ok(expired(3)), Ok(expired(0))], 4).await;
    assert!(times[2] < Duration::from_millis(10), "{times:?}");
    let slept = times[3].saturating_sub(times[2]);
    assert!((TICK.mul_f64(0.9)..=TICK.mul_f64(1.1) + Duration::from_millis(2)).contains(&slept), "{slept:?}");
}

#[tokio::test(start_paused = true)]
async fn it_wakes_for_the_next_deadline_if_that_comes_before_the_tick() {
    let due = Sweep { next_due_in: Some(Duration::from_millis(300)), ..Sweep::default() };
    let times = times(vec![Ok(due)], 2).await;
    assert!((Duration::from_millis(300)..Duration::from_millis(310)).contains(&times[1]), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn it_does_not_spin_when_someone_else_works_on_what_is_due() {
    let busy = Sweep { next_due_in: Some(Duration::ZERO), ..Sweep::default() };
    let times = times(vec![Ok(busy)], 2).await;
    assert!(times[1] >= TICK.mul_f64(0.9), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn it_backs_off_while_the_store_is_away_and_recovers() {
    let away = || Err(StoreError::Unavailable("no route".to_owned()));
    let times = times(vec![away(), away(), away(), away(), Ok(Sweep::default())], 5).await;
    let pauses: Vec<Duration> = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    for (pause, base_ms) in pauses.iter().zip([100, 200, 400, 800]) {
        let base = Duration::from_millis(base_ms);
        assert!((base.mul_f64(0.9)..=base.mul_f64(1.1) + Duration::from_millis(2)).contains(pause), "{pauses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_healthy_while_the_store_answers_and_not_long_after_that() {
    let (sender, _arrivals) = mpsc::unbounded_channel();
    let answers = (0..1000).map(|_| Err(StoreError::Unavailable("no route".to_owned()))).collect();
    let store = Arc::new(ScriptedStore { answers: Mutex::new(answers), sweeps: sender, stuck_at: None });
    let sweeper = Sweeper::new(store, SweepPlan { tick: TICK, batch: NonZeroU32::new(10).unwrap() });
    let health = sweeper.health();
    tokio::spawn(sweeper.run(std::future::pending()));
    tokio::time::sleep(Duration::from_secs(14)).await;
    assert!(health.is_healthy());
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!health.is_healthy());
    assert!(health.failures() > 3);
}

#[tokio::test(start_paused = true)]
async fn a_full_sweep_is_followed_by_two_at_once_until_one_is_not_full() {
    let answers = [10, 10, 10, 3, 2, 1].map(|count| Ok(expired(count))).into();
    let times = times(answers, 8).await;
    // A full one; two full ones; two that are not; one that finds something, one that finds nothing; and a tick later another.
    assert!(times[..7].iter().all(Duration::is_zero), "{times:?}");
    assert!(times[7] >= TICK.mul_f64(0.9), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_stuck_holds_up_no_other() {
    let (sender, mut arrivals) = mpsc::unbounded_channel();
    let answers = (0..100).map(|_| Ok(expired(10))).collect();
    let store = Arc::new(ScriptedStore { answers: Mutex::new(answers), sweeps: sender, stuck_at: Some(99) });
    let sweeper = Sweeper::new(store, SweepPlan { tick: TICK, batch: NonZeroU32::new(10).unwrap() });
    let running = tokio::spawn(sweeper.run(std::future::pending()));
    for _ in 0..100 {
        tokio::time::timeout(TICK / 2, arrivals.recv()).await.unwrap().unwrap();
    }
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_is_asked_again_as_after_any_failure() {
    let panics = || Err(StoreError::Corrupt(PANIC.to_owned()));
    let times = times(vec![panics(), panics(), Ok(Sweep::default())], 3).await;
    assert!(times[1] >= Duration::from_millis(90) && times[2] >= times[1] + Duration::from_millis(180), "{times:?}");
}
