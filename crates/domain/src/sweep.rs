//! The sweep: of holds that have run out, those end that are dead and whose seats are all there.

use std::time::Duration;

use crate::booking::BookingState;
use crate::changes::{BookingChange, Changes, Entry, Owner, SeatChange};
use crate::deadline::{Deadline, Timestamp};
use crate::history::Event;
use crate::ids::{BookingId, ShowId};
use crate::ledger::LedgerError;
use crate::lifecycle::{Action, BookingStatus, transition};
use crate::ports::Sweep;
use crate::request::Actor;
use crate::seat::{SeatKey, SeatNumber, SeatState};

/// A booking that says PENDING under its lock, and may be dead; with those of its seats that could be locked too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueHold {
    /// The booking.
    pub id: BookingId,
    /// The show.
    pub show_id: ShowId,
    /// The seats that it lists, ascending.
    pub seats: Vec<SeatNumber>,
    /// When its hold ends.
    pub deadline: Deadline,
    /// Those of its seats that are locked, and how they stand.
    pub locked: Vec<(SeatNumber, SeatState)>,
}

/// What came of a sweep over some holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swept {
    /// The instant that rows are stamped with.
    pub now: Timestamp,
    /// Those that fail, in their order: each comes to [`BookingState::EXPIRED`], and its seats, all of which it had, are free.
    pub expired: Vec<DueHold>,
    /// Bookings that contradict their seats. Someone has to look.
    pub corrupt: Vec<LedgerError>,
}

impl Swept {
    /// Fails each of these holds that is dead at `now`, if all of its seats are here. One that contradicts its seats must not keep
    /// the others from ending: it is left as it is, and reported.
    ///
    /// The instant is one reading of the store's clock, taken after the locks; nobody else can change what is locked until this is
    /// saved or given up.
    pub fn of(now: Timestamp, due: Vec<DueHold>) -> Self {
        let mut swept = Self { now, expired: Vec::with_capacity(due.len()), corrupt: Vec::new() };
        for hold in due {
            if transition(BookingStatus::Pending, Action::Expire, hold.deadline.life(now)).is_err() {
                continue;
            }
            match hold.has_its_seats() {
                Ok(()) => swept.expired.push(hold),
                Err(LedgerError::RowsMissing) => {}
                Err(error @ LedgerError::Corrupt { .. }) => swept.corrupt.push(error),
            }
        }
        swept
    }

    /// What has to be saved. The show gives the numbers in its history, so its row has to be locked by then.
    pub fn changes(&self) -> Changes {
        let keys = self.expired.iter().flat_map(DueHold::keys);
        let mut seats: Vec<SeatChange> = keys.map(|key| SeatChange { key, state: SeatState::Available }).collect();
        let mut bookings: Vec<BookingChange> = self.expired.iter().map(DueHold::failed).collect();
        seats.sort_unstable_by_key(|change| change.key);
        bookings.sort_unstable_by_key(|change| change.id);
        Changes {
            now: self.now,
            new_bookings: Vec::new(),
            bookings,
            seats,
            entries: self.expired.iter().map(DueHold::entry).collect(),
            payments: Vec::new(),
            used_keys: Vec::new(),
        }
    }

    /// What the sweep did, given how long it is until the next deadline.
    pub fn report(&self, next_due_in: Option<Duration>) -> Sweep {
        let lag = |hold: &DueHold| (self.now - hold.deadline.instant()).to_std().unwrap_or_default();
        Sweep {
            expired: self.expired.iter().map(|hold| hold.id).collect(),
            lag_max: self.expired.iter().map(lag).max().unwrap_or_default(),
            next_due_in,
        }
    }
}

impl DueHold {
    /// The keys of the seats that it lists.
    pub fn keys(&self) -> impl Iterator<Item = SeatKey> {
        let show_id = self.show_id;
        self.seats.iter().map(move |&number| SeatKey { show_id, number })
    }

    /// Whether all the seats that it lists say that they are its.
    fn has_its_seats(&self) -> Result<(), LedgerError> {
        for key in self.keys() {
            match self.locked.iter().find(|(number, _)| *number == key.number) {
                None => return Err(LedgerError::RowsMissing),
                Some((_, SeatState::Held { by, .. })) if *by == self.id => {}
                Some(_) => return Err(LedgerError::Corrupt { key, booking_id: self.id }),
            }
        }
        Ok(())
    }

    /// No payment is named for a booking that is PENDING.
    fn failed(&self) -> BookingChange {
        let (seats, deadline) = (self.seats.clone(), self.deadline);
        BookingChange { id: self.id, state: BookingState::EXPIRED, payment: None, seats, deadline }
    }

    fn entry(&self) -> Entry {
        Entry {
            show_id: self.show_id,
            booking: Owner::Stored(self.id),
            event: Event::of(&BookingState::EXPIRED),
            from: Some(BookingStatus::Pending),
            seats: self.seats.clone(),
            by: Actor::System,
        }
    }
}
