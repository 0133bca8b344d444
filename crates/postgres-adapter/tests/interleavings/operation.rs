//! The calls that meet.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{
    BookingId, BookingRepository, BookingStatus, Command, Hold, Outcome, SeatSelection, ShowId, StoreError, Timestamp, UserName,
};

use postgres_adapter::Foresee;

use crate::books::{self, Books};
use crate::stage::Stop;

/// A call, with the name it has in failures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) ask: Ask,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Ask {
    /// Hold these seats.
    Hold(&'static [i64]),
    /// Confirm the booking with this id.
    Confirm(i64),
    Sweep,
    /// Look up the booking with this id.
    Find(i64),
}

/// What a call answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Decided(Outcome),
    Swept(BTreeSet<BookingId>),
    Found(BookingStatus),
}

/// How long a hold lives that is made here.
pub(crate) const HOLD_FOR: TimeDelta = TimeDelta::minutes(10);
/// Every call is about one show.
const SHOWS: usize = 1;
/// Enough for everything that is dead.
pub(crate) const SWEEP_LIMIT: u32 = 10;

impl Ask {
    /// The command of one who is called `user`; `None` for what is no command.
    pub(crate) fn command(self, user: &str) -> Option<Command> {
        match self {
            Self::Hold(seats) => Some(Command::Hold(Hold {
                show_id: ShowId::new(books::SHOW).unwrap(),
                seats: SeatSelection::new(seats, 50).unwrap(),
                user_name: UserName::new(user).unwrap(),
                customer: None,
                hold_for: HOLD_FOR,
            })),
            Self::Confirm(id) => Some(Command::Confirm(domain::Confirm::of(books::id(id)))),
            Self::Sweep | Self::Find(_) => None,
        }
    }

    pub(crate) async fn of(self, bookings: &dyn BookingRepository, user: &str) -> Result<Answer, StoreError> {
        match self {
            Self::Hold(_) | Self::Confirm(_) => {
                let mut outcomes = bookings.execute(&[self.command(user).unwrap().into()]).await?;
                Ok(Answer::Decided(outcomes.remove(0)))
            }
            Self::Sweep => {
                let swept = bookings.expire_due(SWEEP_LIMIT.try_into().unwrap()).await?;
                Ok(Answer::Swept(swept.expired.into_iter().collect()))
            }
            Self::Find(id) => {
                let found = bookings.find(books::id(id)).await?.unwrap();
                Ok(Answer::Found(found.booking.state.status()))
            }
        }
    }

    /// The seats that it locks, or tries to, in its first attempt when it begins at this time. (What it locks of bookings, it
    /// locks with all of their seats.)
    pub(crate) fn seats_at_first(self, begun: Timestamp) -> BTreeSet<i64> {
        let books = Books::at_start();
        match self {
            Self::Hold(seats) => seats.iter().copied().collect(),
            Self::Confirm(id) => books.seats_of(books::id(id)),
            Self::Sweep => books.dead_at(begun).flat_map(|id| books.seats_of(id)).collect(),
            Self::Find(_) => BTreeSet::new(),
        }
    }

    /// The seats that it locks, or tries to, before it is stopped there. If dead holds are in its way it has by then begun anew,
    /// and wants all of their seats.
    pub(crate) fn seats_locked(self, stop: Stop, begun: Timestamp) -> BTreeSet<i64> {
        let books = Books::at_start();
        let mut seats = self.seats_at_first(begun);
        for dead in books.dead_at(begun).map(|id| books.seats_of(id)) {
            if stop != Stop::BeforeTheClock && !seats.is_disjoint(&dead) {
                seats.extend(dead);
            }
        }
        seats
    }

    /// How often a command reads the clock in its first attempt: for every row that it locks, but once if it comes true as foreseen.
    pub(crate) fn readings_at_first(self, foresee: Foresee) -> usize {
        match self {
            Self::Hold(seats) if foresee == Foresee::Always && seats.iter().all(|seat| books::FREE.contains(seat)) => 1,
            Self::Confirm(books::LIVE) if foresee == Foresee::Always => 1,
            Self::Hold(seats) => seats.len() + SHOWS,
            Self::Confirm(id) => Books::at_start().seats_of(books::id(id)).len() + 1 + SHOWS,
            Self::Sweep | Self::Find(_) => 0,
        }
    }

    /// Whether a call that is alone comes to this point: one that is refused saves nothing, and only commands stop at the clock.
    pub(crate) fn comes_to(self, stop: Stop) -> bool {
        match stop {
            Stop::BeforeTheClock => self.command("first").is_some(),
            Stop::BeforeTheSave | Stop::BeforeTheCommit => {
                let mut books = Books::at_start();
                books.perform(books::start(), self, "first", &BTreeSet::new());
                books.lines() != Books::at_start().lines()
            }
        }
    }
}
