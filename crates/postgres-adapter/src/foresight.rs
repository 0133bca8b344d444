//! Foresight: what this process remembers of holds, shows and their histories, so that a batch can be decided before its rows are locked.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use domain::{Booking, BookingId, Command, Forecast, LockedShow, Memory, Outcome, Request, ShowId, Timestamp};

use crate::batch::Done;
use crate::connection::Foresee;
use crate::row_address::RowAddress;
use crate::words::Numbers;

mod holds;
mod shows;

use holds::Holds;
use shows::Shows;

/// So many batches go without a forecast after one that did not come true.
const BATCHES_WITHOUT: u32 = 16;

/// What this process remembers of holds that it made or read, and of the shows it sold for: what to expect, never what to answer.
pub(crate) struct Foresight {
    when: Foresee,
    remembered: Mutex<Remembered>,
    without: AtomicU32,
    /// The last reading of the store's clock, in microseconds since the epoch.
    last_now: AtomicI64,
}

/// A forecast, and the numbers of the last steps of its bookings, in their order.
pub(crate) struct Foreseen {
    pub(crate) forecast: Forecast,
    pub(crate) last_changes: Numbers,
}

#[derive(Default)]
struct Remembered {
    holds: Holds,
    shows: Shows,
}

impl Memory for Remembered {
    fn hold(&self, id: BookingId) -> Option<Booking> {
        self.holds.get(id)
    }

    fn show(&self, show_id: ShowId) -> Option<LockedShow> {
        self.shows.get(show_id)
    }
}

impl Foresight {
    pub(crate) fn new(when: Foresee) -> Self {
        Self { when, remembered: Mutex::default(), without: AtomicU32::new(0), last_now: AtomicI64::new(0) }
    }

    /// The forecast for this batch, if there can be one, and if the last ones came true.
    pub(crate) fn of(&self, requests: &[Request]) -> Option<Foreseen> {
        if self.when == Foresee::Never {
            return None;
        }
        let without = self.without.load(Ordering::Relaxed);
        if without > 0 {
            self.without.store(without - 1, Ordering::Relaxed);
            return None;
        }
        let now = Timestamp::from_timestamp_micros(self.last_now.load(Ordering::Relaxed))?;
        let remembered = self.remembered();
        let forecast = Forecast::of(requests, &*remembered, now)?;
        let last_changes = forecast.bookings().iter().map(|booking| remembered.holds.last_change(booking.id));
        let last_changes = last_changes.collect::<Option<_>>()?;
        Some(Foreseen { forecast, last_changes })
    }

    /// Whether there is much in favour of a forecast: it costs less to ask than to make one.
    pub(crate) fn is_likely_for(&self, requests: &[Request]) -> bool {
        let remembered = self.remembered();
        let is_open = |show: ShowId| remembered.show(show).is_some_and(|show| !show.terms.limit_customers());
        let is_known = |command: &Command| match command {
            Command::Hold(hold) => is_open(hold.show_id),
            Command::Block(block) => is_open(block.show_id),
            other => other.booking_id().is_some_and(|id| remembered.holds.last_change(id).is_some()),
        };
        self.without.load(Ordering::Relaxed) == 0 && requests.iter().all(|request| is_known(&request.command))
    }

    /// What a batch on a connection that was made then says of these shows: where each lies, and the last number of its history, or 0.
    pub(crate) fn of_shows(&self, shows: &[i64], connected: Option<Instant>) -> (Vec<Option<RowAddress>>, Vec<i64>) {
        self.remembered().shows.expect(shows, connected)
    }

    /// The last number of a history was not the last.
    pub(crate) fn was_wrong_about_numbers(&self) {
        self.remembered().shows.was_wrong();
    }

    /// A forecast did not come true: to try again at once would only cost another round trip.
    pub(crate) fn failed(&self) {
        if self.when == Foresee::WhenLikely {
            self.without.store(BATCHES_WITHOUT, Ordering::Relaxed);
        }
    }

    /// Takes in what came of a batch that began then.
    pub(crate) fn learn(&self, requests: &[Request], done: &Done, began: Instant) {
        self.last_now.store(done.now.timestamp_micros(), Ordering::Relaxed);
        let mut remembered = self.remembered();
        remembered.shows.found(&done.shows);
        remembered.shows.went_on(&done.steps.shows, began);
        for (request, outcome) in requests.iter().zip(&done.outcomes) {
            remembered.take_in(&request.command, outcome, done);
        }
    }

    /// Takes in a booking that was read, with the number of its last step: whoever looks at a hold is likely to confirm it next.
    pub(crate) fn saw(&self, booking: &Booking, last_change: i64) {
        self.remembered().holds.saw(booking, last_change);
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    fn take_in(&mut self, command: &Command, outcome: &Outcome, done: &Done) {
        let step = |id: &BookingId| done.steps.bookings.get(id).copied();
        match (command, outcome) {
            (Command::Hold(hold), Outcome::Held { booking_id, deadline }) => {
                if let Some(step) = step(booking_id) {
                    self.holds.made(*booking_id, hold, *deadline, done.now, step.last);
                }
            }
            (_, Outcome::Extended { booking_id, deadline }) => self.holds.extended(*booking_id, step(booking_id), *deadline),
            (_, Outcome::Changed { booking_id, seats, .. }) => self.holds.changed(*booking_id, step(booking_id), seats),
            // Whatever became of it, it is not what it was; or it is not as it was thought to be.
            _ => command.booking_id().into_iter().for_each(|id| self.holds.forget(id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use domain::{Deadline, Extend, Hold, SeatNumber, SeatSelection, UserName};

    use super::*;
    use crate::numbering::{Step, Steps};

    /// A read that was overtaken says how the hold was once, and then somebody else's step to it is heard of: what is remembered must not
    /// be what was read, under the number of the step.
    #[test]
    fn what_was_read_before_a_step_is_not_taken_for_what_came_of_it() {
        let foresight = Foresight::new(Foresee::Always);
        let (id, show_id) = (BookingId::new(7).unwrap(), ShowId::new(1).unwrap());
        let now = Timestamp::from_timestamp_micros(1).unwrap();
        let (seats, user_name) = (SeatSelection::new(&[1, 2], 2).unwrap(), UserName::new("Ada").unwrap());
        let hold = Hold { show_id, seats, user_name, customer: None, hold_for: TimeDelta::seconds(9) };
        let extend = Extend { booking_id: id, hold_for: TimeDelta::seconds(20), hold_limit: TimeDelta::seconds(60) };
        let (deadline, later) = (Deadline::after(now, TimeDelta::seconds(9)), Deadline::after(now, TimeDelta::seconds(20)));
        let learn = |command: Command, outcome, step| {
            let steps = Steps { shows: Vec::new(), bookings: [(id, step)].into() };
            let done = Done { outcomes: vec![outcome], now, shows: Vec::new(), steps };
            foresight.learn(&[command.into()], &done, Instant::now());
        };
        let known = || {
            let remembered = foresight.remembered();
            let hold = remembered.holds.get(id)?;
            Some((hold.deadline, hold.seats.len(), remembered.holds.last_change(id)?))
        };
        learn(Command::Hold(hold.clone()), Outcome::Held { booking_id: id, deadline }, Step { before: None, last: 3 });
        assert_eq!(known(), Some((deadline, 2, 3)));
        let extended = || (Command::Extend(extend), Outcome::Extended { booking_id: id, deadline: later });
        let (command, outcome) = extended();
        learn(command, outcome, Step { before: Some(3), last: 5 });
        assert_eq!(known(), Some((later, 2, 5)));

        let first = foresight.remembered().holds.get(id).unwrap();
        foresight.saw(&Booking { seats: vec![SeatNumber::new(1).unwrap()], deadline, ..first }, 4);
        assert_eq!(known(), Some((deadline, 1, 4)));
        let (command, outcome) = extended();
        learn(command, outcome, Step { before: Some(5), last: 6 });
        assert_eq!(known(), None);
    }
}
