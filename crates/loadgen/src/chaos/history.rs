//! What was asked and what was answered, each with its time.

mod answer;

use std::collections::BTreeMap;

use serde::Serialize;

pub use answer::*;

/// Microseconds since the Unix epoch, on the clock of this machine, which is also the database's.
pub type Micros = i64;

/// As many customers are known by name.
const CUSTOMERS: u32 = 8;

/// A run's calls, and what they were about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct History {
    /// Every call, in the order of its identity, which is the order in which they began, or nearly.
    pub operations: Vec<Operation>,
    /// The shows that were sold.
    pub shows: Vec<Show>,
    /// How long the servers hold a seat.
    pub hold_for: Micros,
    /// How long a hold can live that is extended, from when it was made.
    pub hold_limit: Micros,
}

/// A show that was sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Show {
    /// Its identity.
    pub id: i64,
    /// Its seats are numbered from 1 to this.
    pub seats: u32,
    /// Whether a confirm that comes too late gets the same seats again, if nobody has them.
    pub late_confirm: bool,
    /// What one customer may have, if that is limited.
    pub limits: Option<Limits>,
}

/// What one customer may have of a show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Seats, held and sold.
    pub seats: u32,
    /// Holds that have not run out.
    pub holds: u32,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// Its identity, unique in its history. A hold is made for the user [`Operation::user_name`], and a block for that reason.
    pub id: u64,
    /// Who called.
    pub customer: u32,
    /// Which of the servers was called.
    pub server: u32,
    /// The idempotency key that it was made under: the identity of the call that used it first.
    pub key: Option<u64>,
    /// Just before the first byte of it could have been sent.
    pub began: Micros,
    /// Just after the last byte of its answer was read, or the wait for it was given up.
    pub ended: Micros,
    /// What was asked.
    pub call: Call,
    /// What was answered.
    pub answer: Answer,
    /// Whether the answer says that it is the one which the first request under the key got.
    pub replayed: bool,
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// `POST /book`
    Hold {
        /// The show.
        show_id: i64,
        /// The seats, ascending.
        seats: Vec<u32>,
    },
    /// `POST /book/confirm`
    Confirm {
        /// The booking.
        booking_id: i64,
        /// Whether it names a payment: [`Operation::payment`], for this request alone.
        pays: bool,
        /// Which of its seats, ascending; none for all of them.
        seats: Option<Vec<u32>>,
    },
    /// `POST /admin/shows/:id/blocks`
    Block {
        /// The show.
        show_id: i64,
        /// The seats, ascending.
        seats: Vec<u32>,
    },
    /// `POST /admin/shows/:id/edit`
    EditShow {
        /// The show, which is to have the name [`Operation::show_name`].
        show_id: i64,
    },
    /// `POST /admin/shows/:id/cancel`
    CancelShow {
        /// The show.
        show_id: i64,
    },
    /// `POST /book/cancel`, or `POST /admin/bookings/:id/cancel`
    Cancel {
        /// The booking.
        booking_id: i64,
        /// Whether it is the house that cancels, which may cancel sales too.
        by_house: bool,
    },
    /// `POST /book/extend`
    Extend {
        /// The booking.
        booking_id: i64,
    },
    /// `POST /book/change`
    Change {
        /// The booking.
        booking_id: i64,
        /// Seats to add, ascending.
        add: Vec<u32>,
        /// Seats to remove, ascending.
        remove: Vec<u32>,
    },
    /// `GET /book/:id`
    Find {
        /// The booking.
        booking_id: i64,
    },
    /// `GET /shows/:id/seats`
    SeatMap {
        /// The show.
        show_id: i64,
    },
    /// `GET /admin/bookings`
    List {
        /// Only bookings that stand so.
        status: Option<BookingStatus>,
        /// At most this many.
        limit: u32,
    },
}

/// Calls under keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Repeats {
    /// All of them.
    pub keyed: u64,
    /// Those that had been made before.
    pub repeats: u64,
    /// Those that were answered as repeats.
    pub replayed: u64,
}

impl Operation {
    /// For whom the hold with this identity is made, or why the block, so that its booking can be recognised.
    pub fn user_name(id: u64) -> String {
        format!("op-{id}")
    }

    /// What a show is called after the edit with this identity.
    pub fn show_name(id: u64) -> String {
        format!("Chaos {id}")
    }

    /// By which name seats are limited: several who call are one customer, so that they are in each other's way.
    pub fn customer_id(customer: u32) -> String {
        format!("customer-{}", customer % CUSTOMERS)
    }

    /// What the confirm with this identity names as its payment.
    pub fn payment(id: u64) -> String {
        format!("pay-{id}")
    }

    /// The identity of the hold that was made for this user, or of the block that was made for this reason.
    pub fn of_user(user_name: &str) -> Option<u64> {
        let id = user_name.strip_prefix("op-")?.parse().ok()?;
        (Self::user_name(id) == user_name).then_some(id)
    }
}

impl History {
    /// The show with this identity.
    pub fn show(&self, id: i64) -> Option<&Show> {
        self.shows.iter().find(|show| show.id == id)
    }

    /// The call with this identity.
    pub fn operation(&self, id: u64) -> Option<&Operation> {
        let index = self.operations.binary_search_by_key(&id, |operation| operation.id).ok()?;
        self.operations.get(index)
    }

    /// The identity of the request that this call makes: its own, or that of an earlier one which it repeats under the same key.
    pub fn request_of(&self, operation: &Operation) -> u64 {
        let first = operation.key.and_then(|key| self.operation(key));
        first.filter(|first| first.call == operation.call).map_or(operation.id, |first| first.id)
    }

    /// How many calls were made under keys, and how often they were repeated.
    pub fn repeats(&self) -> Repeats {
        let keyed = || self.operations.iter().filter(|operation| operation.key.is_some());
        let count = |is_one: &dyn Fn(&&Operation) -> bool| keyed().filter(is_one).count() as u64;
        Repeats {
            keyed: count(&|_| true),
            repeats: count(&|operation| self.request_of(operation) != operation.id),
            replayed: count(&|operation| operation.replayed),
        }
    }

    /// How many calls of each kind had each kind of answer.
    pub fn counts(&self) -> BTreeMap<(&'static str, &'static str), u64> {
        let mut counts = BTreeMap::new();
        for operation in &self.operations {
            *counts.entry((operation.call.word(), operation.answer.word())).or_default() += 1;
        }
        counts
    }
}

impl Call {
    /// The booking that it wants to be something else.
    pub const fn booking_id(&self) -> Option<i64> {
        match self {
            Self::Confirm { booking_id, .. }
            | Self::Cancel { booking_id, .. }
            | Self::Extend { booking_id }
            | Self::Change { booking_id, .. } => Some(*booking_id),
            Self::Hold { .. }
            | Self::Block { .. }
            | Self::EditShow { .. }
            | Self::CancelShow { .. }
            | Self::Find { .. }
            | Self::SeatMap { .. }
            | Self::List { .. } => None,
        }
    }

    /// The show and the seats of which it wants to make a booking.
    pub fn takes(&self) -> Option<(i64, &[u32])> {
        match self {
            Self::Hold { show_id, seats } | Self::Block { show_id, seats } => Some((*show_id, seats)),
            _ => None,
        }
    }

    /// Its kind in a word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Hold { .. } => "hold",
            Self::Confirm { seats: None, .. } => "confirm",
            Self::Confirm { seats: Some(_), .. } => "confirm of some seats",
            Self::Block { .. } => "block",
            Self::EditShow { .. } => "edit a show",
            Self::CancelShow { .. } => "cancel a show",
            Self::Cancel { by_house: false, .. } => "cancel",
            Self::Cancel { by_house: true, .. } => "cancel by the house",
            Self::Extend { .. } => "extend",
            Self::Change { .. } => "change",
            Self::Find { .. } => "find",
            Self::SeatMap { .. } => "seat map",
            Self::List { .. } => "list",
        }
    }
}
