//! Ending a booking: it is sold, or given up, or has run out.

use super::{Ledger, LedgerError};
use crate::booking::{Booking, BookingState};
use crate::changes::Owner;
use crate::command::Outcome;
use crate::history::Event;
use crate::ids::BookingId;
use crate::lifecycle::{Action, BookingStatus, FailureReason, TransitionRefused, transition};
use crate::refusal::Refusal;
use crate::request::Actor;
use crate::seat::{SeatKey, SeatState};

impl Ledger {
    pub(super) fn expire(&mut self, booking_id: BookingId) -> Result<Outcome, LedgerError> {
        let deadline = match self.booking_for(booking_id, Action::Expire) {
            Ok(booking) => booking.deadline,
            Err(refusal) => return Ok(Outcome::Refused(refusal)),
        };
        self.settle(booking_id, BookingState::EXPIRED, SeatState::Available, Actor::System)?;
        Ok(Outcome::Expired { booking_id, deadline })
    }

    pub(super) fn cancel(&mut self, booking_id: BookingId, by: &Actor) -> Result<Outcome, LedgerError> {
        let booking = self.bookings.get(&booking_id);
        let sale = match booking.map(|booking| (booking, booking.state)) {
            // What is cancelled stays so, however often that is asked.
            Some((_, BookingState::Failed { reason: FailureReason::Cancelled | FailureReason::ShowCancelled, refund_due })) => {
                return Ok(Outcome::Cancelled { booking_id, refund_due });
            }
            Some((booking, BookingState::Confirmed { .. })) => {
                by.is_house() || booking.blocked_for.is_none() && self.show_of(booking)?.terms.customers_may_cancel
            }
            Some((_, BookingState::Pending | BookingState::Failed { .. })) | None => false,
        };
        let refund_due = match self.booking_for(booking_id, Action::Cancel { sale }) {
            Ok(booking) => is_paid(booking),
            Err(refusal) => return Ok(Outcome::Refused(refusal)),
        };
        let cancelled = BookingState::Failed { reason: FailureReason::Cancelled, refund_due };
        self.settle(booking_id, cancelled, SeatState::Available, by.clone())?;
        Ok(Outcome::Cancelled { booking_id, refund_due })
    }

    /// A booking of a cancelled show fails, with the first that is asked of it, if it has not failed already.
    pub(super) fn fail_if_called_off(&mut self, booking_id: BookingId, by: &Actor) -> Result<(), LedgerError> {
        let Some(booking) = self.bookings.get(&booking_id) else { return Ok(()) };
        if !self.shows.get(&booking.show_id).is_some_and(|show| show.cancelled)
            || self.booking_for(booking_id, Action::CallOff).is_err()
        {
            return Ok(());
        }
        let called_off = BookingState::Failed { reason: FailureReason::ShowCancelled, refund_due: is_paid(booking) };
        let by = if by.is_house() { by.clone() } else { Actor::System };
        self.settle(booking_id, called_off, SeatState::Available, by)
    }

    /// The booking if this can be done to it now, or why it can't.
    pub(super) fn booking_for(&self, booking_id: BookingId, action: Action) -> Result<&Booking, Refusal> {
        let booking = self.bookings.get(&booking_id).ok_or(Refusal::NoSuchBooking { booking_id })?;
        let deadline = booking.deadline;
        match transition(booking.state.status(), action, deadline.life(self.now)) {
            Ok(_) => Ok(booking),
            Err(TransitionRefused::Final(status)) => Err(Refusal::NotPending { booking_id, status }),
            Err(TransitionRefused::HoldExpired) => Err(Refusal::HoldExpired { booking_id, deadline }),
            Err(TransitionRefused::HoldLive) => Err(Refusal::HoldLive { booking_id, deadline }),
            Err(TransitionRefused::SaleIsFinal) => Err(Refusal::SaleIsFinal { booking_id }),
        }
    }

    /// Brings a booking and all of its seats to their new state. After an error nothing has changed.
    pub(super) fn settle(
        &mut self,
        id: BookingId,
        state: BookingState,
        seat: SeatState<Owner>,
        by: Actor,
    ) -> Result<(), LedgerError> {
        let keys = self.own_seats(id)?;
        let booking = self.bookings.get_mut(&id).ok_or(LedgerError::RowsMissing)?;
        let from = booking.state.status();
        booking.state = state;
        for key in keys {
            self.set_seat(key, seat);
        }
        self.record(id, Event::of(&state), from, by)
    }

    /// The seats of a booking that is not FAILED, which all say that they are its.
    pub(super) fn own_seats(&self, id: BookingId) -> Result<Vec<SeatKey>, LedgerError> {
        let booking = self.bookings.get(&id).ok_or(LedgerError::RowsMissing)?;
        let (show_id, is_sale) = (booking.show_id, booking.state.status() == BookingStatus::Confirmed);
        let keys: Vec<SeatKey> = booking.seats.iter().map(|&number| SeatKey { show_id, number }).collect();
        for &key in &keys {
            match self.seats.get(&key).ok_or(LedgerError::RowsMissing)? {
                SeatState::Held { by: Owner::Stored(by), .. } if *by == id && !is_sale => {}
                SeatState::Sold { to: Owner::Stored(to) } if *to == id && is_sale => {}
                _ => return Err(LedgerError::Corrupt { key, booking_id: id }),
            }
        }
        Ok(keys)
    }
}

/// Whether somebody has paid for it: a confirm says so, but not the house's own.
fn is_paid(booking: &Booking) -> bool {
    booking.state.status() == BookingStatus::Confirmed && booking.blocked_for.is_none()
}
