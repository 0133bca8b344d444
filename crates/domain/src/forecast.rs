//! A forecast: what a batch comes to if every row is as expected.

use std::collections::BTreeMap;

use crate::booking::Booking;
use crate::command::{Command, Keys, Outcome};
use crate::deadline::{Deadline, Timestamp};
use crate::ids::BookingId;
use crate::ledger::{Changes, Decision, Ledger, LockedRows, LockedSeat};
use crate::seat::{SeatKey, SeatState};

/// The decisions on a batch, made before anything is locked, on rows as they are expected to be: wanted seats free, named bookings
/// pending with their seats held.
///
/// Nothing of it is true until a store has found, under its locks, that every row is as expected and that it is not too late;
/// else the batch is decided anew on the rows as they are. It is decided at the beginning of time, [`Timestamp::UNIX_EPOCH`], when
/// no hold is dead, so it holds until the first of the expected deadlines; and its own times count from there, until the store
/// has read its clock.
#[derive(Debug)]
pub struct Forecast {
    seats: Vec<LockedSeat>,
    bookings: Vec<Booking>,
    decisions: Vec<Decision>,
    changes: Changes,
}

impl Forecast {
    /// The forecast for these commands, with the bookings that they name as `recall` has them. `None` if one of those is not
    /// known to be pending, or if a command would be refused even then: a refusal has to be decided on what is.
    pub fn of(commands: &[Command], recall: impl Fn(BookingId) -> Option<Booking>) -> Option<Self> {
        let keys = Keys::of(commands);
        let bookings = keys.bookings.into_iter().map(recall).collect::<Option<Vec<_>>>()?;
        let mut seats: BTreeMap<SeatKey, SeatState> = keys.seats.into_iter().map(|key| (key, SeatState::Available)).collect();
        for booking in &bookings {
            let held = SeatState::Held { by: booking.id, until: booking.deadline };
            let keys = booking.seats.iter().map(|&number| SeatKey { show_id: booking.show_id, number });
            seats.extend(keys.map(|key| (key, held)));
        }
        let seats: Vec<LockedSeat> = seats.into_iter().map(|(key, state)| LockedSeat { key, state }).collect();
        let now = Timestamp::UNIX_EPOCH;
        let rows = LockedRows { now, shows: keys.shows, seats: seats.clone(), bookings: bookings.clone() };
        let mut ledger = Ledger::open(rows);
        let decide = |command| ledger.apply(command).ok().filter(is_done);
        let decisions = commands.iter().map(decide).collect::<Option<Vec<_>>>()?;
        Some(Self { seats, bookings, decisions, changes: ledger.into_changes() })
    }

    /// The seats as they are expected, in key order.
    pub fn seats(&self) -> &[LockedSeat] {
        &self.seats
    }

    /// The bookings as they are expected, in the order of their ids.
    pub fn bookings(&self) -> &[Booking] {
        &self.bookings
    }

    /// The instant from which on it is too late; `None` if it never is.
    pub fn true_before(&self) -> Option<Deadline> {
        self.bookings.iter().map(|booking| booking.deadline).min()
    }

    /// What to save if everything is as expected. Its times count from the epoch.
    pub const fn changes(&self) -> &Changes {
        &self.changes
    }

    /// What has come true: the outcomes of a batch that was saved `now`, whose new bookings got these ids. `None` if there are
    /// too few ids.
    pub fn outcomes(self, now: Timestamp, new_ids: &[BookingId]) -> Option<Vec<Outcome>> {
        let came_true = |decision: Decision| match decision.outcome(new_ids)? {
            Outcome::Held { booking_id, deadline } => {
                let hold_for = deadline.instant() - Timestamp::UNIX_EPOCH;
                Some(Outcome::Held { booking_id, deadline: Deadline::after(now, hold_for) })
            }
            settled @ (Outcome::Confirmed { .. } | Outcome::Expired { .. } | Outcome::Refused(_)) => Some(settled),
        };
        self.decisions.into_iter().map(came_true).collect()
    }
}

/// Whether the command does what it asks for.
fn is_done(decision: &Decision) -> bool {
    matches!(decision, Decision::Held { .. } | Decision::Settled(Outcome::Confirmed { .. }))
}
