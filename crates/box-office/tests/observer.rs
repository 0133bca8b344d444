//! What an observer is told.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has to fail")]

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use box_office::{Batch, BatchKind, BoxOffice, Caller, Observer, Plan, SweepPlan, Sweeper};
use domain::{
    Booking, BookingDetails, BookingFilter, BookingId, BookingRepository, Command, LiveHold, Outcome, Page, Refund, RefundKey,
    Request, ShowId, StoreError, Sweep, Transition,
};
use tokio::sync::{Semaphore, oneshot};

/// Confirms what it is asked to once its gate is open; a batch with booking 13 is contended.
struct Store {
    gate: Semaphore,
}

#[async_trait]
impl BookingRepository for Store {
    async fn execute(&self, requests: &[Request]) -> Result<Vec<Outcome>, StoreError> {
        self.gate.acquire().await.unwrap().forget();
        let ids: Vec<BookingId> = requests.iter().filter_map(|request| request.command.booking_id()).collect();
        if ids.iter().any(|id| id.get() == 13) {
            return Err(StoreError::Contended("unlucky".to_owned()));
        }
        Ok(ids.into_iter().map(|booking_id| Outcome::Confirmed { booking_id }).collect())
    }

    async fn expire_due(&self, _: NonZeroU32) -> Result<Sweep, StoreError> {
        self.gate.acquire().await.unwrap().forget();
        Ok(Sweep { lag_max: Duration::from_secs(7), ..Sweep::default() })
    }

    async fn find(&self, _: BookingId) -> Result<Option<BookingDetails>, StoreError> {
        unreachable!("nobody reads here")
    }

    async fn history(&self, _: BookingId) -> Result<Option<Vec<Transition>>, StoreError> {
        unreachable!("nobody reads here")
    }

    async fn forget_keys(&self, _: NonZeroU32) -> Result<u32, StoreError> {
        unreachable!("nobody forgets here")
    }

    async fn list(&self, _: &BookingFilter, _: Page) -> Result<Vec<Booking>, StoreError> {
        unreachable!("nobody reads here")
    }

    async fn live_holds(&self, _: Option<ShowId>, _: Option<BookingId>, _: NonZeroU32) -> Result<Vec<LiveHold>, StoreError> {
        unreachable!("nobody reads here")
    }

    async fn refunds(&self, _: Option<&RefundKey>, _: NonZeroU32) -> Result<Vec<Refund>, StoreError> {
        unreachable!("nobody reads here")
    }
}

/// The kind of a batch, its size, whether it failed, and whose it was.
type Entry = (BatchKind, usize, bool, Vec<Caller>);

/// Keeps what it is told.
#[derive(Default)]
struct Diary {
    batches: Mutex<Vec<Entry>>,
    waits: Mutex<usize>,
    outcomes: Mutex<Vec<Outcome>>,
    swept: Mutex<Option<oneshot::Sender<Duration>>>,
}

impl Observer for Diary {
    fn waited(&self, _: Duration) {
        *self.waits.lock().unwrap() += 1;
    }

    fn ran(&self, batch: &Batch<'_>) {
        let entry = (batch.kind, batch.commands, batch.error.is_some(), batch.callers.to_vec());
        self.batches.lock().unwrap().push(entry);
    }

    fn settled(&self, outcome: &Outcome) {
        self.outcomes.lock().unwrap().push(outcome.clone());
    }

    fn swept(&self, sweep: &Result<Sweep, StoreError>, _: Duration) {
        let lag = sweep.as_ref().unwrap().lag_max;
        if let Some(told) = self.swept.lock().unwrap().take() {
            told.send(lag).unwrap();
        }
    }
}

fn confirm(id: i64) -> Command {
    Command::Confirm(domain::Confirm::of(BookingId::new(id).unwrap()))
}

/// An open office with its gate closed, and whoever watches it.
fn watched() -> (Arc<BoxOffice>, Arc<Store>, Arc<Diary>) {
    let store = Arc::new(Store { gate: Semaphore::new(0) });
    let diary = Arc::new(Diary::default());
    let port: Arc<dyn BookingRepository> = Arc::clone(&store) as Arc<dyn BookingRepository>;
    let observer: Arc<dyn Observer> = Arc::clone(&diary) as Arc<dyn Observer>;
    (Arc::new(BoxOffice::open_observed(&port, &Plan::default(), &observer)), store, diary)
}

async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

const TRACED: Caller = Caller { trace: 7, span: 9 };

#[tokio::test]
async fn it_is_told_of_every_batch_its_commands_their_callers_and_what_waits() {
    let (office, store, diary) = watched();
    let submit = |id| {
        let office = Arc::clone(&office);
        tokio::spawn(async move {
            let handled = async { office.submit(confirm(id)).await };
            if id == 3 { TRACED.brings(handled).await } else { handled.await }
        })
    };
    let first = submit(1);
    settle().await;
    let others = [submit(2), submit(3)];
    settle().await;
    assert_eq!(office.waiting().lanes, 2);
    store.gate.add_permits(2);
    first.await.unwrap().unwrap();
    for other in others {
        other.await.unwrap().unwrap();
    }
    assert_eq!(office.waiting(), box_office::Waiting::default());
    let lane = |commands, callers: &[Caller]| (BatchKind::Lane, commands, false, callers.to_vec());
    assert_eq!(*diary.batches.lock().unwrap(), [lane(1, &[]), lane(2, &[TRACED])]);
    assert_eq!((*diary.waits.lock().unwrap(), diary.outcomes.lock().unwrap().len()), (3, 3));
}

#[tokio::test]
async fn it_is_told_of_batches_that_fail_and_of_commands_that_are_tried_alone() {
    let (office, store, diary) = watched();
    store.gate.add_permits(100);
    office.submit(confirm(13)).await.unwrap_err();
    office.close().await;
    let batches = diary.batches.lock().unwrap();
    assert_eq!(batches[0], (BatchKind::Lane, 1, true, vec![]));
    assert_eq!(batches[1..], vec![(BatchKind::Alone, 1, true, vec![]); 4]);
    assert_eq!(*diary.outcomes.lock().unwrap(), []);
}

#[tokio::test]
async fn it_is_told_of_every_sweep() {
    let (told, lag) = oneshot::channel();
    let diary = Arc::new(Diary { swept: Mutex::new(Some(told)), ..Diary::default() });
    let plan = SweepPlan { tick: Duration::from_secs(1), batch: NonZeroU32::MIN };
    let sweeper = Sweeper::new(Arc::new(Store { gate: Semaphore::new(1) }), plan).observed_by(diary);
    let running = tokio::spawn(sweeper.run(std::future::pending()));
    assert_eq!(lag.await.unwrap(), Duration::from_secs(7));
    running.abort();
}
