//! What can be asked of the store's bookings, and what comes of it.

use chrono::TimeDelta;

use crate::booking::{BlockReason, UserName};
use crate::customer::CustomerId;
use crate::deadline::Deadline;
use crate::ids::{BookingId, ShowId};
use crate::payment::PaymentReference;
use crate::refusal::Refusal;
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
