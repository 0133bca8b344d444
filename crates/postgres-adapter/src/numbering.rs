//! Numbers in the history of a show: which come after those that the store will find used, decided before it is asked.

use std::collections::BTreeMap;

use domain::{Entry, Owner};

/// Where entries come in the histories of their shows.
#[derive(Default)]
pub(crate) struct Numbering {
    /// The shows, ascending.
    pub(crate) shows: Vec<i64>,
    /// Of new bookings, in their order.
    pub(crate) new: Places,
    /// Of stored bookings, in the order of their entries.
    pub(crate) stored: Places,
}

/// The place of each entry: its show as an index, from 1, and how many numbers of that show later it comes.
#[derive(Default)]
pub(crate) struct Places {
    pub(crate) shows: Vec<i64>,
    pub(crate) later: Vec<i64>,
}

impl Numbering {
    /// In each show first what happened to stored bookings, then the new ones: what is free may have been given up by a stored
    /// booking, never by a new one.
    pub(crate) fn of(entries: &[Entry]) -> Self {
        let mut shows: BTreeMap<i64, (i64, i64)> = entries.iter().map(|entry| (entry.show_id.get(), (0, 0))).collect();
        for (index, (place, _)) in (1..).zip(shows.values_mut()) {
            *place = index;
        }
        let mut numbering = Self { shows: shows.keys().copied().collect(), ..Self::default() };
        for is_new in [false, true] {
            let places = if is_new { &mut numbering.new } else { &mut numbering.stored };
            for entry in entries.iter().filter(|entry| matches!(entry.booking, Owner::New(_)) == is_new) {
                if let Some((show, last)) = shows.get_mut(&entry.show_id.get()) {
                    *last += 1;
                    places.shows.push(*show);
                    places.later.push(*last);
                }
            }
        }
        numbering
    }
}

#[cfg(test)]
mod tests {
    use domain::{Actor, BookingId, Event, SeatNumber, ShowId};

    use super::*;

    #[test]
    fn each_show_counts_what_was_stored_and_then_what_is_new() {
        let entry = |show, booking| Entry {
            show_id: ShowId::new(show).unwrap(),
            booking,
            event: Event::Held,
            from: None,
            seats: vec![SeatNumber::new(1).unwrap()],
            by: Actor::Customer,
        };
        let stored = |id| Owner::Stored(BookingId::new(id).unwrap());
        let entries =
            [entry(7, Owner::New(0)), entry(3, stored(1)), entry(7, stored(2)), entry(7, Owner::New(1)), entry(7, stored(3))];
        let Numbering { shows, new, stored } = Numbering::of(&entries);
        assert_eq!(shows, [3, 7]);
        assert_eq!((new.shows, new.later), (vec![2, 2], vec![3, 4]));
        assert_eq!((stored.shows, stored.later), (vec![1, 2, 2], vec![1, 1, 2]));
    }
}
