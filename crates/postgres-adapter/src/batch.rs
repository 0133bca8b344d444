//! A batch: lock and load, decide in memory, save and commit. Two round trips, whatever its size.

use std::collections::BTreeMap;
use std::time::Instant;

use domain::{
    BookingId, Changes, Decision, Keys, Ledger, LedgerError, LockedRows, LockedShow, Outcome, Request, StoreError, TimeSource,
    Timestamp, UsedKey,
};
use futures_util::{join, try_join};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use crate::connection::{Lease, TimedOut, no_answer};
use crate::figures::Tally;
use crate::numbering::Steps;
use crate::row_address::RowAddress;
use crate::{error, rows, save, statements};

/// How far a batch reaches for rows that it does not name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// The named rows only: seldom is a wanted seat blocked by a dead hold that no sweep has found yet.
    Named,
    /// The bookings of dead holds on wanted seats too, and all of their seats.
    DeadHolds,
}

/// What a batch came to, and what it says about the next.
pub(crate) struct Done {
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) now: Timestamp,
    pub(crate) shows: Vec<FoundShow>,
    pub(crate) steps: Steps,
}

/// What was found with the locked rows.
struct Found {
    shows: Vec<FoundShow>,
    /// The number of each booking's last step.
    last_changes: BTreeMap<BookingId, i64>,
}

/// A show, and where its row lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FoundShow {
    pub(crate) show: LockedShow,
    pub(crate) address: RowAddress,
}

impl FoundShow {
    fn in_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self { show: rows::locked_show(row)?, address: rows::column(row, "address")? })
    }
}

/// Runs the requests as one transaction.
pub(crate) async fn run(lease: Lease, time: &TimeSource, requests: &[Request], tally: &Tally) -> Result<Done, StoreError> {
    let begun = Instant::now();
    match attempt(&lease, time, requests, Reach::Named).await {
        Ok(decided) => {
            let locked = begun.elapsed();
            tally.locked(locked);
            let done = finish(lease, decided).await;
            tracing::debug!(commands = requests.len(), ?locked, total = ?begun.elapsed(), "batch");
            return done;
        }
        Err(Failure::RowsMissing) => {}
        Err(Failure::Store(error)) => return Err(give_up(lease, error).await),
    }
    // More seats are needed, and locks are taken in order: all of them are given back, and taken anew.
    lease.within(lease.batch_execute("ROLLBACK")).await.map_err(|TimedOut| no_answer())?.map_err(|e| error::before_commit(&e))?;
    match attempt(&lease, time, requests, Reach::DeadHolds).await {
        Ok(decided) => {
            tally.locked(begun.elapsed());
            finish(lease, decided).await
        }
        Err(Failure::RowsMissing) => {
            Err(give_up(lease, StoreError::Contended("a hold died or changed while it was being locked".to_owned())).await)
        }
        Err(Failure::Store(error)) => Err(give_up(lease, error).await),
    }
}

/// What was decided under the locks.
struct Decided {
    decisions: Vec<Decision>,
    changes: Changes,
    found: Found,
    used_keys: Vec<UsedKey<Outcome>>,
}

/// Why an attempt came to no decision.
pub(crate) enum Failure {
    /// A row is needed that was not locked.
    RowsMissing,
    /// Anything else.
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Locks, loads and decides.
async fn attempt(lease: &Lease, time: &TimeSource, requests: &[Request], reach: Reach) -> Result<Decided, Failure> {
    let keys = Keys::of(requests);
    let (locked, found) = Box::pin(lock(lease, time, &keys, reach)).await?;
    let used_keys = locked.used_keys.clone();
    let (decisions, changes) = decide(locked, requests)?;
    Ok(Decided { decisions, changes, found, used_keys })
}

/// Rolls back what a failed batch began.
pub(crate) async fn give_up(lease: Lease, error: StoreError) -> StoreError {
    if matches!(error, StoreError::Contended(_)) {
        lease.roll_back().await;
    }
    error
}

/// First round trip: `BEGIN` and the locks, each row with the clock as it was then. The statements are sent at once, in this order,
/// and are few: each is a message of its own, and a wake-up on either side.
async fn lock(lease: &Lease, time: &TimeSource, keys: &Keys, reach: Reach) -> Result<(LockedRows, Found), StoreError> {
    let (lock_seats, lock_bookings, lock_shows, load_holdings, load_payments, load_keys) = try_join!(
        lease.prepared(statements::LOCK_SEATS),
        lease.prepared(statements::LOCK_BOOKINGS),
        lease.prepared(statements::LOCK_SHOWS),
        lease.prepared(statements::LOAD_HOLDINGS),
        lease.prepared(statements::LOAD_PAYMENTS),
        lease.prepared(statements::LOAD_KEYS),
    )?;
    let fixed = time.fixed();
    let seat_shows: Vec<i64> = keys.seats.iter().map(|key| key.show_id.get()).collect();
    let seat_numbers: Vec<i64> = keys.seats.iter().map(|key| key.number.get()).collect();
    let named: Vec<i64> = keys.bookings.iter().map(|id| id.get()).collect();
    let (added_to, added): (Vec<i64>, Vec<i64>) = keys.additions.iter().map(|(id, number)| (id.get(), number.get())).unzip();
    let wanted: Vec<i64> = keys.shows.iter().map(|id| id.get()).collect();
    let (customers_shows, customers): (Vec<i64>, Vec<&str>) =
        keys.customers.iter().map(|(show_id, customer)| (show_id.get(), customer.as_str())).unzip();
    let payments: Vec<&str> = keys.payments.iter().map(domain::PaymentReference::as_str).collect();
    let requests: Vec<&str> = keys.requests.iter().map(domain::IdempotencyKey::as_str).collect();
    let dead_holds = reach == Reach::DeadHolds;
    let touched: [&(dyn ToSql + Sync); 7] = [&seat_shows, &seat_numbers, &named, &dead_holds, &fixed, &added_to, &added];
    let shows: [&(dyn ToSql + Sync); 2] = [&wanted, &named];
    let who: [&(dyn ToSql + Sync); 3] = [&customers_shows, &customers, &named];
    let paid: [&(dyn ToSql + Sync); 1] = [&payments];
    let keys_used: [&(dyn ToSql + Sync); 1] = [&requests];
    let trip = async {
        let (begun, seats, bookings, shows, holdings, payments, used_keys) = join!(
            lease.batch_execute("BEGIN"),
            lease.query(&lock_seats, &touched),
            only_if(!named.is_empty() || dead_holds, lease.query(&lock_bookings, &touched)),
            lease.query(&lock_shows, &shows),
            only_if(!customers.is_empty() || !named.is_empty(), lease.query(&load_holdings, &who)),
            only_if(!payments.is_empty(), lease.query(&load_payments, &paid)),
            only_if(!requests.is_empty(), lease.query(&load_keys, &keys_used)),
        );
        // The first failure is the cause; those after it only say that the transaction is aborted.
        begun?;
        Ok::<_, Error>((seats?, bookings?, shows?, holdings?, payments?, used_keys?))
    };
    let (seats, bookings, shows, holdings, payments, used_keys) =
        lease.within(Box::pin(trip)).await.map_err(|TimedOut| no_answer())?.map_err(|error| error::before_commit(&error))?;
    let now = now(time, seats.iter().chain(&bookings).chain(&shows))?;
    let last_change = |row: &Row| Ok((rows::booking_id(rows::column(row, "id")?)?, rows::column(row, "last_change")?));
    let found = Found {
        shows: shows.iter().map(FoundShow::in_row).collect::<Result<_, _>>()?,
        last_changes: bookings.iter().map(last_change).collect::<Result<_, StoreError>>()?,
    };
    let locked = LockedRows {
        now,
        shows: found.shows.iter().map(|found| found.show).collect(),
        seats: seats.iter().map(rows::locked_seat).collect::<Result<_, _>>()?,
        bookings: bookings.iter().map(rows::booking).collect::<Result<_, _>>()?,
        holdings: holdings.iter().map(rows::holding).collect::<Result<_, _>>()?,
        payments: payments.iter().map(rows::payment).collect::<Result<_, _>>()?,
        used_keys: used_keys.iter().map(rows::used_key).collect::<Result<_, _>>()?,
    };
    Ok((locked, found))
}

/// A query that there may be no need for.
async fn only_if(needed: bool, query: impl Future<Output = Result<Vec<Row>, Error>>) -> Result<Vec<Row>, Error> {
    if needed { query.await } else { Ok(Vec::new()) }
}

/// The instant of the decisions: the last reading of the clock, after all locks. Where no row was found there is nothing to judge
/// by it but a key, and that only against an earlier time.
pub(crate) fn now<'a>(time: &TimeSource, locked: impl Iterator<Item = &'a Row>) -> Result<Timestamp, StoreError> {
    if let Some(fixed) = time.fixed() {
        return Ok(fixed);
    }
    locked.map(|row| rows::column(row, "now")).try_fold(Timestamp::UNIX_EPOCH, |last, now| Ok(last.max(now?)))
}

/// All decisions, in memory, under the locks.
fn decide(locked: LockedRows, requests: &[Request]) -> Result<(Vec<Decision>, Changes), Failure> {
    let mut ledger = Ledger::open(locked);
    let decisions = requests.iter().map(|request| ledger.apply(request)).collect::<Result<Vec<_>, _>>();
    let decisions = decisions.map_err(|error| match error {
        LedgerError::RowsMissing => Failure::RowsMissing,
        LedgerError::Corrupt { .. } => Failure::Store(StoreError::Corrupt(error.to_string())),
    })?;
    Ok((decisions, ledger.into_changes()))
}

/// Second round trip: save and `COMMIT`; or `ROLLBACK`, which writes nothing, when nothing has changed.
async fn finish(lease: Lease, decided: Decided) -> Result<Done, StoreError> {
    let Decided { decisions, changes, found: Found { shows, last_changes }, used_keys } = decided;
    let now = changes.now;
    let (new_ids, steps) = if changes.is_empty() {
        lease.roll_back().await;
        (Vec::new(), Steps::default())
    } else {
        let saved = save::and_commit(&lease, &changes, &used_keys, &last_changes).await?;
        lease.give_back();
        saved
    };
    let outcomes = decisions.into_iter().map(|decision| decision.outcome(&new_ids)).collect::<Option<Vec<_>>>();
    let outcomes = outcomes.ok_or_else(|| StoreError::OutcomeUnknown("a new booking got no id".to_owned()))?;
    Ok(Done { outcomes, now, shows, steps })
}
