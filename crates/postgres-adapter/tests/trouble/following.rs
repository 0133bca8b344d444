//! A batch that is sent behind one which is being executed still, on its connection.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::{BookingRepository, Outcome, Request, ShowId, StoreError, TimeSource};
use postgres_adapter::{Foresee, PgBookingRepository, PgSettings, PgStore};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use super::{connect, hold, migrated, until_waiting};

type Answer = Result<Vec<Outcome>, StoreError>;

/// A store of which a batch waits, in one trip, for seat 2, which `blocker` has locked.
struct Waiting {
    store: PgStore,
    bookings: Arc<PgBookingRepository>,
    show: ShowId,
    first: Arc<[Request]>,
    blocker: Client,
    watcher: Client,
}

impl Waiting {
    /// With what comes of the batch that waits.
    async fn begin() -> (Self, JoinHandle<Answer>) {
        let (settings, _, show) = migrated().await;
        let patient = PgSettings { lock_timeout: Duration::from_secs(20), foresee: Foresee::Always, ..settings.clone() };
        let store = PgStore::new(&patient, TimeSource::Store).unwrap();
        let bookings = store.bookings();
        // The first takes two trips, as nothing is known of the show, the second says what its last number is.
        for seat in [10, 11] {
            bookings.execute(&[seat_of(show, seat)]).await.unwrap();
        }
        let (blocker, watcher) = (connect(&settings).await, connect(&settings).await);
        blocker.batch_execute("BEGIN; SELECT FROM seats WHERE seat_number = 2 FOR UPDATE").await.unwrap();
        let first: Arc<[Request]> = [seat_of(show, 2)].into();
        let (port, batch) = (Arc::clone(&bookings), Arc::clone(&first));
        let waits = tokio::spawn(async move { port.execute(&batch).await });
        until_waiting(&watcher, 1).await;
        (Self { store, bookings, show, first, blocker, watcher }, waits)
    }

    /// Sends a batch behind the one that waits.
    async fn send_behind<'a>(&'a self, batch: &'a [Request]) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>> {
        let mut behind = self.bookings.execute_behind(&self.first, batch);
        tokio::select! {
            biased;
            answer = &mut behind => panic!("it waits: {answer:?}"),
            () = tokio::task::yield_now() => {}
        }
        behind
    }

    async fn numbers(&self) -> Vec<i64> {
        let sql = "SELECT array_agg(number ORDER BY number) FROM booking_history";
        self.watcher.query_one(sql, &[]).await.unwrap().get(0)
    }
}

fn seat_of(show: ShowId, seat: i64) -> Request {
    hold(show, &[seat], TimeDelta::seconds(90)).into()
}

fn is_held(answer: &Answer) -> bool {
    matches!(answer.as_deref(), Ok([Outcome::Held { .. }]))
}

/// Both are done in one trip, one after the other, on one connection, which is whole afterwards; and the numbers of the show go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_follows_one_that_waits() {
    let (waiting, waits) = Waiting::begin().await;
    let (bookings, first) = (&waiting.bookings, &waiting.first);
    let next = [seat_of(waiting.show, 3)];
    assert!(bookings.may_follow(first, &[]) && bookings.may_follow(first, &next));
    assert!(!bookings.may_follow(first, &[seat_of(waiting.show, 2)]), "it wants what the first may get");
    assert!(!bookings.may_follow(&[seat_of(waiting.show, 2)], &next), "nobody knows of that one");
    let before = waiting.store.figures();
    let behind = waiting.send_behind(&next).await;
    assert!(!bookings.may_follow(first, &[]), "one is enough");
    waiting.blocker.batch_execute("COMMIT").await.unwrap();
    let (behind, waited) = (behind.await, waits.await.unwrap());
    assert!(is_held(&behind) && is_held(&waited), "{behind:?} {waited:?}");
    let after = waiting.store.figures();
    assert_eq!(after.batches_in_one_trip, before.batches_in_one_trip + 2);
    assert_eq!((before.batches_behind, after.batches_behind), (0, 1));
    assert_eq!((after.forecasts_failed, after.batches_locked), (before.forecasts_failed, before.batches_locked));
    assert!(!bookings.may_follow(first, &[]), "it is done");
    bookings.execute(&[seat_of(waiting.show, 4)]).await.unwrap();
    assert_eq!(waiting.numbers().await, [1, 2, 3, 4, 5]);
}

/// What goes wrong with the first is nothing to the second: seat 2 is sold to somebody else meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_follows_one_that_comes_to_nothing() {
    let (waiting, waits) = Waiting::begin().await;
    let next = [seat_of(waiting.show, 3)];
    let behind = waiting.send_behind(&next).await;
    let taken = "UPDATE seats SET status = 'CONFIRMED', held_until = NULL, booking_id = (SELECT min(id) FROM bookings) WHERE seat_number = 2";
    waiting.blocker.batch_execute(&format!("{taken}; COMMIT")).await.unwrap();
    let behind = behind.await;
    assert!(is_held(&behind), "{behind:?}");
    let waited = waits.await.unwrap();
    assert!(matches!(waited.as_deref(), Ok([Outcome::Refused(_)])), "{waited:?}");
    assert_eq!(waiting.numbers().await, [1, 2, 3]);
    assert_eq!(waiting.store.figures().forecasts_failed, 1);
}

/// A batch that wants the same seat, sent behind the other against all advice, is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_follows_may_want_the_same() {
    let (waiting, waits) = Waiting::begin().await;
    let next = [seat_of(waiting.show, 2)];
    let behind = waiting.send_behind(&next).await;
    waiting.blocker.batch_execute("COMMIT").await.unwrap();
    let (behind, waited) = (behind.await, waits.await.unwrap());
    assert!(is_held(&waited) && matches!(behind.as_deref(), Ok([Outcome::Refused(_)])), "{waited:?} {behind:?}");
    assert_eq!(waiting.numbers().await, [1, 2, 3]);
}

/// The connection breaks with both on it: nobody can know, and the next batch gets another one. Nor is it given back by the first while
/// the answer to the second is still to come, whose caller has left.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_with_something_unanswered_on_it_is_not_used_again() {
    let (waiting, waits) = Waiting::begin().await;
    let next = [seat_of(waiting.show, 3)];
    let behind = waiting.send_behind(&next).await;
    let kill = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0
                AND datname = current_database()";
    waiting.watcher.batch_execute(kill).await.unwrap();
    let (behind, waited) = (behind.await, waits.await.unwrap());
    for answer in [&behind, &waited] {
        assert!(matches!(answer, Err(StoreError::OutcomeUnknown(_) | StoreError::Unavailable(_))), "{answer:?}");
    }
    waiting.blocker.batch_execute("ROLLBACK").await.unwrap();
    assert!(is_held(&waiting.bookings.execute(&[seat_of(waiting.show, 3)]).await));
    assert_eq!(waiting.numbers().await, [1, 2, 3]);

    let (waiting, waits) = Waiting::begin().await;
    drop(waiting.send_behind(&next).await);
    waiting.blocker.batch_execute("COMMIT").await.unwrap();
    assert!(is_held(&waits.await.unwrap()));
    let held = waiting.bookings.execute(&[seat_of(waiting.show, 4)]).await;
    assert!(is_held(&held), "{held:?}");
}
