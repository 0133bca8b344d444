//! The file itself: opened again, opened twice, newer than the program, damaged.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that can't set its scene has failed")]

use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::thread;

use chrono::TimeDelta;
use domain::{
    BookingFilter, BookingId, BookingRepository, Command, Creation, Hold, NewShow, Outcome, Page, SeatSelection, Show,
    ShowRepository, StoreError, StoreHealth, TimeSource, Timestamp, Unready, UserName,
};
use rusqlite::Connection;
use sqlite_adapter::{OpenError, SqliteStore};
use tempfile::TempDir;

const PAGE: Page = Page { limit: std::num::NonZeroU32::MAX, before: None };

fn scene() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("data").join("rowlock.db");
    (directory, file)
}

fn open(file: &Path) -> SqliteStore {
    SqliteStore::open(file, TimeSource::Store).unwrap()
}

async fn show(store: &SqliteStore) -> Show {
    match store.shows().create(&NewShow::new("Hamlet", Timestamp::UNIX_EPOCH, 5).unwrap(), None).await.unwrap() {
        Creation::Created(show) => show,
        other @ (Creation::Replayed(_) | Creation::KeyReused) => panic!("{other:?}"),
    }
}

/// That of the schema which this program brings.
const VERSION: u32 = 4;

fn hold(show: &Show, seats: &[i64]) -> Command {
    let seats = SeatSelection::new(seats, 9).unwrap();
    let user_name = UserName::new("Ada").unwrap();
    Command::Hold(Hold { show_id: show.id, seats, user_name, customer: None, hold_for: TimeDelta::seconds(120) })
}

async fn held(store: &SqliteStore, show: &Show, seats: &[i64]) -> BookingId {
    match store.bookings().execute(&[hold(show, seats).into()]).await.unwrap()[..] {
        [Outcome::Held { booking_id, .. }] => booking_id,
        ref other => panic!("{other:?}"),
    }
}

/// Changes the file behind the store's back, CHECKs and foreign keys aside.
fn damage(file: &Path, sql: &str) {
    let connection = Connection::open(file).unwrap();
    connection.pragma_update(None, "ignore_check_constraints", true).unwrap();
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    assert_ne!(connection.execute(sql, []).unwrap(), 0, "{sql}");
}

#[tokio::test]
async fn a_store_is_closed_and_opened_again_with_all_that_it_had() {
    let (_directory, file) = scene();
    let store = open(&file);
    let show = show(&store).await;
    let booking = held(&store, &show, &[1, 2]).await;
    drop(store);
    let store = open(&file);
    assert_eq!(store.shows().list(PAGE).await, Ok(vec![show.clone()]));
    assert_eq!(store.bookings().list(&BookingFilter::default(), PAGE).await.unwrap().len(), 1);
    assert_eq!(held(&store, &show, &[3]).await.get(), booking.get() + 1);
}

#[tokio::test]
async fn the_ports_outlive_the_store_that_gave_them() {
    let (_directory, file) = scene();
    let store = open(&file);
    let (shows, health) = (store.shows(), store.health());
    drop(store);
    assert_eq!(shows.list(PAGE).await, Ok(vec![]));
    assert_eq!(health.ready().await, Ok(()));
}

#[test]
fn many_processes_may_open_a_new_file_at_once() {
    let (_directory, file) = scene();
    let start = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                open(&file);
            });
        }
    });
}

#[tokio::test]
async fn a_database_that_is_newer_than_the_program_is_refused_and_left_as_it_is() {
    let (_directory, file) = scene();
    let running = open(&file);
    damage(&file, "INSERT INTO refinery_schema_history VALUES (99, 'future', '2099-01-01T00:00:00Z', '1')");
    let refused = SqliteStore::open(&file, TimeSource::Store);
    assert!(matches!(refused, Err(OpenError::TooNew { found: 99, known: VERSION })), "{refused:?}");
    assert_eq!(running.health().ready().await, Err(Unready::TooNew { found: 99, known: VERSION }));
    let version: u32 = Connection::open(&file)
        .unwrap()
        .query_row("SELECT max(version) FROM refinery_schema_history", [], |row| row.get(0))
        .unwrap();
    assert_eq!(version, 99);
}

#[tokio::test]
async fn a_database_that_has_lost_its_schema_is_not_ready() {
    let (_directory, file) = scene();
    let store = open(&file);
    damage(&file, "DELETE FROM refinery_schema_history");
    assert_eq!(store.health().ready().await, Err(Unready::Outdated { found: 0, needed: VERSION }));
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let (_directory, file) = scene();
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "Dear diary, ".repeat(1_000)).unwrap();
    let refused = SqliteStore::open(&file, TimeSource::Store);
    assert!(matches!(refused, Err(OpenError::Database(_))), "{refused:?}");
}

#[tokio::test]
async fn nonsense_in_a_row_is_named_by_table_column_and_id() {
    // What is damaged, and the place that the error must name.
    let cases = [
        ("UPDATE bookings SET status = 'LOST'", "bookings.status of id 1"),
        ("UPDATE bookings SET status = 'FAILED'", "bookings.failure_reason of id 1"),
        ("UPDATE bookings SET status = 'FAILED', failure_reason = 'bad luck'", "bookings.failure_reason of id 1"),
        ("UPDATE bookings SET status = 'CONFIRMED'", "bookings.confirmed_at of id 1"),
        ("UPDATE bookings SET seat_numbers = 'one and two'", "bookings.seat_numbers of id 1"),
        ("UPDATE bookings SET seat_numbers = '[2,1]'", "bookings.seat_numbers of id 1"),
        ("UPDATE bookings SET seat_numbers = '[]'", "bookings.seat_numbers of id 1"),
        ("UPDATE bookings SET seat_numbers = '[1,2,6]'", "bookings.seat_numbers of id 1"),
        ("UPDATE bookings SET user_name = 'a' || char(0) || 'b'", "bookings.user_name of id 1"),
        ("UPDATE bookings SET expires_at = 9223372036854775807", "bookings.expires_at of id 1"),
        ("UPDATE bookings SET show_id = 0", "bookings.show_id of id 1"),
        ("UPDATE seats SET status = 'BROKEN' WHERE seat_number = 1", "seats.status of id 1"),
        ("UPDATE seats SET booking_id = NULL WHERE seat_number = 1", "seats.booking_id of id 1"),
        ("UPDATE seats SET held_until = NULL WHERE seat_number = 2", "seats.held_until of id 2"),
        ("UPDATE seats SET status = 'AVAILABLE' WHERE seat_number = 2", "seats.booking_id of id 2"),
        ("UPDATE shows SET start_time = -9223372036854775808", "shows.start_time of id 1"),
        ("UPDATE shows SET total_seats = -1", "shows.total_seats of id 1"),
    ];
    for (sql, place) in cases {
        let (_directory, file) = scene();
        let store = open(&file);
        let show = show(&store).await;
        let booking = held(&store, &show, &[1, 2]).await;
        damage(&file, sql);
        let answers = [
            store.shows().list(PAGE).await.err(),
            store.shows().seat_map(show.id).await.err(),
            store.bookings().find(booking).await.err(),
        ];
        let first = answers.into_iter().flatten().next().unwrap_or_else(|| panic!("{sql}: nobody noticed"));
        assert!(matches!(&first, StoreError::Corrupt(text) if text.contains(place)), "{sql}: {first}");
    }
}

#[tokio::test]
async fn books_that_contradict_themselves_stop_the_batch_and_nothing_else() {
    let (_directory, file) = scene();
    let store = open(&file);
    let show = show(&store).await;
    let booking_id = held(&store, &show, &[1, 2]).await;
    damage(&file, "UPDATE seats SET status = 'AVAILABLE', booking_id = NULL, held_until = NULL WHERE seat_number = 2");
    let answer =
        store.bookings().execute(&[hold(&show, &[4]).into(), Command::Confirm(domain::Confirm::of(booking_id)).into()]).await;
    assert!(matches!(answer, Err(StoreError::Corrupt(_))), "{answer:?}");
    held(&store, &show, &[4]).await;
}

#[tokio::test]
async fn a_batch_that_can_not_be_saved_to_its_end_is_not_saved_at_all() {
    let (_directory, file) = scene();
    let store = open(&file);
    let show = show(&store).await;
    let booking_id = held(&store, &show, &[1]).await;
    let poison = "CREATE TRIGGER poison BEFORE UPDATE ON seats WHEN NEW.seat_number = 5 BEGIN SELECT RAISE(ABORT, 'poison'); END";
    Connection::open(&file).unwrap().execute_batch(poison).unwrap();
    let before = store.shows().seat_map(show.id).await;
    let batch = [hold(&show, &[2]).into(), Command::Confirm(domain::Confirm::of(booking_id)).into(), hold(&show, &[4, 5]).into()];
    let answer = store.bookings().execute(&batch).await;
    assert!(matches!(answer, Err(StoreError::Corrupt(_))), "{answer:?}");
    assert_eq!(store.shows().seat_map(show.id).await, before);
    assert_eq!(store.bookings().list(&BookingFilter::default(), PAGE).await.unwrap().len(), 1);
    let outcomes = store.bookings().execute(&batch[..2]).await.unwrap();
    assert!(matches!(outcomes[..], [Outcome::Held { .. }, Outcome::Confirmed { .. }]), "{outcomes:?}");
}

#[tokio::test]
async fn the_schema_refuses_what_the_rules_would_never_write() {
    let (_directory, file) = scene();
    let store = open(&file);
    let show = show(&store).await;
    held(&store, &show, &[1]).await;
    let connection = Connection::open(&file).unwrap();
    for sql in [
        "UPDATE seats SET status = 'AVAILABLE' WHERE seat_number = 1",
        "UPDATE seats SET status = 'CONFIRMED' WHERE seat_number = 1",
        "UPDATE seats SET held_until = NULL WHERE seat_number = 1",
        "UPDATE seats SET status = 'PENDING' WHERE seat_number = 2",
        "UPDATE seats SET booking_id = 77 WHERE seat_number = 1",
        "UPDATE seats SET id = 2 WHERE seat_number = 1",
        "UPDATE seats SET held_until = 'soon' WHERE seat_number = 1",
        "INSERT INTO seats (id, show_id, seat_number, status) VALUES (9, 1, 1, 'AVAILABLE')",
        "INSERT INTO seats (id, show_id, seat_number, status) VALUES (9, 2, 1, 'AVAILABLE')",
        "UPDATE bookings SET status = 'FAILED'",
        "UPDATE bookings SET status = 'CONFIRMED'",
        "UPDATE bookings SET status = 'CONFIRMED', confirmed_at = expires_at",
        "UPDATE bookings SET failure_reason = 'expired'",
        "UPDATE bookings SET seat_numbers = '[]'",
        "UPDATE bookings SET seat_numbers = '7'",
        "UPDATE bookings SET expires_at = created_at",
        "UPDATE shows SET total_seats = 0",
    ] {
        let refused = connection.execute(sql, []);
        let code = refused.as_ref().err().and_then(rusqlite::Error::sqlite_error_code);
        assert_eq!(code, Some(rusqlite::ErrorCode::ConstraintViolation), "{sql}: {refused:?}");
    }
}
