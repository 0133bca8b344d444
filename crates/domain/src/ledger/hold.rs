//! Holding seats.

use super::{Ledger, LedgerError};
use crate::changes::{Decision, Entry, NewBooking, Owner};
use crate::command::{Hold, Outcome, Refusal, SeatRefusal, SeatRefusalReason};
use crate::deadline::Deadline;
use crate::history::Event;
use crate::ids::ShowId;
use crate::request::Actor;
use crate::seat::{SeatKey, SeatNumber, SeatState};

impl Ledger {
    pub(super) fn hold(&mut self, hold: &Hold, by: &Actor) -> Result<Decision, LedgerError> {
        if let Some(refusal) = self.refusal(hold) {
            return Ok(Decision::Settled(Outcome::Refused(refusal)));
        }
        let (show_id, seats) = (hold.show_id, hold.seats.numbers().to_vec());
        let terms = self.shows.get(&show_id).copied().unwrap_or_default();
        let deadline = Deadline::after(self.now, terms.hold_for.unwrap_or(hold.hold_for));
        let new_booking = self.new_bookings.len();
        self.take(show_id, &seats, Owner::New(new_booking), deadline)?;
        self.entries.push(Entry {
            show_id,
            booking: Owner::New(new_booking),
            event: Event::Held,
            from: None,
            seats: seats.clone(),
            by: by.clone(),
        });
        self.new_bookings.push(NewBooking { show_id, user_name: hold.user_name.clone(), seats, deadline });
        Ok(Decision::Held { new_booking, deadline })
    }

    /// Why this hold can't be had now; `None` if it can.
    pub(crate) fn refusal(&self, hold: &Hold) -> Option<Refusal> {
        let show_id = hold.show_id;
        if !self.shows.contains_key(&show_id) {
            return Some(Refusal::NoSuchShow { show_id });
        }
        let numbers = hold.seats.numbers().iter();
        let seats: Vec<SeatRefusal> = numbers.filter_map(|&number| self.seat_refusal(show_id, number)).collect();
        if seats.is_empty() { None } else { Some(Refusal::SeatsNotFree { seats }) }
    }

    /// Whether a seat that this hold wants is held by a dead hold.
    pub(crate) fn wants_a_dead_hold(&self, hold: &Hold) -> bool {
        hold.seat_keys().any(|key| self.seats.get(&key).is_some_and(|&state| state != state.as_of(self.now)))
    }

    /// Why this seat can't be had now; `None` if it can.
    pub(super) fn seat_refusal(&self, show_id: ShowId, number: SeatNumber) -> Option<SeatRefusal> {
        let reason = match self.seats.get(&SeatKey { show_id, number }).map(|state| state.as_of(self.now)) {
            Some(SeatState::Available) => return None,
            Some(SeatState::Held { until, .. }) => SeatRefusalReason::Held { free_at: until },
            Some(SeatState::Sold { .. }) => SeatRefusalReason::Sold,
            None => SeatRefusalReason::Unknown,
        };
        Some(SeatRefusal { number, reason })
    }

    /// Takes seats that can be had.
    pub(super) fn take(&mut self, show_id: ShowId, seats: &[SeatNumber], by: Owner, until: Deadline) -> Result<(), LedgerError> {
        for &number in seats {
            let key = SeatKey { show_id, number };
            self.fail_dead_hold_on(key)?;
            self.set_seat(key, SeatState::Held { by, until });
        }
        Ok(())
    }

    /// A dead hold gives way: its booking fails in the same batch that takes the seat.
    fn fail_dead_hold_on(&mut self, key: SeatKey) -> Result<(), LedgerError> {
        match self.seats.get(&key) {
            Some(SeatState::Held { by: Owner::Stored(booking_id), .. }) => {
                let booking_id = *booking_id;
                if !self.bookings.contains_key(&booking_id) {
                    return Err(LedgerError::RowsMissing);
                }
                match self.expire(booking_id)? {
                    Outcome::Expired { .. } => Ok(()),
                    _ => Err(LedgerError::Corrupt { key, booking_id }),
                }
            }
            Some(SeatState::Available | SeatState::Held { by: Owner::New(_), .. } | SeatState::Sold { .. }) | None => Ok(()),
        }
    }
}
