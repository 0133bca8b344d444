//! Bookings.

use std::fmt;
use std::sync::Arc;

use chrono::TimeDelta;

use crate::customer::CustomerId;
use crate::deadline::{Deadline, Life, Timestamp};
use crate::ids::{BookingId, ShowId};
use crate::lifecycle::{BookingStatus, FailureReason};
use crate::payment::PaymentReference;
use crate::seat::{SeatNumber, SeatStatus};
use crate::text::{self, InvalidText};

/// The name a customer gave. A clone shares it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserName(Arc<str>);

impl UserName {
    /// The name of a customer who gave none.
    pub const GUEST: &str = "guest";
    /// The name under which the house keeps seats from sale.
    pub const HOUSE: &str = "house";

    /// A trimmed, printable name of at most 200 characters; an empty one means [`Self::GUEST`].
    ///
    /// # Errors
    /// [`InvalidText`] for one that is too long or not printable.
    pub fn new(name: &str) -> Result<Self, InvalidText> {
        match text::name(name) {
            Ok(name) => Ok(Self(name.into())),
            Err(InvalidText::Empty) => Ok(Self(Self::GUEST.into())),
            Err(error @ (InvalidText::TooLong | InvalidText::Control)) => Err(error),
        }
    }

    /// The house.
    pub(crate) fn house() -> Self {
        Self(Self::HOUSE.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why the house keeps seats from sale.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BlockReason(String);

impl BlockReason {
    /// A trimmed, printable reason of 1 to 200 characters.
    ///
    /// # Errors
    /// [`InvalidText`].
    pub fn new(reason: &str) -> Result<Self, InvalidText> {
        text::name(reason).map(Self)
    }

    /// The reason.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a booking stands, with all that this state has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookingState {
    /// Its seats are held until the booking's deadline.
    Pending,
    /// Its seats are sold.
    Confirmed {
        /// When.
        at: Timestamp,
        /// Whether that was after its deadline, its seats having been free still. All others are confirmed before it.
        reclaimed: bool,
    },
    /// It ended without a sale.
    Failed {
        /// Why.
        reason: FailureReason,
        /// Whether money that was paid for it has to be given back.
        refund_due: bool,
    },
}

impl BookingState {
    /// What a hold comes to that was not confirmed before its deadline.
    pub const EXPIRED: Self = Self::Failed { reason: FailureReason::Expired, refund_due: false };

    /// The state in a word.
    pub const fn status(&self) -> BookingStatus {
        match self {
            Self::Pending => BookingStatus::Pending,
            Self::Confirmed { .. } => BookingStatus::Confirmed,
            Self::Failed { .. } => BookingStatus::Failed,
        }
    }

    /// When it was confirmed.
    pub const fn confirmed_at(&self) -> Option<Timestamp> {
        match self {
            Self::Confirmed { at, .. } => Some(*at),
            Self::Pending | Self::Failed { .. } => None,
        }
    }

    /// Whether it was confirmed after its deadline.
    pub const fn is_reclaimed(&self) -> bool {
        matches!(self, Self::Confirmed { reclaimed: true, .. })
    }

    /// Whether money that was paid has to be given back.
    pub const fn refund_due(&self) -> bool {
        matches!(self, Self::Failed { refund_due: true, .. })
    }
}

/// A booking, as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booking {
    /// Its identity.
    pub id: BookingId,
    /// The show whose seats these are.
    pub show_id: ShowId,
    /// Who books.
    pub user_name: UserName,
    /// To whom it counts where seats are limited; `None` if nobody said.
    pub customer: Option<CustomerId>,
    /// Why the house keeps these seats from sale; `None` for a customer's booking.
    pub blocked_for: Option<BlockReason>,
    /// The first payment that was named for it.
    pub payment: Option<PaymentReference>,
    /// The seats it has, or had when it failed, ascending.
    pub seats: Vec<SeatNumber>,
    /// When its hold ends, or ended.
    pub deadline: Deadline,
    /// Where it stands.
    pub state: BookingState,
    /// When its seats were first held.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Booking {
    /// The booking as anyone must see it at `now`: a hold past its deadline has failed, whether or not its row says so yet.
    #[must_use]
    pub fn as_of(self, now: Timestamp) -> Self {
        match (self.state, self.deadline.life(now)) {
            (BookingState::Pending, Life::Dead) => {
                Self { state: BookingState::EXPIRED, updated_at: self.deadline.instant(), ..self }
            }
            (BookingState::Pending, Life::Live)
            | (BookingState::Confirmed { .. } | BookingState::Failed { .. }, Life::Live | Life::Dead) => self,
        }
    }
}

/// A booking whose hold lives, and for how long it has and will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveHold {
    /// The booking.
    pub booking: Booking,
    /// The time since its seats were first held.
    pub age: TimeDelta,
    /// The time until its deadline.
    pub remaining: TimeDelta,
}

impl LiveHold {
    /// The booking's hold at `now`; `None` if it has none that lives.
    pub fn of(booking: Booking, now: Timestamp) -> Option<Self> {
        let lives = booking.state == BookingState::Pending && booking.deadline.life(now) == Life::Live;
        let (age, remaining) = (now - booking.created_at, booking.deadline.instant() - now);
        lives.then_some(Self { booking, age, remaining })
    }
}

/// A booking and how its seats stand now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookingDetails {
    /// The booking.
    pub booking: Booking,
    /// Each seat that it lists, ascending, with that seat's status now. The seats of a FAILED booking may be anyone's.
    pub seats: Vec<(SeatNumber, SeatStatus)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_hold_is_pending_before_its_deadline() {
        let at = |seconds| Timestamp::default() + TimeDelta::seconds(seconds);
        let booking = |state| Booking {
            id: BookingId::new(1).unwrap(),
            show_id: ShowId::new(1).unwrap(),
            user_name: UserName::house(),
            customer: None,
            blocked_for: None,
            payment: None,
            seats: Vec::new(),
            deadline: Deadline::at(at(10)),
            state,
            created_at: at(1),
            updated_at: at(1),
        };
        let hold = LiveHold::of(booking(BookingState::Pending), at(9)).unwrap();
        assert_eq!((hold.age, hold.remaining), (TimeDelta::seconds(8), TimeDelta::seconds(1)));
        assert_eq!(LiveHold::of(booking(BookingState::Pending), at(10)), None);
        let confirmed = BookingState::Confirmed { at: at(2), reclaimed: false };
        let failed = BookingState::Failed { reason: FailureReason::Cancelled, refund_due: false };
        assert_eq!([confirmed, failed].map(|state| LiveHold::of(booking(state), at(3))), [None, None]);
    }
}
