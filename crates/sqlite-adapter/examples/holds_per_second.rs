//! How many durable holds a second this machine's disk and the SQLite store can do, in batches of several sizes, and how long
//! it takes to create a show of 100,000 seats. `cargo run --release -p sqlite-adapter --example holds_per_second [directory]`
#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement that fails has nothing to say")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use domain::{
    BookingRepository, Command, Creation, Hold, NewShow, Outcome, Request, SeatSelection, ShowRepository, TimeSource, Timestamp,
    UserName,
};
use sqlite_adapter::SqliteStore;

const SEATS: i64 = 100_000;
const MEASURED_FOR: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() {
    let parent = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let directory = tempfile::tempdir_in(parent).unwrap();
    let store = SqliteStore::open(&directory.path().join("rowlock.db"), TimeSource::Store).unwrap();
    for batch_size in [1, 16, 64, 256] {
        let begun = Instant::now();
        let new = NewShow::new("Measured", Timestamp::UNIX_EPOCH, SEATS).unwrap();
        let Creation::Created(show) = store.shows().create(&new, None).await.unwrap() else { panic!("there is no key") };
        println!("a show of {SEATS} seats: {:?}", begun.elapsed());

        let hold = |seat| {
            let seats = SeatSelection::new(&[seat], 1).unwrap();
            let user_name = UserName::new("Ada").unwrap();
            Command::Hold(Hold { show_id: show.id, seats, user_name, customer: None, hold_for: TimeDelta::seconds(120) })
        };
        let bookings = store.bookings();
        let begun = Instant::now();
        let mut seat = 0;
        while begun.elapsed() < MEASURED_FOR && seat + batch_size <= SEATS {
            let batch: Vec<Request> = (seat + 1..=seat + batch_size).map(|n| hold(n).into()).collect();
            let outcomes = bookings.execute(&batch).await.unwrap();
            assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Held { .. })));
            seat += batch_size;
        }
        let per_second = u128::try_from(seat).unwrap() * 1_000_000 / begun.elapsed().as_micros();
        println!("batches of {batch_size}: {per_second} holds/s");
    }
}
