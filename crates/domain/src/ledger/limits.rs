//! What a show allows: when its seats are sold, and how much one customer may have. The house itself is free of it.

use super::{Holding, Ledger};
use crate::booking::{Booking, BookingState};
use crate::command::Hold;
use crate::customer::CustomerId;
use crate::deadline::{Deadline, Life};
use crate::ids::ShowId;
use crate::refusal::{CustomerLimit, NotOnSale, Refusal};

impl Ledger {
    /// Why the show does not allow this hold of seats that can be had; `None` if it does.
    pub(super) fn not_allowed(&self, hold: &Hold) -> Option<Refusal> {
        let (show_id, seats) = (hold.show_id, hold.seats.numbers().len());
        let terms = self.shows.get(&show_id)?.terms;
        if let Some(refusal) = self.not_on_sale(show_id).or_else(|| self.too_many(show_id, seats)) {
            return Some(refusal);
        }
        if terms.limit_customers() && hold.customer.is_none() {
            return Some(Refusal::CustomerNeeded);
        }
        self.customer_limit(show_id, hold.customer.as_ref(), seats, 1)
    }

    /// Why no seat of this show is sold now; `None` if they are.
    pub(super) fn not_on_sale(&self, show_id: ShowId) -> Option<Refusal> {
        let terms = self.shows.get(&show_id)?.terms;
        let reason = match (terms.on_sale_at, terms.off_sale_at) {
            (Some(begin), _) if self.now < begin => NotOnSale::Before(begin),
            (_, Some(end)) if end <= self.now => NotOnSale::Since(end),
            _ => return None,
        };
        Some(Refusal::NotOnSale { show_id, reason })
    }

    /// Why a booking of this show can't have so many seats; `None` if it can.
    pub(super) fn too_many(&self, show_id: ShowId, seats: usize) -> Option<Refusal> {
        let max = count(self.shows.get(&show_id)?.terms.seats_per_booking?);
        (seats > max).then_some(Refusal::TooManySeats { max })
    }

    /// Why the customer can't have these seats and holds on top of what this batch and those before it have given; `None` if that is
    /// allowed, or nobody knows who it is.
    pub(super) fn customer_limit(
        &self,
        show_id: ShowId,
        customer: Option<&CustomerId>,
        more_seats: usize,
        more_holds: usize,
    ) -> Option<Refusal> {
        let (terms, customer) = (self.shows.get(&show_id)?.terms, customer?);
        if !terms.limit_customers() {
            return None;
        }
        // A booking whose row is here counts as it was decided, not as it was found.
        let found = self.holdings.get(&(show_id, customer.clone())).map_or(&[][..], Vec::as_slice).iter();
        let found = found.filter(|holding| !self.bookings.contains_key(&holding.booking_id));
        let found = found.map(|Holding { seats, held_until, .. }| (*seats, *held_until));
        let decided = self.bookings.values();
        let decided = decided.filter(|booking| booking.show_id == show_id && booking.customer.as_ref() == Some(customer));
        let new = self.new_bookings.iter().filter(|new| new.show_id == show_id && new.customer.as_ref() == Some(customer));
        let new = new.map(|new| (new.seats.len(), Some(new.deadline)));
        let is_live =
            |(_, held_until): &(usize, Option<Deadline>)| held_until.is_none_or(|until| until.life(self.now) == Life::Live);
        let all: Vec<_> = found.chain(decided.filter_map(holding)).chain(new).filter(is_live).collect();
        let has: usize = all.iter().map(|(seats, _)| seats).sum();
        let holds = all.iter().filter(|(_, held_until)| held_until.is_some()).count();
        if let Some(max) = terms.seats_per_customer
            && has + more_seats > count(max)
        {
            let has = u32::try_from(has).unwrap_or(u32::MAX);
            return Some(Refusal::CustomerLimit(CustomerLimit::Seats { max, has }));
        }
        let max = terms.holds_per_customer?;
        (holds + more_holds > count(max)).then_some(Refusal::CustomerLimit(CustomerLimit::Holds { max }))
    }
}

/// How many seats a booking has, and until when if it is a hold; `None` if it has none.
fn holding(booking: &Booking) -> Option<(usize, Option<Deadline>)> {
    match booking.state {
        BookingState::Pending => Some((booking.seats.len(), Some(booking.deadline))),
        BookingState::Confirmed { .. } => Some((booking.seats.len(), None)),
        BookingState::Failed { .. } => None,
    }
}

fn count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
