//! A look at seats that nobody has locked: enough to say no, never enough to say yes.

use crate::command::Hold;
use crate::deadline::Timestamp;
use crate::ids::ShowId;
use crate::ledger::{Ledger, LockedRows, LockedSeat, LockedShow};
use crate::refusal::Refusal;
use crate::show::Terms;

/// Seats as they were in one snapshot, taken between two readings of the store's clock.
///
/// A refusal needs no lock: it changes nothing, and was true in the snapshot. What is not refused has to be decided under locks;
/// and so has a hold of a seat that is dead but still stands as held: a confirm that came in time may be on its way to be
/// committed, so that nobody can say without its lock whether that seat is free.
#[derive(Debug)]
pub struct Look {
    before: Ledger,
    after: Ledger,
}

impl Look {
    /// A look at these seats, read between `before` and `after`.
    pub fn new(before: Timestamp, after: Timestamp, seats: Vec<LockedSeat>) -> Self {
        let mut shows: Vec<ShowId> = seats.iter().map(|seat| seat.key.show_id).collect();
        shows.dedup();
        // That a seat is not free has nothing to do with the show.
        let shows =
            shows.into_iter().map(|id| LockedShow { id, terms: Terms::default(), cancelled: false, revision: 0 }).collect();
        let rows = LockedRows { shows, seats, ..LockedRows::none(before) };
        Self { before: Ledger::open(rows.clone()), after: Ledger::open(LockedRows { now: after, ..rows }) }
    }

    /// Why this hold was refused at the instant of the snapshot; `None` if it was not, or if that can't be said: one of its seats
    /// stands as held by a dead hold, a deadline passed between the readings, or none of the show's seats is among those that were
    /// read.
    pub fn refusal(&self, hold: &Hold) -> Option<Refusal> {
        let refusal = |ledger: &Ledger| ledger.seats_refusal(hold.show_id, &hold.seats);
        match (refusal(&self.before), refusal(&self.after)) {
            (Some(Refusal::NoSuchShow { .. }), _) => None,
            (before, after) if before == after => after.filter(|_| !self.after.wants_a_dead_hold(hold)),
            _ => None,
        }
    }
}
