//! Foresight: what this process remembers of holds, shows and their histories, so that a batch can be decided before its rows are locked.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{
    Booking, BookingId, BookingState, Command, Deadline, Forecast, Hold, LockedShow, Memory, Outcome, Request, ShowId, Timestamp,
};

use crate::connection::Foresee;

/// So many batches go without a forecast after one that did not come true.
const BATCHES_WITHOUT: u32 = 16;

/// So many holds are remembered, the newest: some 300 bytes each.
const HOLDS_REMEMBERED: usize = 65_536;

/// So many shows are remembered; when there are more, all of them are forgotten, and those that sell are soon known again.
const SHOWS_REMEMBERED: usize = 65_536;

/// What this process remembers of holds that it made or read, and of the shows it sold for: what to expect, never what to answer.
pub(crate) struct Foresight {
    when: Foresee,
    remembered: Mutex<Remembered>,
    without: AtomicU32,
    /// The last reading of the store's clock, in microseconds since the epoch.
    last_now: AtomicI64,
}

#[derive(Default)]
struct Remembered {
    holds: BTreeMap<BookingId, Booking>,
    shows: HashMap<ShowId, LockedShow>,
    /// A number that the history of a show had come to.
    numbers: HashMap<i64, i64>,
}

impl Memory for Remembered {
    fn hold(&self, id: BookingId) -> Option<Booking> {
        self.holds.get(&id).cloned()
    }

    fn show(&self, show_id: ShowId) -> Option<LockedShow> {
        self.shows.get(&show_id).copied()
    }
}

impl Foresight {
    pub(crate) fn new(when: Foresee) -> Self {
        Self { when, remembered: Mutex::default(), without: AtomicU32::new(0), last_now: AtomicI64::new(0) }
    }

    /// The forecast for this batch, if there can be one, and if the last ones came true.
    pub(crate) fn of(&self, requests: &[Request]) -> Option<Forecast> {
        if self.when == Foresee::Never {
            return None;
        }
        let without = self.without.load(Ordering::Relaxed);
        if without > 0 {
            self.without.store(without - 1, Ordering::Relaxed);
            return None;
        }
        let now = Timestamp::from_timestamp_micros(self.last_now.load(Ordering::Relaxed))?;
        Forecast::of(requests, &*self.remembered(), now)
    }

    /// A number that each of these shows had come to when it was last heard of, or 0: where to begin to look for its last.
    pub(crate) fn heard(&self, shows: &[i64]) -> Vec<i64> {
        let remembered = self.remembered();
        shows.iter().map(|show| remembered.numbers.get(show).copied().unwrap_or(0)).collect()
    }

    /// The numbers that these shows have come to.
    pub(crate) fn hear(&self, shows: &[i64], numbers: &[i64]) {
        let mut remembered = self.remembered();
        if remembered.numbers.len() > SHOWS_REMEMBERED {
            remembered.numbers.clear();
        }
        remembered.numbers.extend(shows.iter().copied().zip(numbers.iter().copied()));
    }

    /// A forecast did not come true: to try again at once would only cost another round trip. What was heard of the histories may have been
    /// the cause, and costs little to hear again.
    pub(crate) fn failed(&self) {
        self.remembered().numbers.clear();
        if self.when == Foresee::WhenLikely {
            self.without.store(BATCHES_WITHOUT, Ordering::Relaxed);
        }
    }

    /// Takes in what came of a batch that was decided `now`, and the shows that were read for it.
    pub(crate) fn learn(&self, requests: &[Request], outcomes: &[Outcome], now: Timestamp, shows: &[LockedShow]) {
        self.last_now.store(now.timestamp_micros(), Ordering::Relaxed);
        let mut remembered = self.remembered();
        if remembered.shows.len() > SHOWS_REMEMBERED {
            remembered.shows.clear();
        }
        remembered.shows.extend(shows.iter().map(|show| (show.id, *show)));
        for (request, outcome) in requests.iter().zip(outcomes) {
            remembered.take_in(&request.command, outcome, now);
        }
        remembered.forget_the_oldest();
    }

    /// Takes in a booking that was read: whoever looks at a hold is likely to confirm it next.
    pub(crate) fn saw(&self, booking: &Booking) {
        if booking.state == BookingState::Pending {
            let mut remembered = self.remembered();
            remembered.holds.insert(booking.id, booking.clone());
            remembered.forget_the_oldest();
        }
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    fn take_in(&mut self, command: &Command, outcome: &Outcome, now: Timestamp) {
        match (command, outcome) {
            (Command::Hold(hold), Outcome::Held { booking_id, deadline }) => {
                self.holds.insert(*booking_id, held(hold, *booking_id, *deadline, now));
            }
            (_, Outcome::Extended { booking_id, deadline }) => {
                self.holds.entry(*booking_id).and_modify(|hold| hold.deadline = *deadline);
            }
            (_, Outcome::Changed { booking_id, seats, .. }) => {
                self.holds.entry(*booking_id).and_modify(|hold| hold.seats.clone_from(seats));
            }
            // Whatever became of it, it is not what it was; or it is not as it was thought to be.
            _ => {
                command.booking_id().map(|id| self.holds.remove(&id));
            }
        }
    }

    fn forget_the_oldest(&mut self) {
        while self.holds.len() > HOLDS_REMEMBERED {
            self.holds.pop_first();
        }
    }
}

/// The booking that a hold made.
fn held(hold: &Hold, id: BookingId, deadline: Deadline, now: Timestamp) -> Booking {
    Booking {
        id,
        show_id: hold.show_id,
        user_name: hold.user_name.clone(),
        customer: hold.customer.clone(),
        blocked_for: None,
        payment: None,
        seats: hold.seats.numbers().to_vec(),
        deadline,
        state: BookingState::Pending,
        created_at: now,
        updated_at: now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_heard_of_histories_is_forgotten_with_a_forecast_that_failed() {
        let foresight = Foresight::new(Foresee::Always);
        foresight.hear(&[3, 7], &[10, 20]);
        assert_eq!(foresight.heard(&[7, 5, 3]), [20, 0, 10]);
        foresight.failed();
        assert_eq!(foresight.heard(&[7, 5, 3]), [0, 0, 0]);
    }
}
