//! Batches that go behind one which is in flight, on a store that takes them, or does not.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has to fail")]

use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::sync::Arc;

use async_trait::async_trait;
use box_office::{BoxOffice, Declined, Plan};
use domain::{
    Booking, BookingDetails, BookingFilter, BookingId, BookingRepository, Command, Confirm, LiveHold, Outcome, Page, Refund,
    RefundKey, Request, ShowId, StoreError, Sweep, Transition,
};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

/// A batch that has come to the store, by the ids in it.
#[derive(Debug, PartialEq)]
enum Arrival {
    Alone(Vec<i64>),
    Behind(Vec<i64>, Vec<i64>),
}

/// A store whose batches wait at a gate. It lets a batch follow if its ids say so, and fails batches of some ids.
struct Store {
    gate: Semaphore,
    arrivals: mpsc::UnboundedSender<Arrival>,
    follows: fn(&[i64]) -> bool,
    fails: fn(&[i64]) -> Option<StoreError>,
}

impl Store {
    async fn pass(&self, arrival: Arrival, requests: &[Request]) -> Result<Vec<Outcome>, StoreError> {
        self.arrivals.send(arrival).unwrap();
        self.gate.acquire().await.unwrap().forget();
        let ids = ids(requests);
        (self.fails)(&ids).map_or_else(|| Ok(ids.into_iter().map(confirmed).collect()), Err)
    }
}

#[async_trait]
impl BookingRepository for Store {
    async fn execute(&self, requests: &[Request]) -> Result<Vec<Outcome>, StoreError> {
        self.pass(Arrival::Alone(ids(requests)), requests).await
    }

    fn may_follow(&self, _before: &[Request], requests: &[Request]) -> bool {
        (self.follows)(&ids(requests))
    }

    async fn execute_behind(&self, before: &[Request], requests: &[Request]) -> Result<Vec<Outcome>, StoreError> {
        self.pass(Arrival::Behind(ids(before), ids(requests)), requests).await
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

fn ids(requests: &[Request]) -> Vec<i64> {
    requests.iter().filter_map(|request| request.command.booking_id()).map(BookingId::get).collect()
}

fn confirmed(id: i64) -> Outcome {
    Outcome::Confirmed { booking_id: BookingId::new(id).unwrap() }
}

struct World {
    office: Arc<BoxOffice>,
    store: Arc<Store>,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
}

impl World {
    fn new(follows: fn(&[i64]) -> bool, fails: fn(&[i64]) -> Option<StoreError>) -> Self {
        let (sender, arrivals) = mpsc::unbounded_channel();
        let store = Arc::new(Store { gate: Semaphore::new(0), arrivals: sender, follows, fails });
        let port: Arc<dyn BookingRepository> = Arc::clone(&store) as Arc<dyn BookingRepository>;
        Self { office: Arc::new(BoxOffice::open(&port, &Plan::default())), store, arrivals }
    }

    /// Submits these, one after the other.
    async fn submit(&self, ids: RangeInclusive<i64>) -> Vec<(i64, JoinHandle<Result<Outcome, Declined>>)> {
        let mut submitted = Vec::new();
        for id in ids {
            let office = Arc::clone(&self.office);
            let command = Command::Confirm(Confirm::of(BookingId::new(id).unwrap()));
            submitted.push((id, tokio::spawn(async move { office.submit(command).await })));
            tokio::task::yield_now().await;
        }
        submitted
    }

    /// The next batch; none if nobody comes though everybody has nothing to do but that.
    async fn arrival(&mut self) -> Option<Arrival> {
        for _ in 0..200 {
            if let Ok(arrival) = self.arrivals.try_recv() {
                return Some(arrival);
            }
            tokio::task::yield_now().await;
        }
        None
    }

    fn open_gate(&self, batches: usize) {
        self.store.gate.add_permits(batches);
    }
}

async fn all_confirmed(submitted: Vec<(i64, JoinHandle<Result<Outcome, Declined>>)>) {
    for (id, answer) in submitted {
        assert_eq!(answer.await.unwrap(), Ok(confirmed(id)));
    }
}

fn to(last: i64, first: i64) -> Vec<i64> {
    (first..=last).collect()
}

fn nothing_fails(_: &[i64]) -> Option<StoreError> {
    None
}

/// Once as many wait as the batch in flight has, and not fewer than are worth it; and no third behind both.
#[tokio::test]
async fn a_batch_follows_once_it_is_large_enough() {
    let mut world = World::new(|_| true, nothing_fails);
    let first = world.submit(1..=1).await;
    assert_eq!(world.arrival().await, Some(Arrival::Alone(vec![1])));
    let mut waiting = world.submit(2..=16).await;
    assert_eq!(world.arrival().await, None, "fifteen are too few");
    waiting.extend(world.submit(17..=17).await);
    assert_eq!(world.arrival().await, Some(Arrival::Behind(vec![1], to(17, 2))));
    let later = world.submit(18..=60).await;
    assert_eq!(world.arrival().await, None, "one behind another is enough");
    world.open_gate(1);
    all_confirmed(first).await;
    assert_eq!(world.arrival().await, Some(Arrival::Behind(to(17, 2), to(60, 18))));
    let last = world.submit(61..=102).await;
    assert_eq!(world.arrival().await, None, "fewer than the 43 in flight");
    world.open_gate(2);
    all_confirmed(waiting).await;
    all_confirmed(later).await;
    assert_eq!(world.arrival().await, Some(Arrival::Alone(to(102, 61))));
    world.open_gate(1);
    all_confirmed(last).await;
}

/// Where the store takes none, the queue is not even touched, so that the next batch is as large as it can be.
#[tokio::test]
async fn a_batch_waits_where_the_store_takes_one_at_a_time() {
    let mut world = World::new(|_| false, nothing_fails);
    let first = world.submit(1..=1).await;
    assert_eq!(world.arrival().await, Some(Arrival::Alone(vec![1])));
    let mut waiting = world.submit(2..=30).await;
    assert_eq!(world.arrival().await, None);
    waiting.extend(world.submit(31..=40).await);
    world.open_gate(1);
    all_confirmed(first).await;
    assert_eq!(world.arrival().await, Some(Arrival::Alone(to(40, 2))));
    world.open_gate(1);
    all_confirmed(waiting).await;
}

/// A batch that has to do with the one in flight waits for it.
#[tokio::test]
async fn a_batch_that_wants_the_same_waits() {
    let mut world = World::new(<[i64]>::is_empty, nothing_fails);
    let first = world.submit(1..=1).await;
    assert_eq!(world.arrival().await, Some(Arrival::Alone(vec![1])));
    let waiting = world.submit(2..=17).await;
    assert_eq!(world.arrival().await, None);
    world.open_gate(1);
    all_confirmed(first).await;
    assert_eq!(world.arrival().await, Some(Arrival::Alone(to(17, 2))));
    world.open_gate(1);
    all_confirmed(waiting).await;
}

/// What fails behind another is tried again by itself; and what fails before another is nothing to that.
#[tokio::test(start_paused = true)]
async fn a_batch_that_fails_is_tried_again_by_itself() {
    fn away(ids: &[i64]) -> Option<StoreError> {
        static TRIES: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let is_first = ids.contains(&2) && TRIES.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        is_first.then(|| StoreError::Unavailable("away".to_owned()))
    }
    let mut world = World::new(|_| true, away);
    let first = world.submit(1..=1).await;
    assert_eq!(world.arrival().await, Some(Arrival::Alone(vec![1])));
    let waiting = world.submit(2..=17).await;
    assert_eq!(world.arrival().await, Some(Arrival::Behind(vec![1], to(17, 2))));
    world.open_gate(3);
    all_confirmed(first).await;
    all_confirmed(waiting).await;
    assert_eq!(world.arrival().await, Some(Arrival::Alone(to(17, 2))));
}

/// Closing waits for both.
#[tokio::test]
async fn a_box_office_that_closes_finishes_what_follows() {
    let mut world = World::new(|_| true, nothing_fails);
    let first = world.submit(1..=1).await;
    assert_eq!(world.arrival().await, Some(Arrival::Alone(vec![1])));
    let waiting = world.submit(2..=17).await;
    assert_eq!(world.arrival().await, Some(Arrival::Behind(vec![1], to(17, 2))));
    let late = world.submit(18..=20).await;
    let office = Arc::clone(&world.office);
    let closing = tokio::spawn(async move { office.close().await });
    assert_eq!(world.arrival().await, None);
    assert!(!closing.is_finished());
    world.open_gate(3);
    closing.await.unwrap();
    for answers in [first, waiting, late] {
        all_confirmed(answers).await;
    }
}
