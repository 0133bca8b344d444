//! Numbers in the history of a show: which come after those that the store will find used, decided before it is asked.

use std::collections::BTreeMap;

use domain::{BookingId, Owner, ShowId, StoreError};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::rows;
use crate::words::Numbers;

/// Where entries come in the histories of their shows.
#[derive(Default)]
pub(crate) struct Numbering {
    /// The shows, ascending.
    pub(crate) shows: Numbers,
    /// How many numbers of each are used.
    used: Vec<i64>,
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
    shows: Numbers,
    later: Numbers,
}

impl Numbering {
    /// Of what happened in these shows to these bookings, in its order. In each show first comes what happened to stored bookings, then
    /// the new ones: what is free may have been given up by a stored booking, never by a new one.
    pub(crate) fn of(entries: impl Iterator<Item = (ShowId, Owner)> + Clone) -> Self {
        let mut shows: BTreeMap<i64, Place> =
            entries.clone().map(|(show_id, _)| (show_id.get(), Place { show: 0, later: 0 })).collect();
        for (index, place) in (1..).zip(shows.values_mut()) {
            place.show = index;
        }
        let mut numbering = Self { shows: shows.keys().copied().collect(), ..Self::default() };
        let mut next = |show_id: ShowId| {
            let place = shows.get_mut(&show_id.get())?;
            place.later += 1;
            Some(*place)
        };
        for (show_id, booking) in entries.clone() {
            if let Owner::Stored(id) = booking
                && let Some(place) = next(show_id)
            {
                numbering.stored.push(place);
                numbering.follows.push(numbering.last.insert(id, place).map(|before| before.later));
            }
        }
        let new = entries.filter(|(_, booking)| matches!(booking, Owner::New(_)));
        numbering.new = new.filter_map(|(show_id, _)| next(show_id)).collect();
        numbering.used = shows.values().map(|place| place.later).collect();
        numbering
    }

    /// What this comes to where the histories of the shows had come to these last numbers, the new bookings have these ids, and the last
    /// steps of stored ones had these numbers.
    pub(crate) fn from(&self, given: &Given, stood: &BTreeMap<BookingId, i64>) -> Steps {
        let Given { new_ids, last_numbers } = given;
        let number = |place: Place| {
            let index = usize::try_from(place.show).ok()?.checked_sub(1)?;
            Some(last_numbers.get(index)? + place.later)
        };
        let new = new_ids.iter().copied().zip(self.new.each());
        let stored = self.last.iter().map(|(id, place)| (*id, *place));
        let step = |(id, place)| Some((id, Step { before: stood.get(&id).copied(), last: number(place)? }));
        Steps {
            shows: self.shows.iter().zip(&self.used).zip(last_numbers).map(|((show, used), last)| (*show, last + used)).collect(),
            bookings: new.chain(stored).filter_map(step).collect(),
        }
    }

    /// Where the last entries of these bookings come.
    pub(crate) fn last_of(&self, bookings: impl Iterator<Item = BookingId>) -> Places {
        bookings.filter_map(|id| self.last.get(&id).copied()).collect()
    }
}

/// What a batch has come to in the histories of its shows.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Steps {
    /// The last number of each show.
    pub(crate) shows: Vec<(i64, i64)>,
    /// What each booking has come to.
    pub(crate) bookings: BTreeMap<BookingId, Step>,
}

/// The steps of a booking in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The number of the last step before the batch; `None` of a new booking.
    pub(crate) before: Option<i64>,
    /// The number of the last one.
    pub(crate) last: i64,
}

/// What a batch was given when it was saved: the ids of its new bookings, and the last numbers of its shows before it.
pub(crate) struct Given {
    pub(crate) new_ids: Vec<BookingId>,
    pub(crate) last_numbers: Vec<i64>,
}

impl Given {
    /// An array of nothing is null. The batch is saved: what can't be read is unknown.
    pub(crate) fn in_row(row: &Row, has_new_bookings: bool) -> Result<Self, StoreError> {
        let array = |name| rows::column::<Option<Vec<i64>>>(row, name).map(Option::unwrap_or_default);
        let read = || {
            let new_ids = if has_new_bookings { array("new_ids")? } else { Vec::new() };
            let new_ids = new_ids.into_iter().map(rows::booking_id).collect::<Result<_, _>>()?;
            Ok(Self { new_ids, last_numbers: array("last_numbers")? })
        };
        read().map_err(|error: StoreError| StoreError::OutcomeUnknown(error.to_string()))
    }
}

impl Places {
    fn each(&self) -> impl Iterator<Item = Place> {
        self.shows.iter().zip(self.later.iter()).map(|(&show, &later)| Place { show, later })
    }

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
    use super::*;

    #[test]
    fn each_show_counts_what_was_stored_and_then_what_is_new() {
        let entry = |show, booking| (ShowId::new(show).unwrap(), booking);
        let stored = |id| Owner::Stored(BookingId::new(id).unwrap());
        let entries = [
            entry(7, Owner::New(0)),
            entry(3, stored(1)),
            entry(7, stored(2)),
            entry(7, Owner::New(1)),
            entry(7, stored(3)),
            entry(7, stored(2)),
        ];
        let numbering = Numbering::of(entries.iter().copied());
        let last = numbering.last_of([1, 2, 3].map(|id| BookingId::new(id).unwrap()).into_iter());
        assert_eq!((&*last.shows, &*last.later), ([1, 2, 2].as_slice(), [1, 3, 2].as_slice()));
        let ids = [1, 2, 3, 8, 9].map(|id| BookingId::new(id).unwrap());
        let given = Given { new_ids: ids[3..].to_vec(), last_numbers: vec![10, 20] };
        let steps = numbering.from(&given, &BTreeMap::from([(ids[0], 4), (ids[1], 5), (ids[2], 6)]));
        assert_eq!(steps.shows, [(3, 11), (7, 25)]);
        let step = |id: &BookingId| (steps.bookings[id].before, steps.bookings[id].last);
        assert_eq!(ids.each_ref().map(step), [(Some(4), 11), (Some(5), 23), (Some(6), 22), (None, 24), (None, 25)]);
        let Numbering { shows, new, stored, follows, .. } = numbering;
        assert_eq!(*shows, [3, 7]);
        assert_eq!((&*new.shows, &*new.later), ([2, 2].as_slice(), [4, 5].as_slice()));
        assert_eq!((&*stored.shows, &*stored.later), ([1, 2, 2, 2].as_slice(), [1, 1, 2, 3].as_slice()));
        assert_eq!(follows, [None, None, None, Some(1)]);
    }
}
