//! What can be asked of the store's bookings, and what comes of it.

use chrono::TimeDelta;

use crate::booking::{BlockReason, UserName};
use crate::customer::CustomerId;
use crate::deadline::Deadline;
use crate::ids::{BookingId, ShowId};
use crate::payment::PaymentReference;
use crate::refusal::Refusal;
use crate::request::{IdempotencyKey, Request};
use crate::seat::{SeatKey, SeatNumber, SeatSelection, SelectionError};

/// One wish. It is decided alone, wholly or not at all, whatever batch it travels in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Hold seats.
    Hold(Hold),
    /// Turn a hold into a sale.
    Confirm(Confirm),
    /// Give up a hold that has run out.
    Expire {
        /// Whose.
        booking_id: BookingId,
    },
    /// Give up a hold; or a sale, if the caller may.
    Cancel {
        /// Whose.
        booking_id: BookingId,
    },
    /// Let a hold live as long as a new one would.
    Extend(Extend),
    /// Exchange seats of a hold.
    Change(Change),
    /// Keep seats from sale.
    Block(Block),
}

impl Command {
    /// The booking that it names; a hold names none.
    pub const fn booking_id(&self) -> Option<BookingId> {
        match self {
            Self::Hold(_) | Self::Block(_) => None,
            Self::Confirm(Confirm { booking_id, .. })
            | Self::Expire { booking_id }
            | Self::Cancel { booking_id }
            | Self::Extend(Extend { booking_id, .. })
            | Self::Change(Change { booking_id, .. }) => Some(*booking_id),
        }
    }
}

/// Turn a hold into a sale: of all its seats, or of some, the others then being free again.
///
/// It means that the customer has paid. If it comes too late, and the show says that late confirms are taken, the same seats are
/// sold all the same if all of them can be had still. Else the money has to be given back: that is put down if a payment is named, or if
/// the show takes late confirms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirm {
    /// Whose.
    pub booking_id: BookingId,
    /// Of which seats; `None` for all of them.
    pub seats: Option<SeatSelection>,
    /// What paid for them. The same one again for what it has paid is not refused.
    pub payment: Option<PaymentReference>,
}

impl Confirm {
    /// Of all seats, with no payment named.
    pub const fn of(booking_id: BookingId) -> Self {
        Self { booking_id, seats: None, payment: None }
    }
}

/// Keep seats from sale, all of them or none. They are the house's booking, which it can cancel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The show.
    pub show_id: ShowId,
    /// The seats.
    pub seats: SeatSelection,
    /// Why.
    pub reason: BlockReason,
}

/// Let a hold live `hold_for` from the instant of the decision, but not longer than `hold_limit` from when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extend {
    /// Whose.
    pub booking_id: BookingId,
    /// For how long, unless the show says otherwise.
    pub hold_for: TimeDelta,
    /// The limit, unless the show says otherwise. One that is shorter than a hold's life is as long as that.
    pub hold_limit: TimeDelta,
}

/// Exchange seats of a hold, all or none. Its deadline stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whose.
    pub booking_id: BookingId,
    /// Which.
    pub seats: SeatExchange,
    /// How many seats the booking may have after it.
    pub seats_max: usize,
}

/// Seats to add and seats to remove: at least one in all, none twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatExchange {
    add: Vec<SeatNumber>,
    remove: Vec<SeatNumber>,
}

impl SeatExchange {
    /// An exchange of these seats. Of each kind there may be at most `max`.
    ///
    /// # Errors
    /// [`SelectionError`], with every offending number. A seat that is to be added and removed is named twice.
    pub fn new(add: &[i64], remove: &[i64], max: usize) -> Result<Self, SelectionError> {
        if add.is_empty() && remove.is_empty() {
            return Err(SelectionError::Empty);
        }
        let numbers = |numbers: &[i64]| match SeatSelection::new(numbers, max) {
            Err(SelectionError::Empty) => Ok(Vec::new()),
            selected => selected.map(|seats| seats.numbers().to_vec()),
        };
        let exchange = Self { add: numbers(add)?, remove: numbers(remove)? };
        let twice = exchange.add.iter().filter(|number| exchange.remove.contains(number));
        let twice: Vec<SeatNumber> = twice.copied().collect();
        if twice.is_empty() { Ok(exchange) } else { Err(SelectionError::Duplicate(twice)) }
    }

    /// The seats to add, ascending.
    pub fn add(&self) -> &[SeatNumber] {
        &self.add
    }

    /// The seats to remove, ascending.
    pub fn remove(&self) -> &[SeatNumber] {
        &self.remove
    }
}

/// Hold all of these seats for a while, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The show.
    pub show_id: ShowId,
    /// The seats.
    pub seats: SeatSelection,
    /// For whom.
    pub user_name: UserName,
    /// To whom it counts where seats are limited; `None` if nobody knows.
    pub customer: Option<CustomerId>,
    /// For how long, from the instant of the decision, unless the show says otherwise.
    pub hold_for: TimeDelta,
}

impl Hold {
    /// The seats that it wants.
    pub fn seat_keys(&self) -> impl Iterator<Item = SeatKey> {
        self.seats.keys(self.show_id)
    }
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A PENDING booking has the seats.
    Held {
        /// The new booking.
        booking_id: BookingId,
        /// When the hold ends.
        deadline: Deadline,
    },
    /// The booking is CONFIRMED and its seats are sold.
    Confirmed {
        /// The booking.
        booking_id: BookingId,
    },
    /// As [`Self::Confirmed`], but after the deadline: its seats could be had still.
    Reclaimed {
        /// The booking.
        booking_id: BookingId,
    },
    /// The seats are kept from sale.
    Blocked {
        /// The house's booking, which has them.
        booking_id: BookingId,
    },
    /// The booking is FAILED and its seats are free.
    Expired {
        /// The booking.
        booking_id: BookingId,
        /// The deadline that has passed.
        deadline: Deadline,
    },
    /// The booking is FAILED and its seats are free, now or since an earlier time that this was asked.
    Cancelled {
        /// The booking.
        booking_id: BookingId,
        /// Whether it was a sale, whose money has to be given back.
        refund_due: bool,
    },
    /// The hold lives longer.
    Extended {
        /// The booking.
        booking_id: BookingId,
        /// When it ends now.
        deadline: Deadline,
    },
    /// The hold has other seats.
    Changed {
        /// The booking.
        booking_id: BookingId,
        /// The seats that it has now, ascending.
        seats: Vec<SeatNumber>,
        /// When it ends, as before.
        deadline: Deadline,
    },
    /// The show exists, with its seats. No batch has this outcome.
    ShowCreated {
        /// The show.
        show_id: ShowId,
    },
    /// The show is as it was wished. No batch has this outcome.
    ShowEdited {
        /// The show.
        show_id: ShowId,
    },
    /// The show is cancelled. No batch has this outcome.
    ShowCancelled {
        /// The show.
        show_id: ShowId,
    },
    /// Nothing has changed.
    Refused(Refusal),
    /// Nothing has changed, as this was asked before under the same key: what came of it then.
    Replayed(Box<Outcome>),
}

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
