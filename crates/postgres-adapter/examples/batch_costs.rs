//! What a batch costs, one after the other on one connection, without HTTP and without a queue: in two round trips and in one.
//! Starts a durable PostgreSQL of its own. `cargo run --release -p postgres-adapter --example batch_costs`
#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement that fails has nothing to say")]

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use domain::{
    BookingRepository, Command, Creation, Hold, NewShow, Outcome, Request, SeatSelection, ShowRepository, TimeSource, Timestamp,
    UserName,
};
use postgres_adapter::{Foresee, PgSettings, PgStore, migrate};
use throwaway_postgres::{Cluster, DURABLE};
use tokio_postgres::NoTls;

const SEATS: i64 = 100_000;
/// Seats are taken in this stride, so that those of a batch lie on pages of their own.
const STRIDE: i64 = 7_919;
const MEASURED_FOR: Duration = Duration::from_secs(3);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let like_compose = [("shared_buffers", "512MB"), ("max_wal_size", "4GB"), ("wal_compression", "on")];
    let cluster = Cluster::start_with(&[&DURABLE[..], &like_compose].concat()).unwrap();
    let url = cluster.url("postgres");
    let (session, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    migrate(&PgSettings::new(url.as_str())).await.unwrap();
    for batch_size in [1, 4, 31] {
        for (trips, foresee) in [("two trips", Foresee::Never), ("one trip", Foresee::Always)] {
            let store = PgStore::new(&PgSettings { foresee, ..PgSettings::new(url.as_str()) }, TimeSource::Store).unwrap();
            let new = NewShow::new("Measured", Timestamp::UNIX_EPOCH, SEATS).unwrap();
            let Creation::Created(show) = store.shows().create(&new, None).await.unwrap() else { panic!("there is no key") };
            session.batch_execute("VACUUM ANALYZE").await.unwrap();
            session.batch_execute("CHECKPOINT").await.unwrap();
            let hold = |n: i64| {
                let seats = SeatSelection::new(&[n * STRIDE % SEATS + 1], 1).unwrap();
                let user_name = UserName::new("Ada").unwrap();
                Command::Hold(Hold { show_id: show.id, seats, user_name, customer: None, hold_for: TimeDelta::seconds(120) })
            };
            let (bookings, begun) = (store.bookings(), Instant::now());
            let (mut batches, mut made) = (0_u32, 0);
            while begun.elapsed() < MEASURED_FOR && made + batch_size <= SEATS {
                let batch: Vec<Request> = (made..made + batch_size).map(|n| hold(n).into()).collect();
                let outcomes = bookings.execute(&batch).await.unwrap();
                assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Held { .. })));
                made += batch_size;
                batches += 1;
            }
            println!("{batch_size} holds in {trips}: {:?} a batch", begun.elapsed() / batches);
        }
    }
    drop(session);
    connection.await.unwrap().unwrap();
}
