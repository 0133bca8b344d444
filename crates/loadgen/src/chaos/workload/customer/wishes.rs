//! What a customer asks for.

use std::time::Duration;

use rand::RngExt;

use super::super::super::history::{Call, Show};
use super::Customer;

/// Largest basket.
const BASKET_MAX: usize = 4;

impl Customer {
    /// Something to do with a booking.
    pub(super) fn wish(&mut self, booking_id: i64, show: Show) -> Call {
        match self.random.random_range(0..10) {
            0..2 => self.confirm(booking_id),
            2..4 => Call::Cancel { booking_id, by_house: false },
            4 => Call::Cancel { booking_id, by_house: true },
            5..6 => Call::Extend { booking_id },
            _ => {
                let own = self.bookings.iter().find(|(id, _)| *id == booking_id);
                let mut remove = own.map_or_else(Vec::new, |(_, seats)| seats.clone());
                remove.truncate(self.random.random_range(0..=2));
                let mut add = self.basket(show);
                add.truncate(self.random.random_range(1..=2));
                add.retain(|seat| !remove.contains(seat));
                if add.is_empty() && remove.is_empty() {
                    return Call::Extend { booking_id };
                }
                Call::Change { booking_id, add, remove }
            }
        }
    }

    /// Most have paid somebody who says so, and most want all of their seats. Some are mistaken about which are theirs.
    pub(super) fn confirm(&mut self, booking_id: i64) -> Call {
        let (pays, wants_all) = (self.random.random_ratio(2, 3), self.random.random_ratio(3, 5));
        let own = self.bookings.iter().find(|(id, _)| *id == booking_id).filter(|_| !wants_all);
        let seats = own.map(|(_, seats)| {
            let mut seats = seats.clone();
            let at = self.random.random_range(0..seats.len().max(1));
            if self.random.random_ratio(1, 12) && !seats.contains(&1) {
                seats.insert(0, 1);
            } else if seats.len() > 1 {
                seats.remove(at);
            }
            seats
        });
        Call::Confirm { booking_id, pays, seats }
    }

    /// Some seats, now and then one that there is not.
    pub(super) fn basket(&mut self, show: Show) -> Vec<u32> {
        let last = show.seats + u32::from(self.random.random_ratio(1, 100));
        let size = self.random.random_range(1..=BASKET_MAX).min(last as usize);
        let mut seats: Vec<u32> = Vec::with_capacity(size);
        while seats.len() < size {
            let seat = self.random.random_range(1..=last);
            if !seats.contains(&seat) {
                seats.push(seat);
            }
        }
        seats.sort_unstable();
        seats
    }

    /// Most wait for the answer, some hang up.
    pub(super) fn patience(&mut self) -> Option<Duration> {
        let hangs_up = self.random.random_ratio(3, 100);
        hangs_up.then(|| Duration::from_micros(self.random.random_range(0..=10_000)))
    }
}
