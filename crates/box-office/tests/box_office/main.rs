//! The box office on a store that does what a test tells it: replies, batches, trouble, closing.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has to fail")]

mod trouble;

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use box_office::{BoxOffice, Declined, Plan};
use domain::{
    Booking, BookingDetails, BookingFilter, BookingId, BookingRepository, Command, LiveHold, Outcome, Page, Refund, RefundKey,
    Refusal, Request, ShowId, StoreError, Sweep, Transition,
};
use tokio::sync::{Semaphore, mpsc};

/// What a batch of these ids fails with, if it fails.
type Script = Box<dyn FnMut(&[i64]) -> Option<StoreError> + Send>;

/// A store whose batches wait at a gate, and fail as the script says. It answers a confirm with the id that was asked, and knows every
/// booking but [`UNKNOWN`].
struct ScriptedStore {
    gate: Semaphore,
    arrivals: mpsc::UnboundedSender<Vec<i64>>,
    script: Mutex<Script>,
}

#[async_trait]
impl BookingRepository for ScriptedStore {
    async fn execute(&self, requests: &[Request]) -> Result<Vec<Outcome>, StoreError> {
        let ids: Vec<i64> = requests.iter().map(|request| id(&request.command)).collect();
        self.arrivals.send(ids.clone()).unwrap();
        self.gate.acquire().await.unwrap().forget();
        // A script may panic.
        match (self.script.lock().unwrap_or_else(PoisonError::into_inner))(&ids) {
            Some(error) => Err(error),
            None => Ok(ids.into_iter().map(answer).collect()),
        }
    }

    async fn expire_due(&self, _: NonZeroU32) -> Result<Sweep, StoreError> {
        unreachable!("the box office does not sweep")
    }

    async fn find(&self, _: BookingId) -> Result<Option<BookingDetails>, StoreError> {
        unreachable!("the box office does not read")
    }

    async fn history(&self, _: BookingId) -> Result<Option<Vec<Transition>>, StoreError> {
        unreachable!("the box office does not read")
    }

    async fn forget_keys(&self, _: NonZeroU32) -> Result<u32, StoreError> {
        unreachable!("the box office does not read")
    }

    async fn list(&self, _: &BookingFilter, _: Page) -> Result<Vec<Booking>, StoreError> {
        unreachable!("the box office does not read")
    }

    async fn live_holds(&self, _: Option<ShowId>, _: Option<BookingId>, _: NonZeroU32) -> Result<Vec<LiveHold>, StoreError> {
        unreachable!("the box office does not read")
    }

    async fn refunds(&self, _: Option<&RefundKey>, _: NonZeroU32) -> Result<Vec<Refund>, StoreError> {
        unreachable!("the box office does not read")
    }
}

fn id(command: &Command) -> i64 {
    let (Command::Confirm(domain::Confirm { booking_id, .. }) | Command::Expire { booking_id }) = command else {
        panic!("only confirms here")
    };
    booking_id.get()
}

fn confirm(id: i64) -> Command {
    Command::Confirm(domain::Confirm::of(BookingId::new(id).unwrap()))
}

fn confirmed(id: i64) -> Outcome {
    Outcome::Confirmed { booking_id: BookingId::new(id).unwrap() }
}

const UNKNOWN: i64 = 404;

fn answer(id: i64) -> Outcome {
    if id == UNKNOWN { refused(id) } else { confirmed(id) }
}

fn refused(id: i64) -> Outcome {
    Outcome::Refused(Refusal::NoSuchBooking { booking_id: BookingId::new(id).unwrap() })
}

/// A box office on a scripted store, and the batches as they arrive there.
struct World {
    office: Arc<BoxOffice>,
    store: Arc<ScriptedStore>,
    arrivals: mpsc::UnboundedReceiver<Vec<i64>>,
}

impl World {
    fn new(plan: &Plan, script: impl FnMut(&[i64]) -> Option<StoreError> + Send + 'static) -> Self {
        let (sender, arrivals) = mpsc::unbounded_channel();
        let store = Arc::new(ScriptedStore { gate: Semaphore::new(0), arrivals: sender, script: Mutex::new(Box::new(script)) });
        let port: Arc<dyn BookingRepository> = Arc::clone(&store) as Arc<dyn BookingRepository>;
        Self { office: Arc::new(BoxOffice::open(&port, plan)), store, arrivals }
    }

    fn submit(&self, id: i64) -> tokio::task::JoinHandle<Result<Outcome, Declined>> {
        let office = Arc::clone(&self.office);
        tokio::spawn(async move { office.submit(confirm(id)).await })
    }

    async fn next_batch(&mut self) -> Vec<i64> {
        self.arrivals.recv().await.unwrap()
    }

    /// Lets this many batches through.
    fn open_gate(&self, batches: usize) {
        self.store.gate.add_permits(batches);
    }
}

/// Lets every task run until all of them wait.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn never_fails(_: &[i64]) -> Option<StoreError> {
    None
}

const MANY: usize = 10_000;

#[tokio::test]
async fn what_queues_during_a_batch_is_the_next_batch_and_each_caller_gets_its_own_outcome() {
    let mut world = World::new(&Plan::default(), never_fails);
    let first = world.submit(1);
    assert_eq!(world.next_batch().await, [1]);
    let others: Vec<_> = (2..=50).map(|id| world.submit(id)).collect();
    settle().await;
    world.open_gate(2);
    assert_eq!(world.next_batch().await, (2..=50).collect::<Vec<_>>());
    assert_eq!(first.await.unwrap(), Ok(confirmed(1)));
    for (other, id) in others.into_iter().zip(2..) {
        assert_eq!(other.await.unwrap(), Ok(confirmed(id)));
    }
}

#[tokio::test]
async fn no_caller_hears_anything_before_its_batch_is_done() {
    let mut world = World::new(&Plan::default(), never_fails);
    let caller = world.submit(1);
    world.next_batch().await;
    settle().await;
    assert!(!caller.is_finished());
    world.open_gate(1);
    assert_eq!(caller.await.unwrap(), Ok(confirmed(1)));
}

#[tokio::test]
async fn a_batch_has_at_most_its_limit() {
    let mut world = World::new(&Plan { batch_max: 3, ..Plan::default() }, never_fails);
    let callers: Vec<_> = (1..=8).map(|id| world.submit(id)).collect();
    world.open_gate(MANY);
    let mut sizes = Vec::new();
    while sizes.iter().sum::<usize>() < 8 {
        sizes.push(world.next_batch().await.len());
    }
    assert!(sizes.iter().all(|&size| size <= 3), "{sizes:?}");
    for caller in callers {
        assert!(caller.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_full_queue_declines_at_once_and_serves_again_when_it_has_room() {
    let mut world = World::new(&Plan { queue_max: 2, ..Plan::default() }, never_fails);
    let served = world.submit(1);
    world.next_batch().await;
    let queued = [world.submit(2), world.submit(3)];
    settle().await;
    assert!(world.office.is_full());
    assert_eq!(world.office.submit(confirm(4)).await, Err(Declined::Full));
    world.open_gate(MANY);
    assert!(served.await.unwrap().is_ok());
    for queued in queued {
        assert!(queued.await.unwrap().is_ok());
    }
    assert!(!world.office.is_full());
    assert_eq!(world.office.submit(confirm(5)).await, Ok(confirmed(5)));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_makes_the_next_callers_turn_away_at_once_and_is_forgiven_when_it_goes_on() {
    let plan = Plan { batch_max: 1, wait_max: Duration::from_millis(100), patience: Duration::from_mins(1), ..Plan::default() };
    let mut world = World::new(&plan, never_fails);
    let in_flight = world.submit(1);
    world.next_batch().await;
    let queued = [world.submit(2), world.submit(3)];
    settle().await;
    assert!(!world.office.is_busy(), "nobody knows yet how long this batch will take");
    tokio::time::advance(Duration::from_millis(101)).await;
    assert!(world.office.is_busy());
    assert_eq!(world.office.submit(confirm(4)).await, Err(Declined::Full));
    world.open_gate(MANY);
    assert_eq!(in_flight.await.unwrap(), Ok(confirmed(1)));
    for (queued, id) in queued.into_iter().zip(2..) {
        assert_eq!(queued.await.unwrap(), Ok(confirmed(id)));
    }
    assert!(!world.office.is_busy());
    assert_eq!(world.office.submit(confirm(5)).await, Ok(confirmed(5)));
}

#[tokio::test]
async fn it_is_busy_when_every_lane_is() {
    let mut world = World::new(&Plan { lanes: 2, queue_max: 1, ..Plan::default() }, never_fails);
    let mut callers = Vec::new();
    for id in [1, 2] {
        callers.push(world.submit(id));
        world.next_batch().await;
    }
    callers.push(world.submit(3));
    settle().await;
    assert!(!world.office.is_busy(), "one of two lanes has room");
    callers.push(world.submit(4));
    settle().await;
    assert!(world.office.is_busy());
    world.open_gate(MANY);
    for caller in callers {
        assert!(caller.await.unwrap().is_ok());
    }
    assert!(!world.office.is_busy());
}

#[tokio::test(start_paused = true)]
async fn a_command_that_waited_too_long_never_reaches_the_store() {
    let mut world = World::new(&Plan { patience: Duration::from_secs(5), ..Plan::default() }, never_fails);
    let served = world.submit(1);
    world.next_batch().await;
    let stale = world.submit(2);
    settle().await;
    tokio::time::advance(Duration::from_secs(6)).await;
    world.open_gate(MANY);
    assert_eq!(served.await.unwrap(), Ok(confirmed(1)), "what was begun in time is finished");
    assert_eq!(stale.await.unwrap(), Err(Declined::TooLate));
    assert!(world.arrivals.try_recv().is_err());
}

#[tokio::test]
async fn a_command_whose_caller_has_gone_never_reaches_the_store() {
    let mut world = World::new(&Plan::default(), never_fails);
    let served = world.submit(1);
    world.next_batch().await;
    let gone = world.submit(2);
    let waiting = world.submit(3);
    settle().await;
    gone.abort();
    settle().await;
    world.open_gate(MANY);
    assert!(served.await.unwrap().is_ok());
    assert!(waiting.await.unwrap().is_ok());
    assert_eq!(world.next_batch().await, [3]);
}

#[tokio::test(start_paused = true)]
async fn closing_takes_nothing_more_and_finishes_what_was_taken() {
    let mut failures = VecDeque::from([StoreError::Contended("locked".to_owned())]);
    let mut world = World::new(&Plan::default(), move |ids| if ids == [1] { failures.pop_front() } else { None });
    let aside = world.submit(1);
    world.next_batch().await;
    world.open_gate(1);
    assert_eq!(world.next_batch().await, [1], "aside");
    let in_flight = world.submit(2);
    assert_eq!(world.next_batch().await, [2]);
    let queued = world.submit(3);
    settle().await;
    let office = Arc::clone(&world.office);
    let closing = tokio::spawn(async move { office.close().await });
    settle().await;
    assert_eq!(world.office.submit(confirm(4)).await, Err(Declined::Closing));
    assert!(!closing.is_finished());
    world.open_gate(MANY);
    closing.await.unwrap();
    for (caller, id) in [(aside, 1), (in_flight, 2), (queued, 3)] {
        assert!(caller.is_finished(), "{id}");
        assert_eq!(caller.await.unwrap(), Ok(confirmed(id)));
    }
}

#[tokio::test]
async fn a_refusal_is_an_outcome_like_any_other() {
    let world = World::new(&Plan::default(), never_fails);
    world.open_gate(1);
    assert_eq!(world.office.submit(confirm(UNKNOWN)).await, Ok(refused(UNKNOWN)));
}
