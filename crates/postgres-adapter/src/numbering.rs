//! Numbers in the history of a show: which come after those that the store will find used, decided before it is asked.

use std::collections::BTreeMap;

use domain::{BookingId, Entry, Owner};
use tokio_postgres::types::ToSql;

/// Where entries come in the histories of their shows.
#[derive(Default)]
pub(crate) struct Numbering {
    /// The shows, ascending.
    pub(crate) shows: Vec<i64>,
    /// Of new bookings, in their order.
    pub(crate) new: Places,
    /// Of what happened to stored bookings, in the order of the entries.
    pub(crate) stored: Places,
    /// Of the entries of `stored`: how many numbers later the booking's entry before it comes, if it has one here.
    pub(crate) follows: Vec<Option<i64>>,
    /// Where a stored booking's last entry comes.
    pub(crate) last: BTreeMap<BookingId, Place>,
}

/// A show as an index, from 1, and how many numbers of that show later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    show: i64,
    later: i64,
}

/// Places, as the statements take them.
#[derive(Default)]
pub(crate) struct Places {
    shows: Vec<i64>,
    later: Vec<i64>,
}

impl Numbering {
    /// In each show first what happened to stored bookings, then the new ones: what is free may have been given up by a stored
    /// booking, never by a new one.
    pub(crate) fn of(entries: &[Entry]) -> Self {
        let mut shows: BTreeMap<i64, Place> =
            entries.iter().map(|entry| (entry.show_id.get(), Place { show: 0, later: 0 })).collect();
        for (index, place) in (1..).zip(shows.values_mut()) {
            place.show = index;
        }
        let mut numbering = Self { shows: shows.keys().copied().collect(), ..Self::default() };
        let mut next = |entry: &Entry| {
            let place = shows.get_mut(&entry.show_id.get())?;
            place.later += 1;
            Some(*place)
        };
        for entry in entries {
            if let Owner::Stored(id) = entry.booking
                && let Some(place) = next(entry)
            {
                numbering.stored.push(place);
                numbering.follows.push(numbering.last.insert(id, place).map(|before| before.later));
            }
        }
        let new = entries.iter().filter(|entry| matches!(entry.booking, Owner::New(_)));
        numbering.new = new.filter_map(next).collect();
        numbering
    }

    /// Where the last entries of these bookings come.
    pub(crate) fn last_of(&self, bookings: impl Iterator<Item = BookingId>) -> Places {
        bookings.filter_map(|id| self.last.get(&id).copied()).collect()
    }
}

impl Places {
    fn push(&mut self, Place { show, later }: Place) {
        self.shows.push(show);
        self.later.push(later);
    }

    pub(crate) fn parameters(&self) -> [&(dyn ToSql + Sync); 2] {
        [&self.shows, &self.later]
    }
}

impl FromIterator<Place> for Places {
    fn from_iter<T: IntoIterator<Item = Place>>(all: T) -> Self {
        let mut places = Self::default();
        all.into_iter().for_each(|place| places.push(place));
        places
    }
}

#[cfg(test)]
mod tests {
    use domain::{Actor, Event, SeatNumber, ShowId};

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
        let entries = [
            entry(7, Owner::New(0)),
            entry(3, stored(1)),
            entry(7, stored(2)),
            entry(7, Owner::New(1)),
            entry(7, stored(3)),
            entry(7, stored(2)),
        ];
        let numbering = Numbering::of(&entries);
        let last = numbering.last_of([1, 2, 3].map(|id| BookingId::new(id).unwrap()).into_iter());
        assert_eq!((last.shows, last.later), (vec![1, 2, 2], vec![1, 3, 2]));
        let Numbering { shows, new, stored, follows, .. } = numbering;
        assert_eq!(shows, [3, 7]);
        assert_eq!((new.shows, new.later), (vec![2, 2], vec![4, 5]));
        assert_eq!((stored.shows, stored.later), (vec![1, 2, 2, 2], vec![1, 1, 2, 3]));
        assert_eq!(follows, [None, None, None, Some(1)]);
    }
}
