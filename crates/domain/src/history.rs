//! What happened to a booking, step by step.

use crate::booking::BookingState;
use crate::deadline::Timestamp;
use crate::ids::{BookingId, ShowId};
use crate::lifecycle::{BookingStatus, FailureReason};
use crate::request::Actor;
use crate::seat::SeatNumber;

/// What a step was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// It was made: PENDING.
    Held,
    /// It got more time: PENDING as before.
    Extended,
    /// It has other seats: PENDING as before.
    Changed,
    /// Its seats were sold: CONFIRMED.
    Confirmed,
    /// Its seats were sold after its deadline, as they were free still: CONFIRMED.
    Reclaimed,
    /// The house has kept these seats from sale: CONFIRMED.
    Blocked,
    /// A payment has to be given back: it stands where it stood.
    RefundDue,
    /// It ended without a sale: FAILED.
    Failed(FailureReason),
}

impl Event {
    /// Where it brings the booking; `None` if it stays where it stands.
    pub const fn to(self) -> Option<BookingStatus> {
        match self {
            Self::Held | Self::Extended | Self::Changed => Some(BookingStatus::Pending),
            Self::Confirmed | Self::Reclaimed | Self::Blocked => Some(BookingStatus::Confirmed),
            Self::Failed(_) => Some(BookingStatus::Failed),
            Self::RefundDue => None,
        }
    }

    /// The event that brings a booking to this state; a PENDING one got there by being held.
    pub const fn of(state: &BookingState) -> Self {
        match state {
            BookingState::Pending => Self::Held,
            BookingState::Confirmed { reclaimed: false, .. } => Self::Confirmed,
            BookingState::Confirmed { reclaimed: true, .. } => Self::Reclaimed,
            BookingState::Failed { reason, .. } => Self::Failed(*reason),
        }
    }
}

/// A step in a booking's life, as the store keeps it for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The show.
    pub show_id: ShowId,
    /// Counts the changes of the show from 1, without gaps.
    pub number: i64,
    /// The booking.
    pub booking_id: BookingId,
    /// What it was.
    pub event: Event,
    /// Where the booking stood before; `None` for the first.
    pub from: Option<BookingStatus>,
    /// The seats that the booking lists after it, ascending.
    pub seats: Vec<SeatNumber>,
    /// Who did it.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

impl Transition {
    /// Where the booking stands after it.
    pub fn to(&self) -> BookingStatus {
        // What leaves a booking where it stands was not its first step.
        self.event.to().or(self.from).unwrap_or(BookingStatus::Failed)
    }
}
