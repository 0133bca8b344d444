//! What this process has lately seen taken: a hint where to ask, never an answer.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicU64, Ordering};

use domain::{Command, Hold, Outcome, Refusal, Request, SeatKey, SeatRefusalReason};

/// Seats that are remembered, at most: half a megabyte.
const SLOTS: usize = 1 << 16;

/// A table of seats that were taken when last heard of. It forgets when two seats meet in one slot, and it does not hear of what
/// others do: whoever asks it must look.
pub(crate) struct Taken {
    slots: Box<[AtomicU64]>,
}

impl Taken {
    pub(crate) fn new() -> Self {
        Self { slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect() }
    }

    /// Whether this is a hold that is likely to be refused, and that a look may refuse: what came of a request under a key is kept,
    /// and a look keeps nothing.
    pub(crate) fn suspects(&self, request: &Request) -> bool {
        match &request.command {
            Command::Hold(hold) if request.idempotency.is_none() => hold.seat_keys().any(|seat| {
                let (slot, mark) = self.place(seat);
                slot.load(Ordering::Relaxed) == mark
            }),
            _ => false,
        }
    }

    /// Learns from what became of a command.
    pub(crate) fn learn(&self, command: &Command, outcome: &Outcome) {
        match (command, outcome) {
            (Command::Hold(hold), Outcome::Held { .. }) => hold.seat_keys().for_each(|seat| self.note(seat)),
            (Command::Hold(hold), Outcome::Refused(Refusal::SeatsNotFree { seats })) => {
                for refused in seats {
                    match refused.reason {
                        SeatRefusalReason::Held { .. } | SeatRefusalReason::Sold => {
                            self.note(SeatKey { show_id: hold.show_id, number: refused.number });
                        }
                        SeatRefusalReason::Unknown | SeatRefusalReason::HadAlready | SeatRefusalReason::NotHad => {}
                    }
                }
            }
            _ => {}
        }
    }

    /// Forgets the seats of a hold that can perhaps be had.
    pub(crate) fn forget(&self, hold: &Hold) {
        hold.seat_keys().for_each(|seat| {
            let (slot, mark) = self.place(seat);
            let _ = slot.compare_exchange(mark, 0, Ordering::Relaxed, Ordering::Relaxed);
        });
    }

    fn note(&self, seat: SeatKey) {
        let (slot, mark) = self.place(seat);
        slot.store(mark, Ordering::Relaxed);
    }

    /// Where a seat is noted, and as what; an empty slot is zero.
    fn place(&self, seat: SeatKey) -> (&AtomicU64, u64) {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(seat) | 1;
        let slot = usize::try_from(hash >> 32).unwrap_or_default() % SLOTS;
        (&self.slots[slot], hash)
    }
}
