//! The rows that a batch names.

use crate::command::{Change, Command, Hold};
use crate::customer::CustomerId;
use crate::ids::{BookingId, ShowId};
use crate::payment::PaymentReference;
use crate::request::{IdempotencyKey, Request};
use crate::seat::{SeatKey, SeatNumber};

/// The rows that a batch names: what a store must lock and load before it decides. Sorted, each key once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Shows in which seats are wanted. Those of named bookings are needed too.
    pub shows: Vec<ShowId>,
    /// Seats that are wanted. Those of named bookings are needed too.
    pub seats: Vec<SeatKey>,
    /// Bookings that are named.
    pub bookings: Vec<BookingId>,
    /// Seats that are wanted in the show of a named booking.
    pub additions: Vec<(BookingId, SeatNumber)>,
    /// Customers who want seats in a show. Those of named bookings are needed too.
    pub customers: Vec<(ShowId, CustomerId)>,
    /// Payments that may have been named before.
    pub payments: Vec<PaymentReference>,
    /// Requests that may have been made before.
    pub requests: Vec<IdempotencyKey>,
}

impl Keys {
    /// The keys of these requests.
    pub fn of(requests: &[Request]) -> Self {
        let mut keys = Self::default();
        for Request { command, idempotency, .. } in requests {
            keys.bookings.extend(command.booking_id());
            match command {
                Command::Hold(hold) => keys.add(hold),
                Command::Change(Change { booking_id, seats, .. }) => {
                    keys.additions.extend(seats.add().iter().map(|&number| (*booking_id, number)));
                }
                Command::Block(block) => {
                    keys.shows.push(block.show_id);
                    keys.seats.extend(block.seats.keys(block.show_id));
                }
                Command::Confirm(confirm) => keys.payments.extend(confirm.payment.clone()),
                Command::Expire { .. } | Command::Cancel { .. } | Command::Extend(_) => {}
            }
            keys.requests.extend(idempotency.as_ref().map(|idempotency| idempotency.key.clone()));
        }
        keys.sorted()
    }

    /// The keys of these holds.
    pub fn of_holds<'a>(holds: impl Iterator<Item = &'a Hold>) -> Self {
        let mut keys = Self::default();
        holds.for_each(|hold| keys.add(hold));
        keys.sorted()
    }

    /// Whether both name a seat, a booking, a customer of a show, a payment or a request: what comes of one may depend on the other. A seat
    /// that is to be added to a booking is one of a show that is not named: it may be any of its number.
    pub fn meet(&self, other: &Self) -> bool {
        fn meet<T: Ord>(some: &[T], others: &[T]) -> bool {
            let mut others = others.iter().peekable();
            some.iter().any(|key| {
                while others.next_if(|other| *other < key).is_some() {}
                others.peek() == Some(&key)
            })
        }
        let wants = |keys: &Self, wanted: SeatNumber| {
            keys.seats
                .iter()
                .map(|key| key.number)
                .chain(keys.additions.iter().map(|(_, number)| *number))
                .any(|number| number == wanted)
        };
        let adds_of = |some: &Self, others: &Self| some.additions.iter().any(|(_, number)| wants(others, *number));
        meet(&self.seats, &other.seats)
            || adds_of(self, other)
            || adds_of(other, self)
            || meet(&self.bookings, &other.bookings)
            || meet(&self.customers, &other.customers)
            || meet(&self.payments, &other.payments)
            || meet(&self.requests, &other.requests)
    }

    fn add(&mut self, hold: &Hold) {
        self.shows.push(hold.show_id);
        self.seats.extend(hold.seat_keys());
        self.customers.extend(hold.customer.clone().map(|customer| (hold.show_id, customer)));
    }

    fn sorted(mut self) -> Self {
        fn sort<T: Ord>(keys: &mut Vec<T>) {
            keys.sort_unstable();
            keys.dedup();
        }
        sort(&mut self.shows);
        sort(&mut self.seats);
        sort(&mut self.bookings);
        sort(&mut self.additions);
        sort(&mut self.customers);
        sort(&mut self.payments);
        sort(&mut self.requests);
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;
    use crate::{Confirm, Fingerprint, Idempotency, SeatExchange, SeatSelection, UserName};

    /// A hold of a seat, or a confirm with a payment, under a key or not; all of them few.
    fn request() -> impl Strategy<Value = Request> {
        let few = || 1..4_i64;
        let hold = (few(), 1..9_i64, proptest::option::of(few())).prop_map(|(show, seat, customer)| {
            Command::Hold(Hold {
                show_id: ShowId::new(show).unwrap(),
                seats: SeatSelection::new(&[seat], 1).unwrap(),
                user_name: UserName::new("Ada").unwrap(),
                customer: customer.map(|customer| CustomerId::new(&customer.to_string()).unwrap()),
                hold_for: TimeDelta::seconds(1),
            })
        });
        let change = (1..9_i64, 1..9_i64).prop_map(|(booking, seat)| {
            let (booking_id, seats) = (BookingId::new(booking).unwrap(), SeatExchange::new(&[seat], &[], 1).unwrap());
            Command::Change(Change { booking_id, seats, seats_max: 1 })
        });
        let confirm = (1..9_i64, proptest::option::of(few())).prop_map(|(booking, payment)| {
            let payment = payment.map(|payment| PaymentReference::new(&payment.to_string()).unwrap());
            Command::Confirm(Confirm { payment, ..Confirm::of(BookingId::new(booking).unwrap()) })
        });
        (prop_oneof![hold, change, confirm], proptest::option::of(1..9_i64)).prop_map(|(command, key)| {
            let idempotency = key.map(|key| Idempotency {
                key: IdempotencyKey::new(&key.to_string()).unwrap(),
                fingerprint: Fingerprint([0; 32]),
                keep_for: TimeDelta::seconds(1),
            });
            Request { idempotency, ..command.into() }
        })
    }

    /// All that is named, in words.
    fn named(keys: &Keys) -> BTreeSet<String> {
        let words = |kind: &str, all: Vec<String>| all.into_iter().map(|one| format!("{kind} {one}")).collect::<Vec<_>>();
        let mut named = words("seat", keys.seats.iter().map(|key| format!("{key:?}")).collect());
        named.extend(words("booking", keys.bookings.iter().map(|id| format!("{id:?}")).collect()));
        named.extend(words("customer", keys.customers.iter().map(|customer| format!("{customer:?}")).collect()));
        named.extend(words("payment", keys.payments.iter().map(|payment| format!("{payment:?}")).collect()));
        named.extend(words("request", keys.requests.iter().map(|key| format!("{key:?}")).collect()));
        named.into_iter().collect()
    }

    proptest! {
        #[test]
        fn batches_meet_in_what_both_name(
            some in proptest::collection::vec(request(), 0..5),
            others in proptest::collection::vec(request(), 0..5),
        ) {
            let (some, others) = (Keys::of(&some), Keys::of(&others));
            let added = |keys: &Keys| keys.additions.iter().map(|(_, number)| *number).collect::<Vec<_>>();
            let wanted = |keys: &Keys| keys.seats.iter().map(|key| key.number).chain(added(keys)).collect::<Vec<_>>();
            let both_want = |number: &SeatNumber| wanted(&some).contains(number) && wanted(&others).contains(number);
            let meet = !named(&some).is_disjoint(&named(&others))
                || added(&some).into_iter().chain(added(&others)).any(|number| both_want(&number));
            prop_assert_eq!((some.meet(&others), others.meet(&some)), (meet, meet));
        }
    }
}
