//! Why nothing has changed.

use crate::deadline::{Deadline, Timestamp};
use crate::ids::{BookingId, ShowId};
use crate::lifecycle::BookingStatus;
use crate::seat::SeatNumber;

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
    /// The booking is a sale, and the caller may not cancel sales.
    SaleIsFinal {
        /// The booking.
        booking_id: BookingId,
    },
    /// The hold can't live longer than it does.
    HoldLimit {
        /// The booking.
        booking_id: BookingId,
        /// When it ends.
        deadline: Deadline,
    },
    /// The booking would have too many seats.
    TooManySeats {
        /// How many it may have.
        max: usize,
    },
    /// The show's seats are not on sale.
    NotOnSale {
        /// The show.
        show_id: ShowId,
        /// Why.
        reason: NotOnSale,
    },
    /// The show limits what a customer may have, and nobody said who this is.
    CustomerNeeded,
    /// The customer would have more than the show allows.
    CustomerLimit(CustomerLimit),
    /// The payment was for another booking.
    PaymentUsed,
    /// The booking is not confirmed, for this reason, and what was paid has to be given back: that has been put down, now or before.
    RefundDue {
        /// What stood in the way.
        because: Box<Refusal>,
    },
    /// The booking would have no seat left.
    NoSeatLeft {
        /// The booking.
        booking_id: BookingId,
    },
    /// Another request was made under this key before.
    KeyReused,
}

/// Why a show's seats are not on sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOnSale {
    /// The sale has not begun.
    Before(Timestamp),
    /// The sale is over.
    Since(Timestamp),
    /// The show is cancelled.
    Cancelled,
}

/// What a customer would have too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustomerLimit {
    /// Seats that are held or sold.
    Seats {
        /// How many a customer may have.
        max: u32,
        /// How many this one has.
        has: u32,
    },
    /// Live holds.
    Holds {
        /// How many a customer may have.
        max: u32,
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
    /// It is to be added to a booking that has it already.
    HadAlready,
    /// It is to be removed from a booking that does not have it.
    NotHad,
}
