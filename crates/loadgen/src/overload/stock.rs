//! The seats of an overload: those that nobody has asked for yet, and who was told to have one.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::client::Connection;
use crate::patience;

/// Largest house. Its seat map is read in one piece.
const HOUSE_SEATS_MAX: u32 = 50_000;

/// A seat of a show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) show_id: i64,
    pub(super) number: u32,
}

/// Seats, each asked for by one customer at a time, and by nobody again once it is somebody's.
#[derive(Default)]
pub(super) struct Stock(Mutex<Seats>);

#[derive(Default)]
struct Seats {
    free: Vec<Seat>,
    held: Vec<Held>,
    /// Asked for, and then there was no answer.
    unknown: Vec<Seat>,
    shows: Vec<i64>,
}

/// A hold that was answered with 201.
struct Held {
    seat: Seat,
    booking_id: i64,
    since: Instant,
}

impl Stock {
    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat that nobody has.
    pub(super) fn take(&self) -> Option<Seat> {
        self.seats().free.pop()
    }

    /// Nobody got it after all.
    pub(super) fn put_back(&self, seat: Seat) {
        self.seats().free.push(seat);
    }

    /// Somebody was told to have it.
    pub(super) fn held(&self, seat: Seat, booking_id: i64) {
        self.seats().held.push(Held { seat, booking_id, since: Instant::now() });
    }

    /// Somebody may have it.
    pub(super) fn unknown(&self, seat: Seat) {
        self.seats().unknown.push(seat);
    }

    /// Makes new shows until there are so many free seats.
    pub(super) async fn fill_up_to(&self, seats: u32, box_office: &mut Connection) -> anyhow::Result<()> {
        loop {
            let free = u32::try_from(self.seats().free.len())?;
            if free >= seats {
                return Ok(());
            }
            let house = (seats - free).min(HOUSE_SEATS_MAX);
            let show_id = patience::show(box_office, "Overloaded by loadgen", house).await.context("can't create a show")?;
            let mut seats = self.seats();
            seats.shows.push(show_id);
            // Taken from the end: in the order of their numbers.
            seats.free.extend((1..=house).rev().map(|number| Seat { show_id, number }));
        }
    }

    /// Everything in the seat maps that is not as it was answered. A hold that may have run out meanwhile is not looked at.
    pub(super) async fn audit(&self, box_office: &mut Connection, hold_lasts: Duration) -> anyhow::Result<Vec<String>> {
        // Between the commit and the answer some of a hold's life has gone by, and a little goes by while the maps are read.
        const MARGIN: Duration = Duration::from_secs(10);
        let seats = std::mem::take(&mut *self.seats());
        let mut owners: BTreeMap<i64, HashMap<i64, Owner>> =
            seats.shows.iter().map(|show_id| (*show_id, HashMap::new())).collect();
        let mut own = |seat: Seat, owner| owners.entry(seat.show_id).or_default().insert(i64::from(seat.number), owner);
        for seat in seats.unknown {
            own(seat, Owner::Unknown);
        }
        for Held { seat, booking_id, since } in seats.held {
            let lives = since + hold_lasts.saturating_sub(MARGIN) > Instant::now();
            own(seat, Owner::Booking { booking_id, lives });
        }
        let mut wrong = Vec::new();
        for (show_id, owners) in owners {
            let map = box_office.seats(show_id).await.with_context(|| format!("can't read the seats of show {show_id}"))?;
            for seat in map {
                let found = (seat.status.as_str(), seat.booking_id);
                let owner = owners.get(&seat.seat_number);
                if !owner.map_or(seat.status == "AVAILABLE", |owner| owner.agrees(found)) {
                    wrong.push(format!("seat {} of show {show_id} is {found:?}, but was answered: {owner:?}", seat.seat_number));
                }
            }
        }
        Ok(wrong)
    }
}

/// Who has a seat, by what was answered.
#[derive(Debug)]
enum Owner {
    Unknown,
    Booking { booking_id: i64, lives: bool },
}

impl Owner {
    fn agrees(&self, (status, booking): (&str, Option<i64>)) -> bool {
        match *self {
            Self::Unknown => status != "CONFIRMED",
            Self::Booking { booking_id, .. } if status == "PENDING" => booking.is_none_or(|id| id == booking_id),
            Self::Booking { lives, .. } => status == "AVAILABLE" && !lives,
        }
    }
}
