//! A forecast: what a batch comes to if every row is as expected.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::booking::Booking;
use crate::changes::{Changes, Decision, Entry, Owner, SeatChange};
use crate::command::{Command, Outcome};
use crate::deadline::{Deadline, Timestamp};
use crate::ids::{BookingId, ShowId};
use crate::keys::Keys;
use crate::ledger::{Ledger, LockedRows, LockedSeat, LockedShow};
use crate::lifecycle::BookingStatus;
use crate::request::Request;
use crate::seat::{SeatKey, SeatState};

/// What is known of the rows that a batch will meet, from batches before it.
pub trait Memory {
    /// The booking, if it is known to be PENDING.
    fn hold(&self, id: BookingId) -> Option<Booking>;

    /// The show, if it is known.
    fn show(&self, show_id: ShowId) -> Option<LockedShow>;
}

/// The decisions on a batch, made before anything is locked, on rows as they are expected to be: wanted seats free, named bookings
/// pending with their seats held, no request made before.
///
/// Nothing of it is true until a store has found, under its locks, that every row is as expected, and that the time is one for
/// which it was made; else the batch is decided anew on the rows as they are. Until the store has read its clock, nobody knows the
/// instants that count from the decision: see [`When`].
#[derive(Debug)]
pub struct Forecast {
    now: Timestamp,
    before: Option<Timestamp>,
    shows: Vec<LockedShow>,
    seats: Vec<LockedSeat>,
    bookings: Vec<Booking>,
    decisions: Vec<Decision>,
    changes: Changes,
}

/// An instant of a forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// So long after the decision.
    After(TimeDelta),
    /// At this instant, whenever the decision is made.
    At(Timestamp),
}

impl Forecast {
    /// The forecast for these requests, if they are decided at `now` or soon after it. `None` if something that they name is not
    /// known, or if a request would be refused even then: a refusal has to be decided on what is.
    pub fn of(requests: &[Request], memory: &impl Memory, now: Timestamp) -> Option<Self> {
        let keys = Keys::of(requests);
        let bookings = keys.bookings.iter().map(|&id| memory.hold(id)).collect::<Option<Vec<_>>>()?;
        let show_of: BTreeMap<BookingId, ShowId> = bookings.iter().map(|booking| (booking.id, booking.show_id)).collect();
        let mut shows: Vec<ShowId> = keys.shows.into_iter().chain(show_of.values().copied()).collect();
        shows.sort_unstable();
        shows.dedup();
        let shows = shows.into_iter().map(|id| memory.show(id)).collect::<Option<Vec<_>>>()?;
        if shows.iter().any(|show| show.terms.limit_customers()) && !requests.iter().all(takes_no_seat) {
            return None;
        }

        let added =
            keys.additions.iter().filter_map(|(id, number)| Some(SeatKey { show_id: *show_of.get(id)?, number: *number }));
        let mut seats: BTreeMap<SeatKey, SeatState> =
            keys.seats.into_iter().chain(added).map(|key| (key, SeatState::Available)).collect();
        for booking in &bookings {
            let held = SeatState::Held { by: booking.id, until: booking.deadline };
            let keys = booking.seats.iter().map(|&number| SeatKey { show_id: booking.show_id, number });
            seats.extend(keys.map(|key| (key, held)));
        }
        let seats: Vec<LockedSeat> = seats.into_iter().map(|(key, state)| LockedSeat { key, state }).collect();
        let before = bookings
            .iter()
            .map(|booking| booking.deadline.instant())
            .chain(extensions_end(requests, &bookings, &shows))
            .chain(sales_end(requests, &shows))
            .min();
        if before.is_some_and(|before| before <= now) {
            return None;
        }

        let rows = LockedRows { shows: shows.clone(), seats: seats.clone(), bookings: bookings.clone(), ..LockedRows::none(now) };
        let mut ledger = Ledger::open(rows);
        let decide = |request| ledger.apply(request).ok().filter(is_done);
        let decisions = requests.iter().map(decide).collect::<Option<Vec<_>>>()?;
        let forecast = Self { now, before, shows, seats, bookings, decisions, changes: ledger.into_changes() };
        forecast.is_plain().then_some(forecast)
    }

    /// Whether it says no more than a store can save without having seen the rows: each stored booking takes its steps from PENDING,
    /// and none of them was without effect only because it came at this very time.
    fn is_plain(&self) -> bool {
        let stored = |entry: &&Entry| matches!(entry.booking, Owner::Stored(_));
        let from_pending = self.changes.entries.iter().filter(stored).all(|entry| entry.from == Some(BookingStatus::Pending));
        let without_effect = |decision: &Decision| match decision {
            Decision::Settled(Outcome::Extended { booking_id, deadline }) => {
                matches!(self.ends(*booking_id, *deadline), When::At(_))
            }
            Decision::Held { .. } | Decision::Blocked { .. } | Decision::Settled(_) | Decision::Repeated(_) => false,
        };
        from_pending && !self.decisions.iter().any(without_effect)
    }

    /// The shows as they are expected, in the order of their ids.
    pub fn shows(&self) -> &[LockedShow] {
        &self.shows
    }

    /// The seats as they are expected, in key order.
    pub fn seats(&self) -> &[LockedSeat] {
        &self.seats
    }

    /// The bookings as they are expected, in the order of their ids.
    pub fn bookings(&self) -> &[Booking] {
        &self.bookings
    }

    /// The instant from which on it is good: a clock that went back makes another decision.
    pub const fn good_from(&self) -> Timestamp {
        self.now
    }

    /// The instant from which on it is too late; `None` if it never is.
    pub const fn good_before(&self) -> Option<Timestamp> {
        self.before
    }

    /// What to save if everything is as expected.
    pub const fn changes(&self) -> &Changes {
        &self.changes
    }

    /// When a new hold ends, or a key is forgotten.
    pub fn after(&self, deadline: Deadline) -> TimeDelta {
        deadline.instant() - self.now
    }

    /// When the hold on a seat ends; `None` if it is not held.
    pub fn held_until(&self, seat: &SeatChange) -> Option<When> {
        match seat.state {
            SeatState::Held { by: Owner::New(_), until } => Some(When::After(self.after(until))),
            SeatState::Held { by: Owner::Stored(id), until } => Some(self.ends(id, until)),
            SeatState::Available | SeatState::Sold { .. } => None,
        }
    }

    /// When a stored booking ends that shall end at `deadline`: what differs from what is expected counts from the decision.
    pub fn ends(&self, id: BookingId, deadline: Deadline) -> When {
        let expected = self.bookings.binary_search_by_key(&id, |booking| booking.id).ok().map(|i| self.bookings[i].deadline);
        if expected == Some(deadline) { When::At(deadline.instant()) } else { When::After(self.after(deadline)) }
    }

    /// What has come true: the outcomes of a batch that was saved `now`, whose new bookings got these ids. `None` if there are
    /// too few ids.
    pub fn outcomes(mut self, now: Timestamp, new_ids: &[BookingId]) -> Option<Vec<Outcome>> {
        let decisions = std::mem::take(&mut self.decisions);
        let decided_at = self.now;
        let ends = |id, deadline| match self.ends(id, deadline) {
            When::After(length) => Deadline::after(now, length),
            When::At(instant) => Deadline::at(instant),
        };
        let later = |deadline: Deadline| Deadline::after(now, deadline.instant() - decided_at);
        let came_true = |decision: Decision| match decision.outcome(new_ids)? {
            Outcome::Held { booking_id, deadline } => Some(Outcome::Held { booking_id, deadline: later(deadline) }),
            Outcome::Extended { booking_id, deadline } => {
                Some(Outcome::Extended { booking_id, deadline: ends(booking_id, deadline) })
            }
            Outcome::Changed { booking_id, seats, deadline } => {
                Some(Outcome::Changed { booking_id, seats, deadline: ends(booking_id, deadline) })
            }
            settled => Some(settled),
        };
        decisions.into_iter().map(came_true).collect()
    }
}

/// The instants from which on an extension would be cut short by its limit.
fn extensions_end(requests: &[Request], bookings: &[Booking], shows: &[LockedShow]) -> Vec<Timestamp> {
    let end = |request: &Request| {
        let Command::Extend(extend) = &request.command else { return None };
        let booking = bookings.iter().find(|booking| booking.id == extend.booking_id)?;
        let terms = &shows.iter().find(|show| show.id == booking.show_id)?.terms;
        Some(extend.latest(terms, booking.created_at).instant() - extend.length(terms))
    };
    requests.iter().filter_map(end).collect()
}

/// The instants from which on seats that are wanted are sold no longer.
fn sales_end(requests: &[Request], shows: &[LockedShow]) -> Vec<Timestamp> {
    if requests.iter().all(takes_no_seat) { Vec::new() } else { shows.iter().filter_map(|show| show.terms.off_sale_at).collect() }
}

/// Whether the request is content with the seats that its booking has.
fn takes_no_seat(request: &Request) -> bool {
    match &request.command {
        Command::Hold(_) | Command::Block(_) => false,
        Command::Change(change) => change.seats.add().is_empty(),
        Command::Confirm(_) | Command::Expire { .. } | Command::Cancel { .. } | Command::Extend(_) => true,
    }
}

/// Whether the request does what it asks for, and for the first time. (The house's blocks are rare, and have to be seen.)
fn is_done(decision: &Decision) -> bool {
    match decision {
        Decision::Held { .. } => true,
        Decision::Settled(outcome) => !matches!(outcome, Outcome::Refused(_) | Outcome::Replayed(_)),
        Decision::Blocked { .. } | Decision::Repeated(_) => false,
    }
}
