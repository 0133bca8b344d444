//! Seats: their numbers, their states, and a customer's choice of them.

use std::fmt;

use thiserror::Error;

use crate::deadline::{Deadline, Life, Timestamp};
use crate::ids::{BookingId, SeatId, ShowId};

/// A seat's number within its show, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeatNumber(i64);

impl SeatNumber {
    /// The number; `None` for zero and below, which no seat has. A number beyond the show is an unknown seat, not an error.
    pub const fn new(value: i64) -> Option<Self> {
        if value > 0 { Some(Self(value)) } else { None }
    }

    /// The number that rows and messages carry.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for SeatNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What names a seat. The order of this type is the order in which seats are locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeatKey {
    /// The show it belongs to.
    pub show_id: ShowId,
    /// Its number there.
    pub number: SeatNumber,
}

/// What a seat is, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SeatStatus {
    /// Free.
    Available,
    /// Held by a PENDING booking.
    Pending,
    /// Sold to a CONFIRMED booking.
    Confirmed,
}

/// What a seat is, with all that this state has. `Owner` names the booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeatState<Owner = BookingId> {
    /// Free.
    Available,
    /// Held by a PENDING booking until its deadline, which stands on the seat too so that a seat can be judged alone.
    Held {
        /// The booking.
        by: Owner,
        /// The booking's deadline.
        until: Deadline,
    },
    /// Sold to a CONFIRMED booking.
    Sold {
        /// The booking.
        to: Owner,
    },
}

impl<Owner> SeatState<Owner> {
    /// The state as anyone must see it at `now`: a seat whose hold is dead is free.
    #[must_use]
    pub fn as_of(self, now: Timestamp) -> Self {
        match self {
            Self::Held { until, .. } if until.life(now) == Life::Dead => Self::Available,
            state @ (Self::Available | Self::Held { .. } | Self::Sold { .. }) => state,
        }
    }

    /// The state in a word.
    pub const fn status(&self) -> SeatStatus {
        match self {
            Self::Available => SeatStatus::Available,
            Self::Held { .. } => SeatStatus::Pending,
            Self::Sold { .. } => SeatStatus::Confirmed,
        }
    }
}

impl SeatState {
    /// The booking that has the seat.
    pub const fn booking_id(&self) -> Option<BookingId> {
        match self {
            Self::Available => None,
            Self::Held { by: id, .. } | Self::Sold { to: id } => Some(*id),
        }
    }
}

/// A seat, as it is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Its row's identity.
    pub id: SeatId,
    /// Its number within the show.
    pub number: SeatNumber,
    /// Its state.
    pub state: SeatState,
}

/// The seats that one booking wants: at least one, none twice, in ascending order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatSelection(Vec<SeatNumber>);

/// Why a list of numbers is no selection.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SelectionError {
    /// No seat at all.
    #[error("at least one seat is needed")]
    Empty,
    /// More seats than one booking may have.
    #[error("{count} seats are too many for one booking, at most {max} are allowed")]
    TooMany {
        /// How many were asked for.
        count: usize,
        /// The limit.
        max: usize,
    },
    /// Numbers that no seat can have, each once, as given.
    #[error("seat numbers count from 1")]
    NotPositive(Vec<i64>),
    /// Seats that are named more than once, each once, in ascending order.
    #[error("a seat is named more than once")]
    Duplicate(Vec<SeatNumber>),
}

impl SeatSelection {
    /// A selection of these numbers, of which there may be at most `max`.
    ///
    /// # Errors
    /// [`SelectionError`], with every offending number.
    pub fn new(numbers: &[i64], max: usize) -> Result<Self, SelectionError> {
        if numbers.is_empty() {
            return Err(SelectionError::Empty);
        }
        if numbers.len() > max {
            return Err(SelectionError::TooMany { count: numbers.len(), max });
        }
        let mut seats: Vec<SeatNumber> = numbers.iter().copied().filter_map(SeatNumber::new).collect();
        if seats.len() < numbers.len() {
            let mut bad: Vec<i64> = numbers.iter().copied().filter(|n| SeatNumber::new(*n).is_none()).collect();
            bad.sort_unstable();
            bad.dedup();
            return Err(SelectionError::NotPositive(bad));
        }
        seats.sort_unstable();
        let mut twice: Vec<SeatNumber> = seats.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        twice.dedup();
        if twice.is_empty() { Ok(Self(seats)) } else { Err(SelectionError::Duplicate(twice)) }
    }

    /// The seats, ascending.
    pub fn numbers(&self) -> &[SeatNumber] {
        &self.0
    }

    /// The seats of this show.
    pub fn keys(&self, show_id: ShowId) -> impl Iterator<Item = SeatKey> {
        self.0.iter().map(move |&number| SeatKey { show_id, number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(values: &[i64]) -> Vec<SeatNumber> {
        values.iter().filter_map(|n| SeatNumber::new(*n)).collect()
    }

    #[test]
    fn a_selection_is_sorted_unique_bounded_and_not_empty() {
        assert_eq!(SeatSelection::new(&[3, 1, 2], 3).map(|s| s.0), Ok(numbers(&[1, 2, 3])));
        assert_eq!(SeatSelection::new(&[], 3), Err(SelectionError::Empty));
        assert_eq!(SeatSelection::new(&[1, 2, 3, 4], 3), Err(SelectionError::TooMany { count: 4, max: 3 }));
        assert_eq!(SeatSelection::new(&[4, -1, 0, -1], 9), Err(SelectionError::NotPositive(vec![-1, 0])));
        assert_eq!(SeatSelection::new(&[7, 3, 7, 3, 7, 1], 9), Err(SelectionError::Duplicate(numbers(&[3, 7]))));
    }
}
