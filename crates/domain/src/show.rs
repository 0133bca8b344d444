//! Shows.

use chrono::Datelike;
use thiserror::Error;

use crate::deadline::Timestamp;
use crate::ids::ShowId;
use crate::text::{self, InvalidText};

/// A show, as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Show {
    /// Its identity.
    pub id: ShowId,
    /// What is played.
    pub name: String,
    /// When it begins.
    pub start_time: Timestamp,
    /// How many seats it has, numbered from 1.
    pub total_seats: u32,
    /// When it was put into the store, on the store's clock.
    pub created_at: Timestamp,
}

/// A show that can be created: its fields are known to be good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewShow {
    name: String,
    start_time: Timestamp,
    total_seats: u32,
}

/// What is wrong with a show that someone wants to create.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidShow {
    /// The name.
    #[error("name {0}")]
    Name(#[from] InvalidText),
    /// Not a four-digit year.
    #[error("start_time must lie in the years 1 to 9999")]
    StartTime,
    /// No seats, or more than [`NewShow::TOTAL_SEATS_MAX`].
    #[error("total_seats must be between 1 and {}", NewShow::TOTAL_SEATS_MAX)]
    TotalSeats,
}

impl NewShow {
    /// Most seats a show can have.
    pub const TOTAL_SEATS_MAX: u32 = 1_000_000;

    /// A show with a trimmed, printable name of at most 200 characters and 1 to [`Self::TOTAL_SEATS_MAX`] seats.
    ///
    /// # Errors
    /// The first thing that is wrong, in the order of the arguments.
    pub fn new(name: &str, start_time: Timestamp, total_seats: i64) -> Result<Self, InvalidShow> {
        let name = text::name(name)?;
        if !(1..=9999).contains(&start_time.year()) {
            return Err(InvalidShow::StartTime);
        }
        match u32::try_from(total_seats) {
            Ok(total_seats @ 1..=Self::TOTAL_SEATS_MAX) => Ok(Self { name, start_time, total_seats }),
            Ok(_) | Err(_) => Err(InvalidShow::TotalSeats),
        }
    }

    /// What is played.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When it begins.
    pub const fn start_time(&self) -> Timestamp {
        self.start_time
    }

    /// How many seats it has.
    pub const fn total_seats(&self) -> u32 {
        self.total_seats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_show_has_between_one_and_a_million_seats() {
        let show = |seats| NewShow::new("Hamlet", Timestamp::UNIX_EPOCH, seats).map(|s| s.total_seats());
        for seats in [i64::MIN, -5, 0, 1_000_001, i64::MAX] {
            assert_eq!(show(seats), Err(InvalidShow::TotalSeats), "{seats}");
        }
        assert_eq!(show(1), Ok(1));
        assert_eq!(show(1_000_000), Ok(1_000_000));
    }

    #[test]
    fn a_show_begins_in_a_year_of_four_digits() {
        assert_eq!(NewShow::new("Hamlet", Timestamp::MAX_UTC, 1), Err(InvalidShow::StartTime));
        assert_eq!(NewShow::new("Hamlet", Timestamp::MIN_UTC, 1), Err(InvalidShow::StartTime));
    }
}
