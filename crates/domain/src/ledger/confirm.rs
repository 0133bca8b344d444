//! Turning a hold into a sale, in time or too late, and what becomes of the money if it can't be had.

use super::{Ledger, LedgerError};
use crate::booking::{Booking, BookingState};
use crate::changes::Owner;
use crate::command::{Confirm, Outcome};
use crate::history::Event;
use crate::ids::BookingId;
use crate::lifecycle::{Action, BookingStatus, FailureReason};
use crate::payment::{Payment, PaymentReference};
use crate::refusal::{Refusal, SeatRefusal, SeatRefusalReason};
use crate::request::Actor;
use crate::seat::{SeatKey, SeatNumber, SeatState};

impl Ledger {
    pub(super) fn confirm(&mut self, confirm: &Confirm, by: &Actor) -> Result<Outcome, LedgerError> {
        let booking_id = confirm.booking_id;
        let Some(booking) = self.bookings.get(&booking_id) else {
            return Ok(Outcome::Refused(Refusal::NoSuchBooking { booking_id }));
        };
        if let Some(reference) = &confirm.payment
            && self.payments.get(reference).is_some_and(|paid_for| *paid_for != booking_id)
        {
            return Ok(Outcome::Refused(Refusal::PaymentUsed));
        }
        if let Some(outcome) = said_before(booking, confirm) {
            return Ok(outcome);
        }
        match why_not(booking, confirm) {
            Some(refusal) => Ok(Outcome::Refused(refusal)),
            None => match self.booking_for(booking_id, Action::Confirm) {
                Ok(_) => {
                    self.sell(confirm, false, by)?;
                    Ok(Outcome::Confirmed { booking_id })
                }
                Err(refusal) => self.confirm_late(confirm, refusal, by),
            },
        }
    }

    /// A confirm that came too late, or for what is no hold: the same seats again, or the money back.
    fn confirm_late(&mut self, confirm: &Confirm, refusal: Refusal, by: &Actor) -> Result<Outcome, LedgerError> {
        let booking_id = confirm.booking_id;
        let booking = self.bookings.get(&booking_id).ok_or(LedgerError::RowsMissing)?;
        let ran_out = match booking.state {
            BookingState::Pending => true,
            BookingState::Failed { reason, .. } => reason == FailureReason::Expired,
            BookingState::Confirmed { .. } => false,
        };
        // Whether somebody has swept up already makes no difference.
        let refusal = if ran_out { Refusal::HoldExpired { booking_id, deadline: booking.deadline } } else { refusal };
        let takes_late = ran_out && self.show_of(booking)?.terms.late_confirm;
        if takes_late && self.can_be_reclaimed(booking, confirm) {
            self.sell(confirm, true, by)?;
            return Ok(Outcome::Reclaimed { booking_id });
        }
        // Nobody pays for what the house keeps from sale.
        if booking.blocked_for.is_some() || confirm.payment.is_none() && !takes_late {
            return Ok(Outcome::Refused(refusal));
        }
        self.owe(booking_id, confirm.payment.as_ref(), by)?;
        Ok(Outcome::Refused(Refusal::RefundDue { because: Box::new(refusal) }))
    }

    /// Whether the seats can be had, again or still, by a booking whose money nobody owes yet, of a show that is played.
    fn can_be_reclaimed(&self, booking: &Booking, confirm: &Confirm) -> bool {
        let seats = wanted(booking, confirm);
        let can_be_had = |&number| {
            let key = SeatKey { show_id: booking.show_id, number };
            let own = SeatState::Held { by: Owner::Stored(booking.id), until: booking.deadline };
            self.seats.get(&key) == Some(&own) || self.seat_refusal(booking.show_id, number).is_none()
        };
        !booking.state.refund_due()
            && self.shows.get(&booking.show_id).is_some_and(|show| !show.cancelled)
            && self.booking_for(booking.id, Action::Reclaim).is_ok()
            && self.customer_limit(booking.show_id, booking.customer.as_ref(), seats.len(), 0).is_none()
            && seats.iter().all(can_be_had)
    }

    /// Sells the seats that are wanted, and frees the others that the booking still has.
    fn sell(&mut self, confirm: &Confirm, late: bool, by: &Actor) -> Result<(), LedgerError> {
        let id = confirm.booking_id;
        let booking = self.bookings.get(&id).ok_or(LedgerError::RowsMissing)?;
        let (show_id, from, seats) = (booking.show_id, booking.state.status(), wanted(booking, confirm).to_vec());
        if from == BookingStatus::Pending {
            for key in self.own_seats(id)? {
                self.set_seat(key, SeatState::Available);
            }
        }
        for &number in &seats {
            let key = SeatKey { show_id, number };
            self.fail_dead_hold_on(key)?;
            self.set_seat(key, SeatState::Sold { to: Owner::Stored(id) });
        }
        let state = BookingState::Confirmed { at: self.now, reclaimed: late };
        if let Some(reference) = &confirm.payment {
            self.take_payment(id, reference, false)?;
        }
        let booking = self.bookings.get_mut(&id).ok_or(LedgerError::RowsMissing)?;
        (booking.state, booking.seats) = (state, seats);
        self.record(id, Event::of(&state), from, by.clone())
    }

    /// Puts down that money has to be given back, if that has not been done. A hold that has run out ends with it.
    fn owe(&mut self, id: BookingId, payment: Option<&PaymentReference>, by: &Actor) -> Result<(), LedgerError> {
        if self.booking_for(id, Action::Expire).is_ok() {
            self.expire(id)?;
        }
        let is_new = match payment {
            Some(reference) => self.take_payment(id, reference, true)?,
            None => false,
        };
        let booking = self.bookings.get_mut(&id).ok_or(LedgerError::RowsMissing)?;
        let from = booking.state.status();
        let is_owed = match &mut booking.state {
            BookingState::Failed { refund_due, .. } => std::mem::replace(refund_due, true),
            // Money for something else than what it has bought: the payment says so itself.
            BookingState::Pending | BookingState::Confirmed { .. } => true,
        };
        if is_new || !is_owed {
            self.record(id, Event::RefundDue, from, by.clone())?;
        }
        Ok(())
    }

    /// Keeps a payment, if it is not known. Whether it was not.
    fn take_payment(&mut self, id: BookingId, reference: &PaymentReference, in_vain: bool) -> Result<bool, LedgerError> {
        if self.payments.insert(reference.clone(), id).is_some() {
            return Ok(false);
        }
        let booking = self.bookings.get_mut(&id).ok_or(LedgerError::RowsMissing)?;
        // A sale that was confirmed without a payment is not paid by one that has to be given back.
        if !in_vain || booking.state.status() != BookingStatus::Confirmed {
            booking.payment.get_or_insert_with(|| reference.clone());
        }
        self.new_payments.push(Payment { reference: reference.clone(), booking_id: id, show_id: booking.show_id, in_vain });
        Ok(true)
    }
}

/// The seats that a confirm is for.
fn wanted<'a>(booking: &'a Booking, confirm: &'a Confirm) -> &'a [SeatNumber] {
    confirm.seats.as_ref().map_or(&booking.seats, |seats| seats.numbers())
}

/// What this comes to if it has been done, for the same payment: what it came to then.
fn said_before(booking: &Booking, confirm: &Confirm) -> Option<Outcome> {
    let BookingState::Confirmed { reclaimed, .. } = booking.state else { return None };
    let same = confirm.payment.is_some() && confirm.payment == booking.payment && wanted(booking, confirm) == booking.seats;
    let booking_id = booking.id;
    same.then_some(if reclaimed { Outcome::Reclaimed { booking_id } } else { Outcome::Confirmed { booking_id } })
}

/// Why this can't be what anyone means: it is for seats that the booking does not have, or had when it ran out; or it names what has
/// paid for the seats for other seats.
fn why_not(booking: &Booking, confirm: &Confirm) -> Option<Refusal> {
    if booking.state.status() == BookingStatus::Confirmed {
        let paid_for_others = confirm.payment.is_some() && confirm.payment == booking.payment;
        return paid_for_others.then_some(Refusal::NotPending { booking_id: booking.id, status: BookingStatus::Confirmed });
    }
    let foreign = wanted(booking, confirm).iter().filter(|number| booking.seats.binary_search(number).is_err());
    let foreign = foreign.map(|&number| SeatRefusal { number, reason: SeatRefusalReason::NotHad });
    let seats: Vec<SeatRefusal> = foreign.collect();
    if seats.is_empty() { None } else { Some(Refusal::SeatsNotFree { seats }) }
}
