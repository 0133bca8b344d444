//! Amending a hold: more time, other seats.

use chrono::TimeDelta;

use super::{Ledger, LedgerError};
use crate::booking::Booking;
use crate::changes::Owner;
use crate::command::{Change, Extend, Outcome};
use crate::deadline::{Deadline, Timestamp};
use crate::history::Event;
use crate::lifecycle::{Action, BookingStatus};
use crate::refusal::{Refusal, SeatRefusal, SeatRefusalReason};
use crate::request::Actor;
use crate::seat::{SeatKey, SeatNumber, SeatState};
use crate::show::Terms;

impl Extend {
    /// For how long the hold lives if it is extended at an instant of its own.
    pub(crate) fn length(&self, terms: &Terms) -> TimeDelta {
        terms.hold_for.unwrap_or(self.hold_for)
    }

    /// The latest deadline that a hold made at this instant can have.
    pub(crate) fn latest(&self, terms: &Terms, made_at: Timestamp) -> Deadline {
        Deadline::after(made_at, terms.hold_limit.unwrap_or(self.hold_limit).max(self.length(terms)))
    }
}

impl Ledger {
    pub(super) fn extend(&mut self, extend: &Extend, by: &Actor) -> Result<Outcome, LedgerError> {
        let id = extend.booking_id;
        let booking = match self.booking_for(id, Action::Amend) {
            Ok(booking) => booking,
            Err(refusal) => return Ok(Outcome::Refused(refusal)),
        };
        let terms = &self.show_of(booking)?.terms;
        let (deadline, latest) = (booking.deadline, extend.latest(terms, booking.created_at));
        let longer = Deadline::after(self.now, extend.length(terms)).min(latest);
        if deadline >= latest {
            return Ok(Outcome::Refused(Refusal::HoldLimit { booking_id: id, deadline }));
        }
        if longer <= deadline {
            // It lives as long as a new one would.
            return Ok(Outcome::Extended { booking_id: id, deadline });
        }
        for key in self.own_seats(id)? {
            self.set_seat(key, SeatState::Held { by: Owner::Stored(id), until: longer });
        }
        self.amend(id, Event::Extended, by, |booking| booking.deadline = longer)?;
        Ok(Outcome::Extended { booking_id: id, deadline: longer })
    }

    pub(super) fn change(&mut self, change: &Change, by: &Actor) -> Result<Outcome, LedgerError> {
        let id = change.booking_id;
        let booking = match self.booking_for(id, Action::Amend) {
            Ok(booking) => booking,
            Err(refusal) => return Ok(Outcome::Refused(refusal)),
        };
        let (show_id, deadline) = (booking.show_id, booking.deadline);
        let (add, remove) = (change.seats.add(), change.seats.remove());
        let seats = match self.seats_after(booking, change, by) {
            Ok(seats) => seats,
            Err(refusal) => return Ok(Outcome::Refused(refusal)),
        };
        self.own_seats(id)?;
        self.take(show_id, add, SeatState::Held { by: Owner::Stored(id), until: deadline })?;
        for &number in remove {
            self.set_seat(SeatKey { show_id, number }, SeatState::Available);
        }
        self.amend(id, Event::Changed, by, |booking| booking.seats.clone_from(&seats))?;
        Ok(Outcome::Changed { booking_id: id, seats, deadline })
    }

    /// The seats that the booking lists after the change, or why it can't be had.
    fn seats_after(&self, booking: &Booking, change: &Change, by: &Actor) -> Result<Vec<SeatNumber>, Refusal> {
        let (add, remove, booking_id) = (change.seats.add(), change.seats.remove(), booking.id);
        let had = |number: &SeatNumber| booking.seats.binary_search(number).is_ok();
        let refused = |&number, reason| SeatRefusal { number, reason };
        let mut refusals: Vec<SeatRefusal> = add
            .iter()
            .filter_map(|number| {
                if had(number) {
                    return Some(refused(number, SeatRefusalReason::HadAlready));
                }
                self.seat_refusal(booking.show_id, *number)
            })
            .chain(remove.iter().filter(|number| !had(number)).map(|number| refused(number, SeatRefusalReason::NotHad)))
            .collect();
        if !refusals.is_empty() {
            refusals.sort_unstable_by_key(|refusal| refusal.number);
            return Err(Refusal::SeatsNotFree { seats: refusals });
        }
        let kept = booking.seats.iter().filter(|number| !remove.contains(number));
        let mut seats: Vec<SeatNumber> = kept.chain(add).copied().collect();
        seats.sort_unstable();
        if seats.is_empty() {
            return Err(Refusal::NoSeatLeft { booking_id });
        }
        // Whoever has too many already, for reasons of the past, may give some back.
        if !add.is_empty() {
            self.may_grow(booking, seats.len(), change.seats_max, by)?;
        }
        Ok(seats)
    }

    /// Whether the booking may have so many seats, some of them new, or why not.
    fn may_grow(&self, booking: &Booking, seats: usize, seats_max: usize, by: &Actor) -> Result<(), Refusal> {
        if seats > seats_max {
            return Err(Refusal::TooManySeats { max: seats_max });
        }
        if by.is_house() {
            return Ok(());
        }
        let (show_id, more) = (booking.show_id, seats.saturating_sub(booking.seats.len()));
        let refusal = self.not_on_sale(show_id).or_else(|| self.too_many(show_id, seats));
        refusal.or_else(|| self.customer_limit(show_id, booking.customer.as_ref(), more, 0)).map_or(Ok(()), Err)
    }

    fn amend(
        &mut self,
        id: crate::ids::BookingId,
        event: Event,
        by: &Actor,
        edit: impl FnOnce(&mut Booking),
    ) -> Result<(), LedgerError> {
        edit(self.bookings.get_mut(&id).ok_or(LedgerError::RowsMissing)?);
        self.record(id, event, BookingStatus::Pending, by.clone())
    }
}
