//! The one place that says when a hold is live.

use chrono::{DateTime, TimeDelta, Utc};

/// An instant on the store's clock, to the microsecond.
pub type Timestamp = DateTime<Utc>;

/// Whether a hold can still be confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Before its deadline: it can be confirmed, and its seats are blocked for others.
    Live,
    /// At its deadline or after: it can't be confirmed, and its seats can be taken at once.
    Dead,
}

/// The instant at which a hold ends. A hold is live while `now < deadline`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deadline(Timestamp);

impl Deadline {
    /// The deadline that stands in a row.
    pub const fn at(instant: Timestamp) -> Self {
        Self(instant)
    }

    /// The deadline of a hold made `now` that lives `hold_for`.
    pub fn after(now: Timestamp, hold_for: TimeDelta) -> Self {
        Self(now.checked_add_signed(hold_for).unwrap_or(Timestamp::MAX_UTC))
    }

    /// The instant itself.
    pub const fn instant(self) -> Timestamp {
        self.0
    }

    /// Live strictly before the instant, dead from it on.
    pub fn life(self, now: Timestamp) -> Life {
        if now < self.0 { Life::Live } else { Life::Dead }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_live_before_its_deadline_and_dead_at_it_and_after_it() {
        let made = Timestamp::UNIX_EPOCH;
        let deadline = Deadline::after(made, TimeDelta::seconds(120));
        let tick = TimeDelta::microseconds(1);
        assert_eq!(deadline.life(deadline.instant() - tick), Life::Live);
        assert_eq!(deadline.life(deadline.instant()), Life::Dead);
        assert_eq!(deadline.life(deadline.instant() + tick), Life::Dead);
    }

    #[test]
    fn a_deadline_past_the_end_of_time_is_the_end_of_time() {
        assert_eq!(Deadline::after(Timestamp::MAX_UTC, TimeDelta::seconds(1)).instant(), Timestamp::MAX_UTC);
    }
}
