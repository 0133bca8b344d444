//! Shows.

use chrono::{Datelike, TimeDelta};
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
    /// On what terms its seats are sold.
    pub terms: Terms,
}

/// How the seats and the bookings of a show stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShowCounts {
    /// Free seats.
    pub available: u32,
    /// Held seats.
    pub held: u32,
    /// Sold seats.
    pub sold: u32,
    /// Holds that are live.
    pub pending: u32,
    /// Sales.
    pub confirmed: u32,
    /// Bookings that ended without a sale, or gave it back.
    pub failed: u32,
    /// Those among them whose money has to be given back.
    pub refunds_due: u32,
}

/// On what terms the seats of a show are sold. What a show leaves open is the service's to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Terms {
    /// How long a hold lives.
    pub hold_for: Option<TimeDelta>,
    /// How long a hold can live with all of its extensions, from when it was made.
    pub hold_limit: Option<TimeDelta>,
    /// Whether customers may cancel what they have bought.
    pub customers_may_cancel: bool,
}

impl Terms {
    /// Longest life of a hold.
    pub const HOLD_MAX: TimeDelta = TimeDelta::days(1);

    /// Whether every length of time is at least a second and at most [`Self::HOLD_MAX`], and no limit is shorter than the hold.
    fn are_sound(&self) -> bool {
        let sound =
            |length: Option<TimeDelta>| length.is_none_or(|length| (TimeDelta::seconds(1)..=Self::HOLD_MAX).contains(&length));
        let (hold_for, hold_limit) = (self.hold_for, self.hold_limit);
        sound(hold_for) && sound(hold_limit) && hold_for.zip(hold_limit).is_none_or(|(hold_for, limit)| hold_for <= limit)
    }
}

/// A show that can be created: its fields are known to be good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewShow {
    name: String,
    start_time: Timestamp,
    total_seats: u32,
    terms: Terms,
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
    /// Lengths of time that make no sense.
    #[error("hold_seconds and hold_limit_seconds must be between 1 and {}, and the limit not the shorter one", Terms::HOLD_MAX.num_seconds())]
    Terms,
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
            Ok(total_seats @ 1..=Self::TOTAL_SEATS_MAX) => Ok(Self { name, start_time, total_seats, terms: Terms::default() }),
            Ok(_) | Err(_) => Err(InvalidShow::TotalSeats),
        }
    }

    /// The show with its seats sold on these terms.
    ///
    /// # Errors
    /// [`InvalidShow::Terms`].
    pub fn on(self, terms: Terms) -> Result<Self, InvalidShow> {
        if terms.are_sound() { Ok(Self { terms, ..self }) } else { Err(InvalidShow::Terms) }
    }

    /// On what terms its seats are sold.
    pub const fn terms(&self) -> Terms {
        self.terms
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
    fn terms_must_make_sense() {
        let on = |hold_for: Option<i64>, hold_limit: Option<i64>| {
            let show = NewShow::new("Hamlet", Timestamp::UNIX_EPOCH, 1).unwrap();
            let seconds = |seconds: Option<i64>| seconds.map(TimeDelta::seconds);
            show.on(Terms { hold_for: seconds(hold_for), hold_limit: seconds(hold_limit), customers_may_cancel: true }).is_ok()
        };
        for (hold_for, hold_limit) in [(None, None), (Some(1), None), (None, Some(86_400)), (Some(300), Some(300))] {
            assert!(on(hold_for, hold_limit), "{hold_for:?} {hold_limit:?}");
        }
        for (hold_for, hold_limit) in
            [(Some(0), None), (Some(-1), None), (Some(86_401), None), (None, Some(0)), (Some(300), Some(299))]
        {
            assert!(!on(hold_for, hold_limit), "{hold_for:?} {hold_limit:?}");
        }
    }

    #[test]
    fn a_show_begins_in_a_year_of_four_digits() {
        assert_eq!(NewShow::new("Hamlet", Timestamp::MAX_UTC, 1), Err(InvalidShow::StartTime));
        assert_eq!(NewShow::new("Hamlet", Timestamp::MIN_UTC, 1), Err(InvalidShow::StartTime));
    }
}
