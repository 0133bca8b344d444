//! Holding seats.

use chrono::TimeDelta;

use super::{Ledger, LedgerError};
use crate::booking::UserName;
use crate::changes::{Decision, Entry, NewBooking, Owner};
use crate::command::{Block, Hold, Outcome};
use crate::deadline::Deadline;
use crate::history::Event;
use crate::ids::ShowId;
use crate::refusal::{NotOnSale, Refusal, SeatRefusal, SeatRefusalReason};
use crate::request::Actor;
use crate::seat::{SeatKey, SeatNumber, SeatSelection, SeatState};

impl Ledger {
    pub(super) fn hold(&mut self, hold: &Hold, by: &Actor) -> Result<Decision, LedgerError> {
        let refusal = self.seats_refusal(hold.show_id, &hold.seats);
        if let Some(refusal) = refusal.or_else(|| if by.is_house() { None } else { self.not_allowed(hold) }) {
            return Ok(Decision::Settled(Outcome::Refused(refusal)));
        }
        let terms = self.shows.get(&hold.show_id).map(|show| show.terms).unwrap_or_default();
        let deadline = Deadline::after(self.now, terms.hold_for.unwrap_or(hold.hold_for));
        let new_booking = self.make(
            NewBooking {
                show_id: hold.show_id,
                user_name: hold.user_name.clone(),
                customer: hold.customer.clone(),
                blocked_for: None,
                seats: hold.seats.numbers().to_vec(),
                deadline,
            },
            by,
        )?;
        Ok(Decision::Held { new_booking, deadline })
    }

    pub(super) fn block(&mut self, block: &Block, by: &Actor) -> Result<Decision, LedgerError> {
        if let Some(refusal) = self.seats_refusal(block.show_id, &block.seats) {
            return Ok(Decision::Settled(Outcome::Refused(refusal)));
        }
        let new_booking = self.make(
            NewBooking {
                show_id: block.show_id,
                user_name: UserName::house(),
                customer: None,
                blocked_for: Some(block.reason.clone()),
                seats: block.seats.numbers().to_vec(),
                // Nothing of it is held for a while: the least that a row can say.
                deadline: Deadline::after(self.now, TimeDelta::microseconds(1)),
            },
            by,
        )?;
        Ok(Decision::Blocked { new_booking })
    }

    /// A new booking of seats that can be had.
    fn make(&mut self, new: NewBooking, by: &Actor) -> Result<usize, LedgerError> {
        let new_booking = self.new_bookings.len();
        let (owner, show_id) = (Owner::New(new_booking), new.show_id);
        let (event, state) = match new.blocked_for {
            None => (Event::Held, SeatState::Held { by: owner, until: new.deadline }),
            Some(_) => (Event::Blocked, SeatState::Sold { to: owner }),
        };
        self.take(show_id, &new.seats, state)?;
        self.entries.push(Entry { show_id, booking: owner, event, from: None, seats: new.seats.clone(), by: by.clone() });
        self.new_bookings.push(new);
        Ok(new_booking)
    }

    /// Why these seats can't be had now, whoever wants them; `None` if they can.
    pub(crate) fn seats_refusal(&self, show_id: ShowId, seats: &SeatSelection) -> Option<Refusal> {
        let Some(show) = self.shows.get(&show_id) else { return Some(Refusal::NoSuchShow { show_id }) };
        let numbers = seats.numbers().iter();
        let seats: Vec<SeatRefusal> = numbers.filter_map(|&number| self.seat_refusal(show_id, number)).collect();
        if !seats.is_empty() {
            return Some(Refusal::SeatsNotFree { seats });
        }
        show.cancelled.then_some(Refusal::NotOnSale { show_id, reason: NotOnSale::Cancelled })
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
    pub(super) fn take(&mut self, show_id: ShowId, seats: &[SeatNumber], state: SeatState<Owner>) -> Result<(), LedgerError> {
        for &number in seats {
            let key = SeatKey { show_id, number };
            self.fail_dead_hold_on(key)?;
            self.set_seat(key, state);
        }
        Ok(())
    }

    /// A dead hold gives way: its booking fails in the same batch that takes the seat.
    pub(super) fn fail_dead_hold_on(&mut self, key: SeatKey) -> Result<(), LedgerError> {
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
