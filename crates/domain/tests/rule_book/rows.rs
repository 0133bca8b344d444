//! Rows as a store has them, without a store: what it loads for a batch, and how it saves one.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Booking, BookingId, BookingState, BookingStatus, Changes, Command, Deadline, DueHold, Keys, Ledger, LedgerError, LockedRows,
    LockedSeat, LockedShow, Outcome, Owner, Request, SeatKey, SeatNumber, SeatState, ShowId, Swept, Terms, Timestamp, UserName,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SeatRow {
    Available,
    Held { by: BookingId, until: Timestamp },
    Sold { to: BookingId },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BookingRow {
    pub(crate) show_id: ShowId,
    pub(crate) user_name: UserName,
    pub(crate) seats: Vec<SeatNumber>,
    pub(crate) deadline: Timestamp,
    pub(crate) status: BookingStatus,
    pub(crate) confirmed_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Rows {
    pub(crate) seats: BTreeMap<SeatKey, SeatRow>,
    pub(crate) bookings: BTreeMap<BookingId, BookingRow>,
}

impl BookingRow {
    /// The seats that it lists.
    pub(crate) fn keys(&self) -> impl Iterator<Item = SeatKey> {
        self.seats.iter().map(|&number| SeatKey { show_id: self.show_id, number })
    }
}

pub(crate) fn show(id: i64) -> ShowId {
    ShowId::new(id).unwrap()
}

pub(crate) fn seat(show_id: i64, number: i64) -> SeatKey {
    SeatKey { show_id: show(show_id), number: SeatNumber::new(number).unwrap() }
}

pub(crate) fn booking(id: i64) -> BookingId {
    BookingId::new(id).unwrap()
}

impl Rows {
    /// Free seats: of the shows from 1 to `shows`, those from 1 to `seats`.
    pub(crate) fn free(shows: i64, seats: i64) -> Self {
        let keys = (1..=shows).flat_map(|show| (1..=seats).map(move |number| seat(show, number)));
        Self { seats: keys.map(|key| (key, SeatRow::Available)).collect(), bookings: BTreeMap::new() }
    }

    /// The bookings whose dead holds are on these seats.
    fn in_the_way(&self, now: Timestamp, seats: &[SeatKey]) -> impl Iterator<Item = BookingId> {
        seats.iter().filter_map(move |key| match self.seats.get(key) {
            Some(SeatRow::Held { by, until }) if *until <= now => Some(*by),
            Some(SeatRow::Available | SeatRow::Held { .. } | SeatRow::Sold { .. }) | None => None,
        })
    }

    /// What the ports ask a store to load for these commands, and no other row. Of the dead holds that are in the way it has
    /// met some, and not yet the others.
    pub(crate) fn load(&self, now: Timestamp, commands: &[Command], met: impl Fn(BookingId) -> bool) -> LockedRows {
        let keys = Keys::of(&commands.iter().cloned().map(Request::from).collect::<Vec<_>>());
        let dead = self.in_the_way(now, &keys.seats).filter(|id| met(*id));
        let ids: BTreeSet<BookingId> = keys.bookings.iter().copied().chain(dead).collect();
        let theirs = ids.iter().filter_map(|id| self.bookings.get(id)).flat_map(BookingRow::keys);
        let seats: BTreeSet<SeatKey> = keys.seats.iter().copied().chain(theirs).collect();
        self.locked(now, &keys.shows, &seats, &ids)
    }

    /// These rows, as far as they exist.
    pub(crate) fn locked(
        &self,
        now: Timestamp,
        shows: &[ShowId],
        seats: &BTreeSet<SeatKey>,
        bookings: &BTreeSet<BookingId>,
    ) -> LockedRows {
        let exists = |show: &ShowId| self.seats.keys().any(|key| key.show_id == *show);
        let theirs = bookings.iter().filter_map(|id| self.bookings.get(id)).map(|row| row.show_id);
        let shows: BTreeSet<ShowId> = shows.iter().copied().chain(theirs).collect();
        LockedRows {
            now,
            shows: shows
                .into_iter()
                .filter(exists)
                .map(|id| LockedShow { id, terms: Terms::default(), cancelled: false, revision: 0 })
                .collect(),
            seats: seats.iter().filter_map(|key| self.seat(*key)).collect(),
            bookings: bookings.iter().filter_map(|id| self.booking(*id)).collect(),
            holdings: Vec::new(),
            payments: Vec::new(),
            used_keys: Vec::new(),
        }
    }

    /// Decides on what was loaded, and saves. After an error nothing has changed.
    pub(crate) fn run(&mut self, loaded: LockedRows, commands: &[Command]) -> Result<Vec<Outcome>, LedgerError> {
        let mut ledger = Ledger::open(loaded);
        let decisions = commands.iter().map(|command| ledger.apply(&command.clone().into())).collect::<Result<Vec<_>, _>>()?;
        let ids = self.save(&ledger.into_changes());
        Ok(decisions.into_iter().map(|decision| decision.outcome(&ids).unwrap()).collect())
    }

    /// Runs the commands as a store does: on the rows they name, and if that is too little, on all that can be needed.
    pub(crate) fn execute(&mut self, now: Timestamp, commands: &[Command]) -> Vec<Outcome> {
        let decided = match self.run(self.load(now, commands, |_| false), commands) {
            Err(LedgerError::RowsMissing) => self.run(self.load(now, commands, |_| true), commands),
            decided => decided,
        };
        decided.unwrap()
    }

    /// The PENDING bookings that are dead, at most `limit`, those with the oldest deadline.
    pub(crate) fn due(&self, now: Timestamp, limit: usize) -> BTreeSet<BookingId> {
        let is_due = |row: &BookingRow| row.status == BookingStatus::Pending && row.deadline <= now;
        let due = self.bookings.iter().filter(|(_, row)| is_due(row)).map(|(id, row)| (row.deadline, *id));
        due.collect::<BTreeSet<_>>().into_iter().take(limit).map(|(_, id)| id).collect()
    }

    /// Sweeps these bookings, as far as their seats are not `locked` by someone else.
    pub(crate) fn sweep(&mut self, now: Timestamp, due: &BTreeSet<BookingId>, locked: &BTreeSet<SeatKey>) -> Vec<Outcome> {
        let due_hold = |id: &BookingId| {
            let booking = self.booking(*id)?;
            let seat = |&number| SeatKey { show_id: booking.show_id, number };
            let free_to_lock = booking.seats.iter().map(seat).filter(|key| !locked.contains(key));
            let locked = free_to_lock.filter_map(|key| Some((key.number, self.seat(key)?.state))).collect();
            Some(DueHold { id: *id, show_id: booking.show_id, deadline: booking.deadline, locked, seats: booking.seats })
        };
        let swept = Swept::of(now, due.iter().filter_map(due_hold).collect());
        assert_eq!(swept.corrupt, []);
        self.save(&swept.changes());
        swept.expired.iter().map(|hold| Outcome::Expired { booking_id: hold.id, deadline: hold.deadline }).collect()
    }

    pub(crate) fn seat(&self, key: SeatKey) -> Option<LockedSeat> {
        let state = match *self.seats.get(&key)? {
            SeatRow::Available => SeatState::Available,
            SeatRow::Held { by, until } => SeatState::Held { by, until: Deadline::at(until) },
            SeatRow::Sold { to } => SeatState::Sold { to },
        };
        Some(LockedSeat { key, state })
    }

    pub(crate) fn booking(&self, id: BookingId) -> Option<Booking> {
        let row = self.bookings.get(&id)?;
        let state = match row.status {
            BookingStatus::Pending => BookingState::Pending,
            BookingStatus::Confirmed => BookingState::Confirmed { at: row.confirmed_at.unwrap(), reclaimed: false },
            BookingStatus::Failed => BookingState::EXPIRED,
        };
        Some(Booking {
            id,
            show_id: row.show_id,
            user_name: row.user_name.clone(),
            customer: None,
            blocked_for: None,
            payment: None,
            seats: row.seats.clone(),
            deadline: Deadline::at(row.deadline),
            state,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }

    /// Saves the changes, each row of which must be named once; gives the new bookings' ids.
    fn save(&mut self, changes: &Changes) -> Vec<BookingId> {
        let now = changes.now;
        let mut ids = Vec::new();
        for new in &changes.new_bookings {
            let id = booking(i64::try_from(self.bookings.len()).unwrap() + 1);
            let row = BookingRow {
                show_id: new.show_id,
                user_name: new.user_name.clone(),
                seats: new.seats.clone(),
                deadline: new.deadline.instant(),
                status: BookingStatus::Pending,
                confirmed_at: None,
                created_at: now,
                updated_at: now,
            };
            assert!(self.bookings.insert(id, row).is_none());
            ids.push(id);
        }
        let mut seen = BTreeSet::new();
        for change in &changes.bookings {
            assert!(seen.insert(change.id), "{} is changed twice", change.id);
            let row = self.bookings.get_mut(&change.id).unwrap();
            (row.status, row.confirmed_at, row.updated_at) = (change.state.status(), change.state.confirmed_at(), now);
        }
        let owner = |owner| match owner {
            Owner::Stored(id) => id,
            Owner::New(index) => ids[index],
        };
        let mut seen = BTreeSet::new();
        for change in &changes.seats {
            assert!(seen.insert(change.key), "{:?} is changed twice", change.key);
            let row = match change.state {
                SeatState::Available => SeatRow::Available,
                SeatState::Held { by, until } => SeatRow::Held { by: owner(by), until: until.instant() },
                SeatState::Sold { to } => SeatRow::Sold { to: owner(to) },
            };
            assert!(self.seats.insert(change.key, row).is_some(), "{:?} does not exist", change.key);
        }
        ids
    }
}
