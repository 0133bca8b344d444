//! What this process remembers, and what has become of it meanwhile: a trip, at most.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::{BookingRepository, Command, Outcome, ShowRepository, TimeSource};
use postgres_adapter::{Foresee, PgSettings, PgStore};

use super::{connect, hold, migrated, until_waiting};

/// Somebody writes a row anew, as it was, while a batch waits for it: the batch, which knows rows by where they stood, must not miss it.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_comes_during_a_lock_wait_is_written() {
    let (settings, _, show) = migrated().await;
    let patient = PgSettings { lock_timeout: Duration::from_secs(20), foresee: Foresee::Always, ..settings.clone() };
    let store = PgStore::new(&patient, TimeSource::Store).unwrap();
    let bookings = store.bookings();
    let first = bookings.execute(&[hold(show, &[1], TimeDelta::seconds(90)).into()]).await.unwrap();
    let [Outcome::Held { booking_id, .. }] = first[..] else { panic!("{first:?}") };
    let (blocker, watcher) = (connect(&settings).await, connect(&settings).await);
    let extend = domain::Extend { booking_id, hold_for: TimeDelta::seconds(90), hold_limit: TimeDelta::seconds(600) };
    let calls = [
        ("UPDATE seats SET status = status WHERE seat_number = 2", hold(show, &[2], TimeDelta::seconds(90))),
        ("UPDATE seats SET status = status WHERE seat_number = 1", Command::Extend(extend)),
        ("UPDATE bookings SET status = status WHERE 1 = ANY (seat_numbers)", Command::Confirm(domain::Confirm::of(booking_id))),
    ];
    for (anew, call) in calls {
        blocker.batch_execute(&format!("BEGIN; {anew}")).await.unwrap();
        let bookings = Arc::clone(&bookings);
        let waits = tokio::spawn(async move { bookings.execute(&[call.into()]).await });
        until_waiting(&watcher, 1).await;
        let waiting =
            "SELECT query FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0 AND datname = current_database()";
        let query: String = watcher.query_one(waiting, &[]).await.unwrap().get(0);
        assert!(query.starts_with("-- Saves a batch if all of its rows are as expected"), "{anew}: {query}");
        blocker.batch_execute("COMMIT").await.unwrap();
        let outcome = waits.await.unwrap().unwrap();
        assert!(!matches!(outcome[..], [Outcome::Refused(_)]), "{anew}: {outcome:?}");
        let disagree = "SELECT count(*) FROM bookings b JOIN seats ON seat_number = ANY (seat_numbers)
            WHERE booking_id IS DISTINCT FROM b.id OR seats.status <> b.status::text OR held_until <> expires_at";
        assert_eq!(watcher.query_one(disagree, &[]).await.unwrap().get::<_, i64>(0), 0, "{anew}");
    }
    let map = store.shows().seat_map(show).await.unwrap().unwrap();
    assert!(matches!(map[0].state, domain::SeatState::Sold { .. }), "{map:?}");
    assert!(matches!(map[1].state, domain::SeatState::Held { .. }), "{map:?}");
}

/// A server goes on while its database is set back, as from a backup, which ends every session: numbers of histories that it has heard of
/// on them are forgotten.
#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_was_set_back_goes_on_from_where_it_is() {
    let (settings, _, show) = migrated().await;
    let settings = PgSettings { foresee: Foresee::Always, ..settings };
    let store = PgStore::new(&settings, TimeSource::Store).unwrap();
    let bookings = store.bookings();
    for seat in 1..=3 {
        bookings.execute(&[hold(show, &[seat], TimeDelta::seconds(90)).into()]).await.unwrap();
    }
    let other = connect(&settings).await;
    let set_back =
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
        ALTER TABLE booking_history DISABLE TRIGGER booking_history_is_final; DELETE FROM booking_history WHERE number > 1;
        DELETE FROM bookings WHERE last_change > 1; UPDATE seats SET status = 'AVAILABLE', booking_id = NULL, held_until = NULL
        WHERE seat_number IN (2, 3); ALTER TABLE booking_history ENABLE TRIGGER booking_history_is_final";
    other.batch_execute(set_back).await.unwrap();
    // The first may be the one to learn that its connection is gone.
    let mut outcome = bookings.execute(&[hold(show, &[3], TimeDelta::seconds(90)).into()]).await;
    if outcome.is_err() {
        outcome = bookings.execute(&[hold(show, &[3], TimeDelta::seconds(90)).into()]).await;
    }
    assert!(matches!(outcome.as_deref(), Ok([Outcome::Held { .. }])), "{outcome:?}");
    assert_eq!(numbers(&other).await, [1, 2]);
}

async fn numbers(session: &tokio_postgres::Client) -> Vec<i64> {
    session.query_one("SELECT array_agg(number ORDER BY number) FROM booking_history", &[]).await.unwrap().get(0)
}

/// Another server, or the sweep, goes on with the history of a show that this one knows the last number of; and the show's row is
/// written anew elsewhere. What was known is no more than a hint.
#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_does_to_a_show_costs_a_trip_and_no_more() {
    let (settings, _, show) = migrated().await;
    let settings = PgSettings { foresee: Foresee::Always, ..settings };
    let (store, other) =
        (PgStore::new(&settings, TimeSource::Store).unwrap(), PgStore::new(&settings, TimeSource::Store).unwrap());
    let (ours, theirs, session) = (store.bookings(), other.bookings(), connect(&settings).await);
    let mut seat = 0;
    let mut sells = async |bookings: &Arc<postgres_adapter::PgBookingRepository>| {
        seat += 1;
        let outcome = bookings.execute(&[hold(show, &[seat], TimeDelta::seconds(90)).into()]).await.unwrap();
        let [Outcome::Held { booking_id, .. }] = outcome[..] else { panic!("{outcome:?}") };
        booking_id
    };
    sells(&ours).await;
    let known = sells(&ours).await;
    let before = store.figures();
    sells(&theirs).await;
    sells(&ours).await;
    let after = store.figures();
    assert_eq!(
        (after.batches_in_one_trip, after.forecasts_failed),
        (before.batches_in_one_trip + 1, before.forecasts_failed),
        "at the second try"
    );
    let seats = domain::SeatExchange::new(&[9], &[], 1).unwrap();
    theirs.execute(&[Command::Change(domain::Change { booking_id: known, seats, seats_max: 2 }).into()]).await.unwrap();
    let outcome = ours.execute(&[Command::Confirm(domain::Confirm::of(known)).into()]).await.unwrap();
    assert!(matches!(outcome[..], [Outcome::Confirmed { .. }]), "{outcome:?}");
    let map = store.shows().seat_map(show).await.unwrap().unwrap();
    assert!(
        matches!(map[8].state, domain::SeatState::Sold { to } if to == known),
        "what was known of the hold was behind: {map:?}"
    );
    for moved in ["UPDATE shows SET name = name", "VACUUM FULL shows"] {
        session.batch_execute(moved).await.unwrap();
        sells(&ours).await;
    }
    let all = numbers(&session).await;
    assert_eq!(all, (1..=i64::try_from(all.len()).unwrap()).collect::<Vec<_>>());
    assert_eq!(all.len(), 8);
}
