//! What can be asked of the store's bookings, and what comes of it.

use chrono::TimeDelta;

use crate::booking::UserName;
use crate::deadline::Deadline;
use crate::ids::{BookingId, ShowId};
use crate::lifecycle::BookingStatus;
use crate::seat::{SeatKey, SeatNumber, SeatSelection};

/// One wish. It is decided alone, wholly or not at all, whatever batch it travels in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Hold seats.
    Hold(Hold),
    /// Turn a hold into a sale.
    Confirm {
        /// Whose.
        booking_id: BookingId,
    },
    /// Give up a hold that has run out.
    Expire {
        /// Whose.
        booking_id: BookingId,
    },
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
    /// For how long, from the instant of the decision.
    pub hold_for: TimeDelta,
}

impl Hold {
    /// The seats that it wants.
    pub fn seat_keys(&self) -> impl Iterator<Item = SeatKey> {
        let show_id = self.show_id;
        self.seats.numbers().iter().map(move |&number| SeatKey { show_id, number })
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
    /// The booking is FAILED and its seats are free.
    Expired {
        /// The booking.
        booking_id: BookingId,
        /// The deadline that has passed.
        deadline: Deadline,
    },
    /// Nothing has changed.
    Refused(Refusal),
}

/// Why nothing has changed: all that the caller needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such show.
    NoSuchShow {
        /// The one asked for.
        show_id: ShowId,
    },
    /// Some seats can't be had: every one of them, ascending.
    SeatsNotFree {
        /// The seats that stand in the way.
        seats: Vec<SeatRefusal>,
    },
    /// There is no such booking.
    NoSuchBooking {
        /// The one asked for.
        booking_id: BookingId,
    },
    /// The booking has come to its end already.
    NotPending {
        /// The booking.
        booking_id: BookingId,
        /// Where it stands.
        status: BookingStatus,
    },
    /// The hold ran out before it was confirmed.
    HoldExpired {
        /// The booking.
        booking_id: BookingId,
        /// When it ran out.
        deadline: Deadline,
    },
    /// The hold has not run out yet.
    HoldLive {
        /// The booking.
        booking_id: BookingId,
        /// When it will.
        deadline: Deadline,
    },
}

/// A seat that can't be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeatRefusal {
    /// The seat.
    pub number: SeatNumber,
    /// Why.
    pub reason: SeatRefusalReason,
}

/// Why a seat can't be had. (A seat named twice never gets here: [`crate::SelectionError::Duplicate`].)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeatRefusalReason {
    /// Someone holds it.
    Held {
        /// When it comes free unless it is confirmed.
        free_at: Deadline,
    },
    /// Someone bought it.
    Sold,
    /// The show has no such seat.
    Unknown,
}

/// The rows that a batch names: what a store must lock and load before it decides. Sorted, each key once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Shows in which seats are wanted.
    pub shows: Vec<ShowId>,
    /// Seats that are wanted.
    pub seats: Vec<SeatKey>,
    /// Bookings that are named.
    pub bookings: Vec<BookingId>,
}

impl Keys {
    /// The keys of these commands.
    pub fn of(commands: &[Command]) -> Self {
        let mut keys = Self::default();
        for command in commands {
            match command {
                Command::Hold(hold) => keys.add(hold),
                Command::Confirm { booking_id } | Command::Expire { booking_id } => keys.bookings.push(*booking_id),
            }
        }
        keys.sorted()
    }

    /// The keys of these holds.
    pub fn of_holds<'a>(holds: impl Iterator<Item = &'a Hold>) -> Self {
        let mut keys = Self::default();
        holds.for_each(|hold| keys.add(hold));
        keys.sorted()
    }

    fn add(&mut self, hold: &Hold) {
        self.shows.push(hold.show_id);
        self.seats.extend(hold.seat_keys());
    }

    fn sorted(mut self) -> Self {
        self.shows.sort_unstable();
        self.shows.dedup();
        self.seats.sort_unstable();
        self.seats.dedup();
        self.bookings.sort_unstable();
        self.bookings.dedup();
        self
    }
}
