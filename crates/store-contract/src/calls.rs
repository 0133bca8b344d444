//! The calls that scenarios make, in few words.

use std::num::NonZeroU32;
use std::time::Duration;

use chrono::TimeDelta;
use domain::{
    Actor, ActorName, Booking, BookingDetails, BookingFilter, BookingId, BookingState, BookingStatus, Change, Command, Confirm,
    Creation, Deadline, Extend, FailureReason, Fingerprint, Hold, Idempotency, IdempotencyKey, NewShow, Outcome, Page, Refusal,
    Request, SeatExchange, SeatNumber, SeatRefusal, SeatRefusalReason, SeatSelection, SeatState, Show, ShowId, StoreError, Sweep,
    Terms, Timestamp, Transition, UserName,
};
use tokio::task::JoinSet;

use crate::Store;

/// How long a hold of these scenarios lives.
pub(crate) const HOLD_FOR: TimeDelta = TimeDelta::seconds(120);
/// The smallest step of a clock.
pub(crate) const TICK: TimeDelta = TimeDelta::microseconds(1);
/// The end of a booking whose hold ran out.
pub(crate) const EXPIRED: BookingState = BookingState::Failed { reason: FailureReason::Expired, refund_due: false };

/// How often a call is made again after the store was contended. Each try may cost the adapter its whole lock wait.
const TRIES_MAX: u32 = 20;
/// Longer than any scenario's callers may need together: what takes longer hangs.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn hold(show_id: ShowId, seats: &[i64]) -> Command {
    hold_as("Ada", show_id, seats, HOLD_FOR)
}

pub(crate) fn hold_as(user: &str, show_id: ShowId, seats: &[i64], hold_for: TimeDelta) -> Command {
    let seats = SeatSelection::new(seats, 1_000).unwrap();
    Command::Hold(Hold { show_id, seats, user_name: UserName::new(user).unwrap(), customer: None, hold_for })
}

pub(crate) const fn confirm(booking_id: BookingId) -> Command {
    Command::Confirm(Confirm::of(booking_id))
}

pub(crate) const fn expire(booking_id: BookingId) -> Command {
    Command::Expire { booking_id }
}

pub(crate) const fn cancel(booking_id: BookingId) -> Command {
    Command::Cancel { booking_id }
}

/// How long a hold can live in these scenarios.
pub(crate) const LIMIT: TimeDelta = TimeDelta::seconds(300);

pub(crate) const fn extend(booking_id: BookingId) -> Command {
    extend_for(booking_id, HOLD_FOR)
}

pub(crate) const fn extend_for(booking_id: BookingId, hold_for: TimeDelta) -> Command {
    Command::Extend(Extend { booking_id, hold_for, hold_limit: LIMIT })
}

/// Most seats of a booking in these scenarios, when seats are exchanged.
pub(crate) const SEATS_MAX: usize = 4;

pub(crate) fn change(booking_id: BookingId, add: &[i64], remove: &[i64]) -> Command {
    let seats = SeatExchange::new(add, remove, 1_000).unwrap();
    Command::Change(Change { booking_id, seats, seats_max: SEATS_MAX })
}

/// The holder of an admin token.
pub(crate) fn house() -> Actor {
    Actor::Admin(ActorName::new("box-office").unwrap())
}

/// For how long requests are known again in these scenarios.
pub(crate) const KEEP_FOR: TimeDelta = TimeDelta::hours(24);

/// A key; what is asked for under it is told by `fingerprint`.
pub(crate) fn idempotency(key: &str, fingerprint: u8) -> Idempotency {
    let key = IdempotencyKey::new(key).unwrap();
    Idempotency { key, fingerprint: Fingerprint([fingerprint; 32]), keep_for: KEEP_FOR }
}

/// The command under a key; what it asks for is told by `fingerprint`.
pub(crate) fn under(key: &str, fingerprint: u8, command: Command) -> Request {
    Request { idempotency: Some(idempotency(key, fingerprint)), ..Request::from(command) }
}

/// The requests of a customer.
pub(crate) fn requests(commands: &[Command]) -> Vec<Request> {
    commands.iter().cloned().map(Request::from).collect()
}

/// What a request comes to that was made before, with this outcome.
pub(crate) fn again(outcome: &Outcome) -> Outcome {
    Outcome::Replayed(Box::new(outcome.clone()))
}

pub(crate) fn limit(rows: u32) -> NonZeroU32 {
    NonZeroU32::new(rows).unwrap()
}

pub(crate) fn page(rows: u32, before: Option<i64>) -> Page {
    Page { limit: limit(rows), before }
}

pub(crate) fn numbers(seats: &[i64]) -> Vec<SeatNumber> {
    seats.iter().map(|n| SeatNumber::new(*n).unwrap()).collect()
}

/// An identity that no row of a scenario's store comes to have.
pub(crate) fn nobody() -> BookingId {
    BookingId::new(i64::MAX).unwrap()
}

/// As [`nobody`].
pub(crate) fn nowhere() -> ShowId {
    ShowId::new(i64::MAX).unwrap()
}

/// The refusal of a hold for these seats and reasons.
pub(crate) fn not_free(seats: &[(i64, SeatRefusalReason)]) -> Outcome {
    let seats = seats.iter().map(|&(n, reason)| SeatRefusal { number: SeatNumber::new(n).unwrap(), reason }).collect();
    Outcome::Refused(Refusal::SeatsNotFree { seats })
}

pub(crate) fn new_show(name: &str, seats: i64) -> NewShow {
    let start = Timestamp::from_timestamp_micros(1_893_456_000_000_001).unwrap();
    NewShow::new(name, start, seats).unwrap()
}

/// The booking that a hold got.
pub(crate) fn held(outcome: &Outcome) -> Option<BookingId> {
    match outcome {
        Outcome::Held { booking_id, .. } => Some(*booking_id),
        _ => None,
    }
}

/// Runs the tasks side by side to their end.
pub(crate) async fn all<T: Send + 'static>(tasks: JoinSet<T>) -> Vec<T> {
    tokio::time::timeout(PATIENCE, tasks.join_all()).await.expect("callers block each other for good")
}

impl Store {
    /// Executes a customer's batch; if others are in the way, again.
    pub(crate) async fn execute(&self, commands: &[Command]) -> Vec<Outcome> {
        self.request(&requests(commands)).await
    }

    /// Executes the batch; if others are in the way, again.
    pub(crate) async fn request(&self, requests: &[Request]) -> Vec<Outcome> {
        for _ in 0..TRIES_MAX {
            match self.bookings.execute(requests).await {
                Ok(outcomes) => {
                    assert_eq!(outcomes.len(), requests.len(), "one outcome for each request");
                    return outcomes;
                }
                Err(StoreError::Contended(_)) => tokio::task::yield_now().await,
                Err(error @ (StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_) | StoreError::Corrupt(_))) => {
                    panic!("{error}")
                }
            }
        }
        panic!("still contended after {TRIES_MAX} tries");
    }

    /// Executes a batch of one.
    pub(crate) async fn decide(&self, command: Command) -> Outcome {
        self.execute(&[command]).await.remove(0)
    }

    /// Executes a request of its own.
    pub(crate) async fn ask(&self, request: Request) -> Outcome {
        self.request(&[request]).await.remove(0)
    }

    /// What happened to the booking.
    pub(crate) async fn history(&self, id: BookingId) -> Vec<Transition> {
        self.bookings.history(id).await.unwrap().unwrap_or_else(|| panic!("booking {id} has no history"))
    }

    /// A PENDING booking of these seats.
    pub(crate) async fn hold(&self, show_id: ShowId, seats: &[i64]) -> (BookingId, Deadline) {
        self.hold_for(show_id, seats, HOLD_FOR).await
    }

    pub(crate) async fn hold_for(&self, show_id: ShowId, seats: &[i64], life: TimeDelta) -> (BookingId, Deadline) {
        match self.decide(hold_as("Ada", show_id, seats, life)).await {
            Outcome::Held { booking_id, deadline } => (booking_id, deadline),
            other => panic!("seats {seats:?} of show {show_id} should be free, but: {other:?}"),
        }
    }

    /// A CONFIRMED booking of these seats.
    pub(crate) async fn sell(&self, show_id: ShowId, seats: &[i64]) -> (BookingId, Deadline) {
        let (booking_id, deadline) = self.hold(show_id, seats).await;
        assert_eq!(self.decide(confirm(booking_id)).await, Outcome::Confirmed { booking_id });
        (booking_id, deadline)
    }

    /// Sweeps; if others are in the way, again.
    pub(crate) async fn sweep(&self, rows: u32) -> Sweep {
        for _ in 0..TRIES_MAX {
            match self.bookings.expire_due(limit(rows)).await {
                Ok(sweep) => return sweep,
                Err(StoreError::Contended(_)) => tokio::task::yield_now().await,
                Err(error @ (StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_) | StoreError::Corrupt(_))) => {
                    panic!("{error}")
                }
            }
        }
        panic!("still contended after {TRIES_MAX} tries");
    }

    /// Sweeps until nothing is left, and returns what this has failed. (A store that only says so would never come to an end.)
    pub(crate) async fn sweep_all(&self, rows: u32) -> Vec<BookingId> {
        let mut all = Vec::new();
        loop {
            let expired = self.sweep(rows).await.expired;
            assert!(expired.len() <= usize::try_from(rows).unwrap(), "more than {rows}: {expired:?}");
            if expired.is_empty() {
                return all;
            }
            assert!(!expired.iter().any(|id| all.contains(id)), "failed twice: {expired:?}");
            all.extend(expired);
        }
    }

    /// A new show with this many seats.
    pub(crate) async fn show(&self, seats: i64) -> ShowId {
        self.show_named("Hamlet", seats).await.id
    }

    pub(crate) async fn show_named(&self, name: &str, seats: i64) -> Show {
        self.create(&new_show(name, seats)).await
    }

    /// A new show with this many seats, on these terms.
    pub(crate) async fn show_on(&self, terms: Terms, seats: i64) -> ShowId {
        self.create(&new_show("Hamlet", seats).on(terms).unwrap()).await.id
    }

    pub(crate) async fn create(&self, show: &NewShow) -> Show {
        match self.shows.create(show, None).await.unwrap() {
            Creation::Created(show) => show,
            other @ (Creation::Replayed(_) | Creation::KeyReused) => panic!("there was no key: {other:?}"),
        }
    }

    pub(crate) async fn find(&self, id: BookingId) -> BookingDetails {
        self.bookings.find(id).await.unwrap().unwrap_or_else(|| panic!("there is no booking {id}"))
    }

    /// The booking's state, as of now.
    pub(crate) async fn state(&self, id: BookingId) -> BookingState {
        self.find(id).await.booking.state
    }

    /// The state of every seat of the show, as of now.
    pub(crate) async fn map(&self, show_id: ShowId) -> Vec<SeatState> {
        let seats = self.shows.seat_map(show_id).await.unwrap().unwrap_or_else(|| panic!("there is no show {show_id}"));
        seats.iter().map(|seat| seat.state).collect()
    }

    pub(crate) async fn list(&self, status: Option<BookingStatus>, page: Page) -> Vec<Booking> {
        self.bookings.list(&BookingFilter { status, ..BookingFilter::default() }, page).await.unwrap()
    }
}
