//! What selling seats means, said as plainly as possible: a seat is free, held or sold. Nothing of the product is used here.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seat {
    Free,
    Held { by: i64, until: i64 },
    Sold { to: i64 },
}

/// What a customer or a worker wants. Instants and durations count in the smallest step of the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Hold { show: i64, seats: BTreeSet<i64>, lives: i64 },
    Confirm(i64),
    Expire(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Not yet: its seats are held.
    Open,
    Sold {
        at: i64,
    },
    Failed {
        at: i64,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Booking {
    pub(crate) show: i64,
    pub(crate) seats: BTreeSet<i64>,
    pub(crate) until: i64,
    pub(crate) end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    Held { until: i64 },
    Sold,
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Held { id: i64, until: i64 },
    Confirmed(i64),
    Expired { id: i64, until: i64 },
    NoSuchShow,
    NotFree(BTreeMap<i64, Obstacle>),
    NoSuchBooking,
    SoldAlready,
    FailedAlready,
    TooLate { until: i64 },
    TooEarly { until: i64 },
}

#[derive(Clone, Debug)]
pub(crate) struct PlainModel {
    pub(crate) now: i64,
    pub(crate) seats: BTreeMap<(i64, i64), Seat>,
    pub(crate) bookings: BTreeMap<i64, Booking>,
    /// What was said to the last batch or sweep.
    pub(crate) answers: Vec<Answer>,
    /// The bookings whose dead holds gave way to others in the last batch.
    pub(crate) gave_way: BTreeSet<i64>,
}

impl PlainModel {
    pub(crate) fn new(shows: i64, seats: i64) -> Self {
        let seats = (1..=shows).flat_map(|show| (1..=seats).map(move |number| ((show, number), Seat::Free)));
        Self { now: 0, seats: seats.collect(), bookings: BTreeMap::new(), answers: Vec::new(), gave_way: BTreeSet::new() }
    }

    pub(crate) fn batch(&mut self, wishes: &[Wish]) {
        self.gave_way.clear();
        self.answers = wishes.iter().map(|wish| self.grant(wish)).collect();
    }

    /// The longest dead first, at most `limit` of them; passing by, of these, the ones with a seat that someone else has locked.
    pub(crate) fn sweep(&mut self, limit: usize, locked: &BTreeSet<(i64, i64)>) {
        let open = self.bookings.iter().filter(|(_, booking)| booking.end == End::Open && booking.until <= self.now);
        let mut dead: Vec<(i64, i64)> = open.map(|(id, booking)| (booking.until, *id)).collect();
        dead.sort_unstable();
        dead.truncate(limit);
        dead.retain(|(_, id)| self.seats_of(*id).is_disjoint(locked));
        // In which order they are reported is nobody's concern.
        dead.sort_unstable_by_key(|(_, id)| *id);
        self.answers = dead.into_iter().map(|(until, id)| self.fail(id, until)).collect();
    }

    fn grant(&mut self, wish: &Wish) -> Answer {
        match wish {
            Wish::Hold { show, seats, lives } => self.hold(*show, seats, self.now + lives),
            Wish::Confirm(id) => match self.bookings.get(id).map(|booking| (booking.end, booking.until)) {
                None => Answer::NoSuchBooking,
                Some((End::Sold { .. }, _)) => Answer::SoldAlready,
                // A booking here fails because its hold has run out: whether somebody has swept up makes no difference.
                Some((End::Failed { .. }, until)) => Answer::TooLate { until },
                Some((End::Open, until)) if until <= self.now => Answer::TooLate { until },
                Some((End::Open, _)) => self.sell(*id),
            },
            Wish::Expire(id) => match self.bookings.get(id).map(|booking| (booking.end, booking.until)) {
                None => Answer::NoSuchBooking,
                Some((End::Sold { .. }, _)) => Answer::SoldAlready,
                Some((End::Failed { .. }, _)) => Answer::FailedAlready,
                Some((End::Open, until)) if until > self.now => Answer::TooEarly { until },
                Some((End::Open, until)) => self.fail(*id, until),
            },
        }
    }

    fn hold(&mut self, show: i64, seats: &BTreeSet<i64>, until: i64) -> Answer {
        if !self.seats.keys().any(|(known, _)| *known == show) {
            return Answer::NoSuchShow;
        }
        let obstacles: BTreeMap<i64, Obstacle> =
            seats.iter().filter_map(|seat| self.obstacle(show, *seat).map(|obstacle| (*seat, obstacle))).collect();
        if !obstacles.is_empty() {
            return Answer::NotFree(obstacles);
        }
        let id = i64::try_from(self.bookings.len()).unwrap() + 1;
        for seat in seats {
            if let Seat::Held { by, until } = self.seats[&(show, *seat)] {
                self.fail(by, until);
                self.gave_way.insert(by);
            }
            self.seats.insert((show, *seat), Seat::Held { by: id, until });
        }
        self.bookings.insert(id, Booking { show, seats: seats.clone(), until, end: End::Open });
        Answer::Held { id, until }
    }

    fn obstacle(&self, show: i64, seat: i64) -> Option<Obstacle> {
        match self.seats.get(&(show, seat)) {
            None => Some(Obstacle::Unknown),
            Some(Seat::Sold { .. }) => Some(Obstacle::Sold),
            Some(Seat::Held { until, .. }) if *until > self.now => Some(Obstacle::Held { until: *until }),
            Some(Seat::Held { .. } | Seat::Free) => None,
        }
    }

    fn sell(&mut self, id: i64) -> Answer {
        for seat in self.seats_of(id) {
            self.seats.insert(seat, Seat::Sold { to: id });
        }
        self.bookings.get_mut(&id).unwrap().end = End::Sold { at: self.now };
        Answer::Confirmed(id)
    }

    fn fail(&mut self, id: i64, until: i64) -> Answer {
        for seat in self.seats_of(id) {
            self.seats.insert(seat, Seat::Free);
        }
        self.bookings.get_mut(&id).unwrap().end = End::Failed { at: self.now };
        Answer::Expired { id, until }
    }

    fn seats_of(&self, id: i64) -> BTreeSet<(i64, i64)> {
        let booking = &self.bookings[&id];
        booking.seats.iter().map(|seat| (booking.show, *seat)).collect()
    }
}
