//! What the contract can't ask of every store: this database's locks, sessions and migrations.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has to fail")]

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    BookingId, BookingRepository, Command, Creation, Hold, NewShow, Outcome, SeatSelection, ShowId, ShowRepository, StoreError,
    StoreHealth, TimeSource, Timestamp, Unready, UserName,
};
use postgres_adapter::{MigrateError, PgSettings, PgStore, migrate};
use throwaway_postgres::Cluster;
use tokio_postgres::{Client, NoTls};

mod following;
mod foresight;

async fn fresh() -> PgSettings {
    let url = tokio::task::spawn_blocking(|| Cluster::shared().fresh_database()).await.unwrap();
    PgSettings::new(url)
}

/// That of the schema which this program brings.
const VERSION: u32 = 8;

async fn connect(settings: &PgSettings) -> Client {
    let (client, connection) = tokio_postgres::connect(&settings.url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn migrated() -> (PgSettings, PgStore, ShowId) {
    let settings = fresh().await;
    migrate(&settings).await.unwrap();
    let store = PgStore::new(&settings, TimeSource::Store).unwrap();
    let new = NewShow::new("Hamlet", Timestamp::UNIX_EPOCH, 20).unwrap();
    let Creation::Created(show) = store.shows().create(&new, None).await.unwrap() else { panic!("there is no key") };
    (settings, store, show.id)
}

fn hold(show_id: ShowId, seats: &[i64], hold_for: TimeDelta) -> Command {
    let seats = SeatSelection::new(seats, 50).unwrap();
    Command::Hold(Hold { show_id, seats, user_name: UserName::new("Ada").unwrap(), customer: None, hold_for })
}

async fn held(store: &PgStore, show: ShowId, seats: &[i64], hold_for: TimeDelta) -> BookingId {
    match store.bookings().execute(&[hold(show, seats, hold_for).into()]).await.unwrap()[..] {
        [Outcome::Held { booking_id, .. }] => booking_id,
        ref other => panic!("{other:?}"),
    }
}

/// Waits until this many sessions of the database wait for another one's lock.
async fn until_waiting(client: &Client, sessions: i64) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0";
    while client.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) < sessions {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_programs_migrate_at_once() {
    let settings = fresh().await;
    let migrations: Vec<_> = (0..6)
        .map(|_| {
            let settings = settings.clone();
            tokio::spawn(async move { migrate(&settings).await.unwrap() })
        })
        .collect();
    let mut applied = 0;
    for migration in migrations {
        applied += migration.await.unwrap().applied.len();
    }
    assert_eq!(applied, VERSION as usize, "each migration was applied once");
}

#[tokio::test]
async fn readiness_says_what_is_missing() {
    let settings = fresh().await;
    let health = PgStore::new(&settings, TimeSource::Store).unwrap().health();
    assert_eq!(health.ready().await, Err(Unready::Outdated { found: 0, needed: VERSION }));
    migrate(&settings).await.unwrap();
    assert_eq!(health.ready().await, Ok(()));
    let newer = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) VALUES (99, 'later', '', '0')";
    connect(&settings).await.execute(newer, &[]).await.unwrap();
    assert_eq!(health.ready().await, Err(Unready::TooNew { found: 99, known: VERSION }));
    assert!(matches!(migrate(&settings).await, Err(MigrateError::TooNew(_))));
    let nowhere = PgStore::new(&PgSettings::new("host=127.0.0.1 port=1 user=x"), TimeSource::Store).unwrap();
    assert!(matches!(nowhere.health().ready().await, Err(Unready::Unreachable(_))));
    assert!(matches!(
        nowhere.bookings().execute(&[hold(ShowId::new(1).unwrap(), &[1], TimeDelta::seconds(1)).into()]).await,
        Err(StoreError::Unavailable(_))
    ));
}

/// A new show is in nobody's way. What holds up its rows, as the disk can when the table has to grow, is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_show_waits_for_room_in_the_table() {
    let (settings, _, _) = migrated().await;
    let hasty = PgSettings { lock_timeout: std::time::Duration::from_millis(1), ..settings.clone() };
    let shows = PgStore::new(&hasty, TimeSource::Store).unwrap().shows();
    let blocker = connect(&settings).await;
    blocker.batch_execute("BEGIN; LOCK TABLE seats IN SHARE MODE").await.unwrap();
    let create =
        tokio::spawn(async move { shows.create(&NewShow::new("Hamlet", Timestamp::UNIX_EPOCH, 10).unwrap(), None).await });
    until_waiting(&connect(&settings).await, 1).await;
    blocker.batch_execute("COMMIT").await.unwrap();
    assert!(create.await.unwrap().is_ok());
}

/// A hold dies while its confirm waits for the seat's lock: the time is read after the lock, so the confirm is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_wait_can_not_make_a_dead_hold_look_alive() {
    let (settings, _, show) = migrated().await;
    let patient = PgSettings { lock_timeout: std::time::Duration::from_secs(20), ..settings.clone() };
    let store = PgStore::new(&patient, TimeSource::Store).unwrap();
    let booking_id = held(&store, show, &[1], TimeDelta::milliseconds(1500)).await;
    let blocker = connect(&settings).await;
    blocker.batch_execute("BEGIN; SELECT FROM seats WHERE seat_number = 1 FOR UPDATE").await.unwrap();
    let bookings = store.bookings();
    let confirm =
        tokio::spawn(async move { bookings.execute(&[Command::Confirm(domain::Confirm::of(booking_id)).into()]).await });
    let watcher = connect(&settings).await;
    until_waiting(&watcher, 1).await;
    let alive = "SELECT bool_and(expires_at > clock_timestamp()) FROM bookings";
    assert!(watcher.query_one(alive, &[]).await.unwrap().get::<_, bool>(0), "the confirm came in time");
    while watcher.query_one(alive, &[]).await.unwrap().get::<_, bool>(0) {
        tokio::task::yield_now().await;
    }
    blocker.batch_execute("COMMIT").await.unwrap();
    let outcome = confirm.await.unwrap().unwrap();
    assert!(matches!(outcome[..], [Outcome::Refused(domain::Refusal::HoldExpired { .. })]), "{outcome:?}");
}

/// A hold dies while another one waits for its seat: rows that were not loaded are needed, and the batch is run again with them
/// rather than decided on half of them.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_appear_during_a_lock_wait_are_never_guessed() {
    let (settings, _, show) = migrated().await;
    let patient = PgSettings { lock_timeout: std::time::Duration::from_secs(20), ..settings.clone() };
    let store = PgStore::new(&patient, TimeSource::Store).unwrap();
    let old = held(&store, show, &[1, 2], TimeDelta::milliseconds(400)).await;
    let blocker = connect(&settings).await;
    blocker.batch_execute("BEGIN; SELECT FROM seats WHERE seat_number = 1 FOR UPDATE").await.unwrap();
    let bookings = store.bookings();
    // It is live when the seats to lock are chosen, so seat 2 is not among them, and dead when the decision is made.
    let rival = tokio::spawn(async move { bookings.execute(&[hold(show, &[1], TimeDelta::seconds(9)).into()]).await });
    let watcher = connect(&settings).await;
    until_waiting(&watcher, 1).await;
    while watcher.query_one("SELECT expires_at > clock_timestamp() FROM bookings", &[]).await.unwrap().get::<_, bool>(0) {
        tokio::task::yield_now().await;
    }
    blocker.batch_execute("COMMIT").await.unwrap();
    let first = rival.await.unwrap().unwrap();
    assert!(matches!(first[..], [Outcome::Held { .. }]), "{first:?}");
    let freed = store.shows().seat_map(show).await.unwrap().unwrap()[1].state;
    assert_eq!(freed, domain::SeatState::Available, "the dead hold's other seat");
    let old = store.bookings().find(old).await.unwrap().unwrap();
    assert_eq!(old.booking.state.status(), domain::BookingStatus::Failed);
}

/// A sweep takes a booking before its seats, others the seats before the booking: it waits for neither, so nobody deadlocks.
#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_passes_by_what_others_have_locked() {
    let (settings, store, show) = migrated().await;
    held(&store, show, &[1, 2], TimeDelta::milliseconds(1)).await;
    let free = held(&store, show, &[3], TimeDelta::milliseconds(1)).await;
    let other = connect(&settings).await;
    other.batch_execute("BEGIN; SELECT FROM seats WHERE seat_number = 2 FOR UPDATE").await.unwrap();
    let limit = std::num::NonZeroU32::new(10).unwrap();
    let swept = store.bookings().expire_due(limit).await.unwrap();
    assert_eq!(swept.expired, [free]);
    assert_eq!(swept.next_due_in, Some(std::time::Duration::ZERO));
    other.batch_execute("COMMIT").await.unwrap();
    assert_eq!(store.bookings().expire_due(limit).await.unwrap().expired.len(), 1);
}

/// Overlapping baskets, takeovers of dead holds, confirms and sweeps from many connections: PostgreSQL never sees a deadlock.
#[tokio::test(flavor = "multi_thread")]
async fn no_mixture_of_calls_deadlocks() {
    let (settings, _, show) = migrated().await;
    let settings = PgSettings { writers_max: 16, lock_timeout: std::time::Duration::from_secs(5), ..settings };
    let store = Arc::new(PgStore::new(&settings, TimeSource::Store).unwrap());
    let callers: Vec<_> = (0..12_i64)
        .map(|caller| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for round in 0..40 {
                    let first = (caller * 7 + round * 3) % 17 + 1;
                    let brief = TimeDelta::milliseconds(round % 3);
                    let brief = if brief.is_zero() { TimeDelta::microseconds(1) } else { brief };
                    let outcome = store.bookings().execute(&[hold(show, &[first + 3, first, first + 1], brief).into()]).await;
                    let contended_at_most = |error: &StoreError| matches!(error, StoreError::Contended(_));
                    match outcome {
                        Ok(outcomes) => {
                            if let [Outcome::Held { booking_id, .. }] = outcomes[..] {
                                let confirmed =
                                    store.bookings().execute(&[Command::Confirm(domain::Confirm::of(booking_id)).into()]).await;
                                assert!(confirmed.as_ref().err().is_none_or(contended_at_most), "{confirmed:?}");
                            }
                        }
                        Err(error) => assert!(contended_at_most(&error), "{error}"),
                    }
                    if caller < 3 {
                        store.bookings().expire_due(std::num::NonZeroU32::new(3).unwrap()).await.unwrap();
                    }
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let log = tokio::task::spawn_blocking(|| Cluster::shared().log()).await.unwrap();
    assert!(!log.contains("deadlock detected"));
}

#[tokio::test]
async fn a_row_that_makes_no_sense_is_named() {
    let (settings, store, show) = migrated().await;
    let id = held(&store, show, &[1], TimeDelta::seconds(60)).await;
    let client = connect(&settings).await;
    client
        .batch_execute("ALTER DOMAIN booking_status DROP CONSTRAINT booking_status_check; UPDATE bookings SET status = 'MAYBE'")
        .await
        .unwrap();
    let error = store.bookings().find(id).await.unwrap_err();
    assert_eq!(error, StoreError::Corrupt("bookings.status makes no sense in row 1".to_owned()));
    let error = store.bookings().execute(&[Command::Confirm(domain::Confirm::of(id)).into()]).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
    held(&store, show, &[2], TimeDelta::seconds(60)).await;
}

/// The schema itself refuses what must never be, whoever writes it.
#[tokio::test]
async fn the_schema_can_not_hold_a_lie() {
    let (settings, store, show) = migrated().await;
    let id = held(&store, show, &[1], TimeDelta::seconds(60)).await;
    let client = connect(&settings).await;
    for lie in [
        "UPDATE seats SET status = 'SOLD' WHERE seat_number = 1",
        "UPDATE seats SET status = 'AVAILABLE' WHERE seat_number = 1",
        "UPDATE seats SET booking_id = 7 WHERE seat_number = 2",
        "UPDATE seats SET held_until = NULL WHERE seat_number = 1",
        "INSERT INTO seats (show_id, seat_number) VALUES (1, 1)",
        "UPDATE bookings SET status = 'FAILED'",
        "UPDATE bookings SET status = 'CONFIRMED'",
        "UPDATE bookings SET status = 'CONFIRMED', confirmed_at = expires_at",
        "UPDATE bookings SET status = 'FAILED', failure_reason = 'whim'",
        "UPDATE bookings SET seat_numbers = '{}'",
        "UPDATE booking_history SET actor = 'system'",
        "DELETE FROM booking_history",
        "INSERT INTO booking_history SELECT * FROM booking_history",
        "INSERT INTO booking_history SELECT show_id, 2, booking_id, happened_at, 'held', 'PENDING', actor, seat_numbers FROM booking_history",
        "INSERT INTO booking_history SELECT show_id, 2, booking_id, happened_at, 'held', NULL, actor, seat_numbers, 1 FROM booking_history",
        "INSERT INTO booking_history SELECT show_id, 2, booking_id, happened_at, 'extended', 'PENDING', actor, seat_numbers FROM booking_history",
        "UPDATE bookings SET last_change = NULL",
        "UPDATE shows SET hold_seconds = 600, hold_limit_seconds = 599",
        "INSERT INTO idempotency_keys (key, fingerprint, outcome, expires_at) VALUES ('', decode(repeat('00', 32), 'hex'), '', now())",
        "INSERT INTO idempotency_keys (key, fingerprint, outcome, expires_at) VALUES ('k', '', '', now())",
    ] {
        assert!(client.batch_execute(lie).await.is_err(), "{lie}");
    }
    let outcome = store.bookings().execute(&[Command::Confirm(domain::Confirm::of(id)).into()]).await.unwrap();
    assert_eq!(outcome, [Outcome::Confirmed { booking_id: id }]);
}

/// One booking that contradicts its seats, the oldest of all, does not keep the others from ending.
#[tokio::test]
async fn a_sweep_leaves_out_what_makes_no_sense() {
    let (settings, store, show) = migrated().await;
    let brief = TimeDelta::milliseconds(1);
    let broken = held(&store, show, &[1], brief).await;
    let others = [held(&store, show, &[2], brief).await, held(&store, show, &[3], brief).await];
    let lie = "UPDATE seats SET status = 'AVAILABLE', booking_id = NULL, held_until = NULL WHERE seat_number = 1";
    connect(&settings).await.batch_execute(lie).await.unwrap();
    let swept = store.bookings().expire_due(std::num::NonZeroU32::new(10).unwrap()).await.unwrap();
    assert_eq!(swept.expired, others);
    assert!(!swept.expired.contains(&broken));
}

/// A confirm that came in time but has not committed yet: whoever reads the booking after its deadline waits for the truth.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_never_says_failed_of_what_is_being_confirmed() {
    let (settings, store, show) = migrated().await;
    let id = held(&store, show, &[1], TimeDelta::milliseconds(300)).await;
    let confirmer = connect(&settings).await;
    let confirm = "BEGIN; UPDATE seats SET status = 'CONFIRMED', held_until = NULL WHERE seat_number = 1;
                   UPDATE bookings SET status = 'CONFIRMED', confirmed_at = clock_timestamp()";
    confirmer.batch_execute(confirm).await.unwrap();
    let watcher = connect(&settings).await;
    while watcher.query_one("SELECT expires_at > clock_timestamp() FROM bookings", &[]).await.unwrap().get::<_, bool>(0) {
        tokio::task::yield_now().await;
    }
    let patient = PgSettings { lock_timeout: std::time::Duration::from_secs(20), ..settings.clone() };
    let bookings = PgStore::new(&patient, TimeSource::Store).unwrap().bookings();
    let reading = tokio::spawn(async move { bookings.find(id).await });
    until_waiting(&watcher, 1).await;
    confirmer.batch_execute("COMMIT").await.unwrap();
    let found = reading.await.unwrap().unwrap().unwrap();
    assert_eq!(found.booking.state.status(), domain::BookingStatus::Confirmed);
}

/// A server that accepts a connection and then says nothing: the caller is told, and is not kept waiting for ever.
#[tokio::test(start_paused = true)]
async fn a_database_that_says_nothing_is_unavailable() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let store = PgStore::new(&PgSettings::new(format!("host=127.0.0.1 port={port} user=x sslmode=disable")), TimeSource::Store);
    let command = hold(ShowId::new(1).unwrap(), &[1], TimeDelta::seconds(1));
    let outcome = store.unwrap().bookings().execute(&[command.into()]).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
}

/// A connection that goes silent between the greeting and the first statement: the lane that waits for it is told in the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_goes_silent_while_it_is_set_up_is_given_up() {
    let (settings, _, show) = migrated().await;
    let proxy = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let through =
        settings.url.replace(&format!(":{}/", Cluster::shared().port()), &format!(":{}/", proxy.local_addr().unwrap().port()));
    tokio::spawn(async move {
        let (mut client, _) = proxy.accept().await.unwrap();
        let mut server = tokio::net::TcpStream::connect(("127.0.0.1", Cluster::shared().port())).await.unwrap();
        let (mut greeting, mut swallowed) = (vec![0; 8192], tokio::io::sink());
        let length = tokio::io::AsyncReadExt::read(&mut client, &mut greeting).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut server, &greeting[..length]).await.unwrap();
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, _keep) = server.split();
        let _ =
            tokio::join!(tokio::io::copy(&mut from_server, &mut to_client), tokio::io::copy(&mut from_client, &mut swallowed));
    });
    let store = PgStore::new(&PgSettings::new(format!("{through}?sslmode=disable")), TimeSource::Store).unwrap();
    let outcome = store.bookings().execute(&[hold(show, &[1], TimeDelta::seconds(9)).into()]).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
}
