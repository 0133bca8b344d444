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
    /// When it was cancelled; `None` if it is going to be played.
    pub cancelled_at: Option<Timestamp>,
    /// Counts how often any of this has changed.
    pub revision: i32,
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
    /// Seats that the house keeps from sale.
    pub blocked: u32,
    /// Holds that are live.
    pub pending: u32,
    /// Sales, without what the house keeps from sale.
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
    /// Whether a confirm that comes too late gets the same seats, if all of them can be had still.
    pub late_confirm: bool,
    /// Most seats of a booking.
    pub seats_per_booking: Option<u32>,
    /// Most seats that a customer may hold and have bought.
    pub seats_per_customer: Option<u32>,
    /// Most live holds of a customer.
    pub holds_per_customer: Option<u32>,
    /// From when on seats are sold.
    pub on_sale_at: Option<Timestamp>,
    /// From when on seats are sold no longer. What is held by then can be confirmed.
    pub off_sale_at: Option<Timestamp>,
}

impl Terms {
    /// Longest life of a hold.
    pub const HOLD_MAX: TimeDelta = TimeDelta::days(1);
    /// Highest limit of seats or holds.
    pub const LIMIT_MAX: u32 = 1_000_000;

    /// The first thing that makes no sense.
    fn fault(&self) -> Option<InvalidShow> {
        let sound =
            |length: Option<TimeDelta>| length.is_none_or(|length| (TimeDelta::seconds(1)..=Self::HOLD_MAX).contains(&length));
        let (hold_for, hold_limit) = (self.hold_for, self.hold_limit);
        let counts = |limit: Option<u32>| limit.is_none_or(|limit| (1..=Self::LIMIT_MAX).contains(&limit));
        let (begin, end) = (self.on_sale_at, self.off_sale_at);
        if !(sound(hold_for) && sound(hold_limit) && hold_for.zip(hold_limit).is_none_or(|(hold_for, limit)| hold_for <= limit)) {
            Some(InvalidShow::Terms)
        } else if ![self.seats_per_booking, self.seats_per_customer, self.holds_per_customer].into_iter().all(counts) {
            Some(InvalidShow::Limits)
        } else if !begin.into_iter().chain(end).all(has_four_digits) || begin.zip(end).is_some_and(|(begin, end)| begin >= end) {
            Some(InvalidShow::Window)
        } else {
            None
        }
    }

    /// Whether what a customer may have is limited.
    pub const fn limit_customers(&self) -> bool {
        self.seats_per_customer.is_some() || self.holds_per_customer.is_some()
    }
}

/// Whether it lies in a year that is written with four digits.
fn has_four_digits(instant: Timestamp) -> bool {
    (1..=9999).contains(&instant.year())
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
    /// A limit that allows nothing, or too much.
    #[error("seats_per_booking, seats_per_customer and holds_per_customer must be between 1 and {}", Terms::LIMIT_MAX)]
    Limits,
    /// A sale that is over before it begins.
    #[error("on_sale_at must be before off_sale_at, and both in the years 1 to 9999")]
    Window,
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
        if !has_four_digits(start_time) {
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
    /// [`InvalidShow::Terms`], [`InvalidShow::Limits`], [`InvalidShow::Window`].
    pub fn on(self, terms: Terms) -> Result<Self, InvalidShow> {
        match terms.fault() {
            None => Ok(Self { terms, ..self }),
            Some(fault) => Err(fault),
        }
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
            show.on(Terms { hold_for: seconds(hold_for), hold_limit: seconds(hold_limit), ..Terms::default() }).is_ok()
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
    fn limits_allow_something_and_a_sale_ends_after_it_has_begun() {
        let fault = |terms: Terms| NewShow::new("Hamlet", Timestamp::UNIX_EPOCH, 1).unwrap().on(terms).err();
        let none = Terms::default();
        for limit in [0, Terms::LIMIT_MAX + 1] {
            assert_eq!(fault(Terms { seats_per_booking: Some(limit), ..none }), Some(InvalidShow::Limits));
            assert_eq!(fault(Terms { seats_per_customer: Some(limit), ..none }), Some(InvalidShow::Limits));
            assert_eq!(fault(Terms { holds_per_customer: Some(limit), ..none }), Some(InvalidShow::Limits));
        }
        assert_eq!(fault(Terms { seats_per_booking: Some(1), seats_per_customer: Some(Terms::LIMIT_MAX), ..none }), None);
        let at = |second| Some(Timestamp::UNIX_EPOCH + TimeDelta::seconds(second));
        for (on_sale_at, off_sale_at) in [(at(1), None), (None, at(1)), (at(1), at(2))] {
            assert_eq!(fault(Terms { on_sale_at, off_sale_at, ..none }), None);
        }
        for (on_sale_at, off_sale_at) in [(at(1), at(1)), (at(2), at(1)), (Some(Timestamp::MAX_UTC), None)] {
            assert_eq!(fault(Terms { on_sale_at, off_sale_at, ..none }), Some(InvalidShow::Window));
        }
    }

    #[test]
    fn a_show_begins_in_a_year_of_four_digits() {
        assert_eq!(NewShow::new("Hamlet", Timestamp::MAX_UTC, 1), Err(InvalidShow::StartTime));
        assert_eq!(NewShow::new("Hamlet", Timestamp::MIN_UTC, 1), Err(InvalidShow::StartTime));
    }
}
