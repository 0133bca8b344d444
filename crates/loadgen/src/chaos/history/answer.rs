//! Answers.

use serde::{Deserialize, Serialize};

use super::Micros;

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// 201: the seats are held.
    Held {
        /// The booking.
        booking_id: i64,
        /// Its deadline, cut to the millisecond.
        expires_at: Micros,
    },
    /// 200: the booking is confirmed.
    Confirmed {
        /// The booking.
        booking_id: i64,
        /// Whether it had run out, and got its seats again.
        reclaimed: bool,
    },
    /// 201: the seats are kept from sale.
    Blocked {
        /// The house's booking.
        booking_id: i64,
    },
    /// 200: the booking is cancelled.
    Cancelled {
        /// The booking.
        booking_id: i64,
        /// Whether money has to be given back.
        refund_due: bool,
    },
    /// 200: the show is as it was wished.
    ShowEdited,
    /// 200: the show is cancelled, and so are its bookings.
    ShowCancelled,
    /// 200: the hold lives longer.
    Extended {
        /// The booking.
        booking_id: i64,
        /// Its deadline, cut to the millisecond.
        expires_at: Micros,
    },
    /// 200: the hold has other seats.
    Changed {
        /// The booking.
        booking_id: i64,
        /// Its seats, ascending.
        seats: Vec<u32>,
        /// Its deadline, cut to the millisecond.
        expires_at: Micros,
    },
    /// 404, 409 or 422: understood, and refused for what it found.
    Refused(Refusal),
    /// 200: the booking.
    Found(FoundBooking),
    /// 200: every seat by number.
    SeatMap(Vec<MapSeat>),
    /// 200: bookings, newest first.
    Bookings(Vec<ListedBooking>),
    /// Nothing has happened, and never will.
    NotDone(NotDone),
    /// It may have happened, may happen later, or never.
    Unknown(Unknown),
}

/// Why a call was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// 409: these seats stand in the way, and no others.
    SeatsNotFree(Vec<OffendingSeat>),
    /// 409: the hold is dead.
    HoldExpired {
        /// Since when, cut to the millisecond.
        expired_at: Micros,
        /// Whether money has to be given back.
        refund_due: bool,
    },
    /// 409: the booking is not PENDING any more.
    NotPending {
        /// How it stands.
        status: BookingStatus,
        /// Whether money has to be given back.
        refund_due: bool,
    },
    /// 409: a sale, which the caller may not cancel.
    SaleIsFinal,
    /// 409: the hold can't live longer than this, cut to the millisecond.
    HoldLimit {
        /// Its deadline.
        expires_at: Micros,
    },
    /// 409: the booking would have too many seats, or none.
    SeatCount,
    /// 409: the customer would have more than the show allows.
    CustomerLimit {
        /// So many seats, or holds.
        max: u32,
        /// How many seats it has; none if it has too many holds.
        has: Option<u32>,
    },
    /// 409: the show is cancelled.
    ShowCancelled,
    /// 422: another request was made under this key.
    KeyReused,
    /// 404: there is no such booking.
    NoSuchBooking,
    /// 404: there is no such show.
    NoSuchShow,
}

/// A seat that can't be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OffendingSeat {
    /// Its number.
    pub number: u32,
    /// Why not.
    pub reason: OffendingReason,
}

/// Why a seat can't be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OffendingReason {
    /// Somebody holds it.
    Held {
        /// Until when, cut to the millisecond.
        free_at: Micros,
    },
    /// It is sold.
    Sold,
    /// The show has no such seat.
    Unknown,
    /// The booking has it already.
    HadAlready,
    /// The booking does not have it.
    NotHad,
}

/// A booking, as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FoundBooking {
    /// Its identity.
    pub id: i64,
    /// The show.
    pub show_id: i64,
    /// For whom.
    pub user_name: String,
    /// How it stands.
    pub status: BookingStatus,
    /// Its deadline, cut to the millisecond.
    pub expires_at: Micros,
    /// Each of its seats, and how that seat stands, whoever has it.
    pub seats: Vec<(u32, SeatStatus)>,
}

/// A seat of a seat map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MapSeat {
    /// Its number.
    pub number: u32,
    /// How it stands.
    pub status: SeatStatus,
    /// The booking that has it.
    pub booking_id: Option<i64>,
}

/// A booking of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ListedBooking {
    /// Its identity.
    pub id: i64,
    /// How it stands.
    pub status: BookingStatus,
}

/// How a booking stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum BookingStatus {
    /// Its seats are held.
    Pending,
    /// Its seats are sold.
    Confirmed,
    /// It ended without a sale.
    Failed,
}

/// How a seat stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SeatStatus {
    /// Free.
    Available,
    /// Held.
    Pending,
    /// Sold.
    Confirmed,
}

/// Why it is known that nothing has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotDone {
    /// The request never left: there was no connection.
    NotSent,
    /// 503 with `Retry-After` and this code.
    Declined(String),
    /// Another answer that says that nothing was done, and that the contract does not foresee here.
    Unforeseen(String),
}

/// Why it is not known what has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// The customer hung up.
    HungUp,
    /// The connection broke.
    Lost,
    /// No answer in time.
    TimedOut,
    /// 503 `outcome_unknown`.
    Said,
    /// An answer that the contract does not foresee, such as a 500.
    Unforeseen(String),
}

impl Answer {
    /// The booking that it says was made.
    pub const fn made(&self) -> Option<i64> {
        match self {
            Self::Held { booking_id, .. } | Self::Blocked { booking_id } => Some(*booking_id),
            _ => None,
        }
    }

    /// Whether it says what came of the call, done or refused.
    pub const fn is_definite(&self) -> bool {
        !matches!(self, Self::NotDone(_) | Self::Unknown(_))
    }

    /// Its kind in a word or two.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Confirmed { reclaimed: true, .. } => "reclaimed",
            Self::Held { .. }
            | Self::Confirmed { .. }
            | Self::Blocked { .. }
            | Self::ShowEdited
            | Self::ShowCancelled
            | Self::Cancelled { .. }
            | Self::Extended { .. }
            | Self::Changed { .. }
            | Self::Found(_)
            | Self::SeatMap(_)
            | Self::Bookings(_) => "done",
            Self::Refused(Refusal::SeatsNotFree(_)) => "seats not free",
            Self::Refused(Refusal::HoldExpired { refund_due: false, .. }) => "hold expired",
            Self::Refused(Refusal::HoldExpired { refund_due: true, .. }) => "hold expired and refund due",
            Self::Refused(Refusal::NotPending { refund_due: false, .. }) => "not pending",
            Self::Refused(Refusal::NotPending { refund_due: true, .. }) => "not pending and refund due",
            Self::Refused(Refusal::SaleIsFinal) => "sale is final",
            Self::Refused(Refusal::HoldLimit { .. }) => "hold limit reached",
            Self::Refused(Refusal::SeatCount) => "too many seats, or none",
            Self::Refused(Refusal::CustomerLimit { .. }) => "customer limit reached",
            Self::Refused(Refusal::ShowCancelled) => "show cancelled",
            Self::Refused(Refusal::KeyReused) => "key reused",
            Self::Refused(Refusal::NoSuchBooking | Refusal::NoSuchShow) => "not found",
            Self::NotDone(NotDone::NotSent) => "not sent",
            Self::NotDone(NotDone::Declined(_)) => "declined",
            Self::Unknown(Unknown::HungUp) => "hung up",
            Self::Unknown(Unknown::Lost) => "connection lost",
            Self::Unknown(Unknown::TimedOut) => "timed out",
            Self::Unknown(Unknown::Said) => "outcome unknown",
            Self::NotDone(NotDone::Unforeseen(_)) | Self::Unknown(Unknown::Unforeseen(_)) => "unforeseen",
        }
    }
}
