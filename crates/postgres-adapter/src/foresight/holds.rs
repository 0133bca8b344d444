//! What is remembered of holds: what to expect of their bookings, in as little memory as it takes, for it is written at every hold.

use std::collections::BTreeMap;

use domain::{Booking, BookingId, BookingState, CustomerId, Deadline, Hold, SeatNumber, ShowId, Timestamp, UserName};

use crate::numbering::Step;

/// So many holds are remembered, the newest: some 200 bytes each.
const HOLDS_REMEMBERED: usize = 65_536;

/// Holds as they were last heard of.
#[derive(Default)]
pub(super) struct Holds(BTreeMap<BookingId, Box<Known>>);

/// A booking that was PENDING, after its last step.
struct Known {
    show_id: ShowId,
    user_name: UserName,
    customer: Option<CustomerId>,
    seats: Box<[SeatNumber]>,
    deadline: Deadline,
    created_at: Timestamp,
    /// The number of that step, by which the booking is known to be as it was.
    last_change: i64,
}

impl Holds {
    /// The booking, as it is expected; its last change is not told.
    pub(super) fn get(&self, id: BookingId) -> Option<Booking> {
        let known = self.0.get(&id)?;
        Some(Booking {
            id,
            show_id: known.show_id,
            user_name: known.user_name.clone(),
            customer: known.customer.clone(),
            blocked_for: None,
            payment: None,
            seats: known.seats.to_vec(),
            deadline: known.deadline,
            state: BookingState::Pending,
            created_at: known.created_at,
            updated_at: known.created_at,
        })
    }

    /// The number of its last step.
    pub(super) fn last_change(&self, id: BookingId) -> Option<i64> {
        self.0.get(&id).map(|known| known.last_change)
    }

    /// A hold was made, by a step of this number.
    pub(super) fn made(&mut self, id: BookingId, hold: &Hold, deadline: Deadline, created_at: Timestamp, last_change: i64) {
        self.insert(
            id,
            Known {
                show_id: hold.show_id,
                user_name: hold.user_name.clone(),
                customer: hold.customer.clone(),
                seats: hold.seats.numbers().into(),
                deadline,
                created_at,
                last_change,
            },
        );
    }

    /// A booking was read after a step of this number. One that is no customer's hold is forgotten.
    pub(super) fn saw(&mut self, booking: &Booking, last_change: i64) {
        if booking.state != BookingState::Pending || booking.payment.is_some() || booking.blocked_for.is_some() {
            return self.forget(booking.id);
        }
        self.insert(
            booking.id,
            Known {
                show_id: booking.show_id,
                user_name: booking.user_name.clone(),
                customer: booking.customer.clone(),
                seats: booking.seats.as_slice().into(),
                deadline: booking.deadline,
                created_at: booking.created_at,
                last_change,
            },
        );
    }

    /// The hold lives until then, after such a step, if it took one.
    pub(super) fn extended(&mut self, id: BookingId, step: Option<Step>, deadline: Deadline) {
        self.went_on(id, step, |known| known.deadline = deadline);
    }

    /// The hold has these seats, after such a step, if it took one.
    pub(super) fn changed(&mut self, id: BookingId, step: Option<Step>, seats: &[SeatNumber]) {
        self.went_on(id, step, |known| known.seats = seats.into());
    }

    /// A step is added only to what is known from right before it: with another number it was something else, and then nothing is known.
    fn went_on(&mut self, id: BookingId, step: Option<Step>, change: impl FnOnce(&mut Known)) {
        let Some(known) = self.0.get_mut(&id) else { return };
        let Some(Step { before, last }) = step else { return };
        if Some(known.last_change) == before || known.last_change == last {
            change(known);
            known.last_change = last;
        } else {
            self.forget(id);
        }
    }

    /// Nothing is known of it any more.
    pub(super) fn forget(&mut self, id: BookingId) {
        self.0.remove(&id);
    }

    fn insert(&mut self, id: BookingId, known: Known) {
        self.0.insert(id, Box::new(known));
        if self.0.len() > HOLDS_REMEMBERED {
            self.0.pop_first();
        }
    }
}
