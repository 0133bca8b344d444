//! What purchases cost PostgreSQL: batches of holds and of confirms of what was held before, over many shows, one batch after the other
//! on one connection, without HTTP and without a queue. Prints the processor time of PostgreSQL's processes and the log, for each purchase.
//! Starts a durable PostgreSQL of its own. `cargo run --release -p postgres-adapter --example purchase_costs`
//!
//! With a number it runs so many batches, and no others, so that instructions can be counted, which know no weather: those of 700 batches
//! less those of 300, by `valgrind --tool=callgrind target/release/examples/purchase_costs 700`, are what 400 batches cost this side. For
//! PostgreSQL's, `ROWLOCK_PG_BIN` names a folder of links to its programs in which `postgres` is a script that runs it under callgrind: 240
//! less 140 batches, between which no plan is made anew, without what `pglz_compress` took.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement that fails has nothing to say")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use domain::{
    BookingId, BookingRepository, Command, Confirm, Creation, Hold, NewShow, Outcome, Request, SeatSelection, ShowId,
    ShowRepository, TimeSource, Timestamp, UserName,
};
use postgres_adapter::{PgSettings, PgStore, migrate};
use throwaway_postgres::{Cluster, DURABLE};
use tokio_postgres::NoTls;

const SHOWS: usize = 33;
const SEATS: i64 = 3_000;
/// Seats are taken in this stride, so that those of a batch lie on pages of their own.
const STRIDE: i64 = 1_009;
/// So many purchases begin in a batch, and as many end.
const PURCHASES: usize = 17;
const MEASURED_FOR: Duration = Duration::from_secs(4);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let like_compose = [("shared_buffers", "512MB"), ("max_wal_size", "4GB"), ("wal_compression", "on")];
    let cluster = Cluster::start_with(&[&DURABLE[..], &like_compose].concat()).unwrap();
    let url = cluster.url("postgres");
    let (session, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    migrate(&PgSettings::new(url.as_str())).await.unwrap();
    let store = PgStore::new(&PgSettings::new(url.as_str()), TimeSource::Store).unwrap();
    let mut shows = Vec::new();
    for _ in 0..SHOWS {
        let new = NewShow::new("Measured", Timestamp::UNIX_EPOCH, SEATS).unwrap();
        let Creation::Created(show) = store.shows().create(&new, None).await.unwrap() else { panic!("there is no key") };
        shows.push(show.id);
    }
    session.batch_execute("VACUUM ANALYZE").await.unwrap();
    session.batch_execute("CHECKPOINT").await.unwrap();
    let mut buyer = Buyer { bookings: store.bookings(), shows, next: 0, held: Vec::new() };
    let fixed: Option<u32> = std::env::args().nth(1).map(|number| number.parse().unwrap());
    let warm_up = Instant::now();
    while fixed.is_none() && warm_up.elapsed() < Duration::from_secs(1) {
        buyer.batch().await;
    }
    let (begun, from, log, first) = (Instant::now(), processor_time(cluster.port()), log(&session).await, buyer.next);
    let mut batches = 0;
    while fixed.map_or_else(|| begun.elapsed() < MEASURED_FOR, |fixed| batches < fixed) && buyer.can_go_on() {
        buyer.batch().await;
        batches += 1;
    }
    let (took, bought) = (begun.elapsed(), u32::try_from(buyer.next - first).unwrap());
    let used = processor_time(cluster.port()).saturating_sub(from) / bought;
    let log = (self::log(&session).await - log) / i64::from(bought);
    println!(
        "{bought} purchases, {PURCHASES} at a time: PostgreSQL {used:?} and {log} bytes of log each; {:?} a batch",
        took / batches
    );
    drop(session);
    connection.await.unwrap().unwrap();
}

struct Buyer {
    bookings: Arc<dyn BookingRepository>,
    shows: Vec<ShowId>,
    next: usize,
    held: Vec<BookingId>,
}

impl Buyer {
    fn can_go_on(&self) -> bool {
        self.next + PURCHASES <= SHOWS * usize::try_from(SEATS).unwrap()
    }

    /// The next purchases begin, and those before them end.
    async fn batch(&mut self) {
        let holds = (self.next..self.next + PURCHASES).map(|n| self.hold(n));
        let confirms = self.held.iter().map(|id| Command::Confirm(Confirm::of(*id)));
        let batch: Vec<Request> = confirms.chain(holds).map(Request::from).collect();
        let outcomes = self.bookings.execute(&batch).await.unwrap();
        assert!(
            outcomes.iter().all(|outcome| matches!(outcome, Outcome::Held { .. } | Outcome::Confirmed { .. })),
            "{outcomes:?}"
        );
        let held = |outcome: &Outcome| if let Outcome::Held { booking_id, .. } = outcome { Some(*booking_id) } else { None };
        self.held = outcomes.iter().filter_map(held).collect();
        self.next += PURCHASES;
    }

    fn hold(&self, n: usize) -> Command {
        let seat = i64::try_from(n / SHOWS).unwrap() * STRIDE % SEATS + 1;
        let seats = SeatSelection::new(&[seat], 1).unwrap();
        let user_name = UserName::new("Ada").unwrap();
        Command::Hold(Hold {
            show_id: self.shows[n % SHOWS],
            seats,
            user_name,
            customer: None,
            hold_for: TimeDelta::seconds(120),
        })
    }
}

/// What all sessions of the server on this port have used.
fn processor_time(port: u16) -> Duration {
    let mut used = Duration::ZERO;
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let of = |file| std::fs::read_to_string(process.path().join(file)).unwrap_or_default();
        if of("cmdline").contains(&format!("({port})")) || of("cmdline").starts_with("postgres: ") {
            let nanoseconds = of("schedstat").split(' ').next().and_then(|used| used.parse().ok()).unwrap_or(0);
            used += Duration::from_nanos(nanoseconds);
        }
    }
    used
}

/// How far the log has come, in bytes.
async fn log(session: &tokio_postgres::Client) -> i64 {
    session.query_one("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint", &[]).await.unwrap().get(0)
}
