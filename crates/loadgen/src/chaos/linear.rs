//! Whether the history of one seat can be told as one story.
//!
//! A seat is free, held by a booking until its deadline, or sold to one; a hold may get more time, and a hold or a sale may be
//! given up. Who takes a seat may buy it at once: the house that keeps it, and a booking that gets it again after its deadline. Each call on it takes effect at one instant between its beginning and its end, and the answers must be those that a
//! seat would have given to the calls one after the other.
//! What time does to a seat is part of the story: a hold is live before its deadline and dead from it on.
//!
//! Three facts keep the search short. The answer to a hold tells the instant at which it was decided, so the holds of a seat
//! have one order. A call that only looks, and that the seat as it stands agrees with, can be put first without loss. And
//! what is still to be tried depends on what has been told, not on the order in which it was told.

mod search;

use super::history::Micros;

/// All that happened to a seat; or to a booking, which is like a seat that is held once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeatHistory {
    /// The holds that got it, in the order of their decisions.
    pub holds: Vec<Hold>,
    /// Everything else that was answered, in the order of their beginnings.
    pub events: Vec<Event>,
}

/// A hold that got the seat, or a sale without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The call.
    pub operation: u64,
    /// Its booking.
    pub booking_id: i64,
    /// When it was decided. It shows from then on or somewhat later, when it is committed.
    pub decided: Span,
    /// When it ends.
    pub deadline: Span,
    /// Whether it is sold from the beginning, and has no end of its own.
    pub sold: bool,
    /// When it must have shown, if it was answered.
    pub ended: Option<Micros>,
    /// When a confirm of it began that nobody knows the outcome of.
    pub unknown_confirm: Option<Micros>,
    /// When somebody had been told that it is confirmed. Until then lists and seat maps may show it as ended: they do not wait
    /// for a confirm that came in time and is just being committed.
    pub known_sold: Micros,
}

/// An instant, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Not before this.
    pub earliest: Micros,
    /// Not after this.
    pub latest: Micros,
}

/// A call that was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The call.
    pub operation: u64,
    /// It took effect at this instant or later.
    pub began: Micros,
    /// It took effect at this instant or before.
    pub ended: Micros,
    /// What its answer says of the seat.
    pub claim: Claim,
}

/// What an answer says of a seat. Bookings are named by the index of their hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It was sold to this booking by this very call.
    Confirms(usize),
    /// This booking, which held it until the first of these deadlines, does until the second by this very call.
    Extends(usize, Span, Span),
    /// This booking gave it up by this very call, held or sold.
    GivesUp(usize, Given),
    /// Nobody has it.
    Free(Sight),
    /// Somebody holds it.
    Held,
    /// Somebody holds it until this instant, cut to the millisecond.
    HeldUntil(Micros),
    /// This booking holds it.
    HeldBy(usize),
    /// It is sold.
    Sold,
    /// It is sold to this booking.
    SoldTo(usize),
    /// This booking has lost it.
    Lost(usize, Sight),
}

/// What a booking had of a seat that it gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// A hold.
    Hold,
    /// A sale.
    Sale,
}

/// How closely a call looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// It waits for changes that are on their way.
    Sharp,
    /// It may show a hold as ended whose confirm came in time and is just being committed.
    Blurred,
}

/// Where a story is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Phase {
    /// How many of the holds have got the seat so far.
    pub holds: usize,
    /// Whether the last of them is sold.
    pub sold: bool,
    /// Whether the last of them has given it up.
    pub gone: bool,
    /// The event that gave it more time last.
    pub extended_by: Option<usize>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is a story.
    Possible,
    /// There is none.
    Impossible(DeadEnd),
    /// Too many stories to try them all.
    Undecided,
}

/// Where the longest story ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadEnd {
    /// The call that does not fit, whatever is put before it.
    pub operation: u64,
    /// Its claim; none if it is a hold that got the seat.
    pub claim: Option<Claim>,
    /// How the seat stood in that story.
    pub phase: Phase,
}

impl Span {
    /// An instant that is known exactly.
    pub const fn exactly(instant: Micros) -> Self {
        Self { earliest: instant, latest: instant }
    }

    /// An instant that was cut to the millisecond.
    pub const fn cut(instant: Micros) -> Self {
        Self { earliest: instant, latest: instant + 999 }
    }

    /// This much earlier.
    #[must_use]
    pub const fn minus(self, time: Micros) -> Self {
        Self { earliest: self.earliest - time, latest: self.latest - time }
    }

    /// As answers show it: cut to the millisecond.
    pub const fn shown(self) -> Micros {
        self.earliest - self.earliest.rem_euclid(1000)
    }

    const ALWAYS: Self = Self { earliest: Micros::MIN, latest: Micros::MAX };

    const fn from(earliest: Micros) -> Self {
        Self { earliest, latest: Micros::MAX }
    }

    /// Strictly before an instant.
    const fn before(instant: Self) -> Self {
        Self { earliest: Micros::MIN, latest: instant.latest - 1 }
    }
}

impl SeatHistory {
    /// Puts the holds into the order of their decisions. To be done before events name them by index.
    pub fn sort_holds(&mut self) {
        self.holds.sort_by_key(|hold| (hold.decided.earliest, hold.operation));
    }

    /// Puts the events into the order of their beginnings.
    pub fn sort_events(&mut self) {
        self.events.sort_by_key(|event| (event.began, event.operation));
    }

    /// Whether there is a story. Holds and events must be in their order.
    pub fn verdict(&self) -> Verdict {
        search::search(self)
    }

    /// The hold that has, or had, the seat.
    fn holder(&self, phase: Phase) -> Option<&Hold> {
        self.holds.get(phase.holds.checked_sub(1)?)
    }

    /// When the hold ends that has the seat.
    fn deadline(&self, hold: &Hold, phase: Phase) -> Span {
        match self.extension(phase) {
            Some(Event { claim: Claim::Extends(_, _, to), .. }) => *to,
            _ => hold.deadline,
        }
    }

    fn extension(&self, phase: Phase) -> Option<&Event> {
        self.events.get(phase.extended_by?)
    }

    /// The phase after the next hold has got the seat.
    fn after_next(&self, phase: Phase) -> Phase {
        let sold = self.holds.get(phase.holds).is_some_and(|hold| hold.sold);
        Phase { holds: phase.holds + 1, sold, ..Phase::default() }
    }

    /// The phase after this event has been told.
    fn after(&self, index: usize, phase: Phase) -> Phase {
        match self.events.get(index).map(|event| event.claim) {
            Some(Claim::Confirms(_)) => Phase { sold: true, ..phase },
            Some(Claim::Extends(..)) => Phase { extended_by: Some(index), ..phase },
            Some(Claim::GivesUp(..)) => Phase { sold: false, gone: true, ..phase },
            _ => phase,
        }
    }

    /// When the next hold can show in this phase, and until when it must.
    fn next_hold(&self, phase: Phase) -> Option<Span> {
        let next = self.holds.get(phase.holds)?;
        let latest = next.ended.unwrap_or(Micros::MAX);
        match self.holder(phase) {
            None => Some(Span { earliest: next.decided.earliest, latest }),
            Some(_) if phase.gone => Some(Span { earliest: next.decided.earliest, latest }),
            Some(_) if phase.sold => None,
            // What counts is whether the last hold was dead when this one was decided.
            Some(last) => {
                let deadline = self.deadline(last, phase);
                let dead = deadline.earliest <= next.decided.latest;
                dead.then_some(Span { earliest: next.decided.earliest.max(deadline.earliest), latest })
            }
        }
    }

    /// When this can be true in this phase.
    fn when(&self, event: &Event, phase: Phase) -> Option<Span> {
        let holder = self.holder(phase);
        let live = holder.filter(|_| !phase.sold && !phase.gone).map(|hold| self.deadline(hold, phase));
        // A booking may have had the seat, given it up, and got it again.
        let is_last = |index: usize| {
            holder.is_some_and(|last| self.holds.get(index).is_some_and(|hold| hold.booking_id == last.booking_id))
        };
        match event.claim {
            Claim::Free(_) if phase.holds == 0 => Some(Span::ALWAYS),
            Claim::Free(sight) => holder.and_then(|hold| self.ended(hold, phase, event, sight)),
            Claim::Held => live.map(Span::before),
            Claim::HeldUntil(instant) => live.filter(|deadline| deadline.shown() == instant).map(Span::before),
            Claim::HeldBy(index) | Claim::Confirms(index) => live.filter(|_| is_last(index)).map(Span::before),
            Claim::Extends(index, from, _) => {
                live.filter(|deadline| is_last(index) && *deadline == from).map(|_| Span::before(from))
            }
            Claim::GivesUp(index, given) => {
                (!phase.gone && is_last(index) && phase.sold == (given == Given::Sale)).then_some(Span::ALWAYS)
            }
            Claim::Sold => phase.sold.then_some(Span::ALWAYS),
            Claim::SoldTo(index) => (phase.sold && is_last(index)).then_some(Span::ALWAYS),
            Claim::Lost(index, sight) if is_last(index) => holder.and_then(|hold| self.ended(hold, phase, event, sight)),
            // Somebody else has got it since.
            Claim::Lost(index, _) => self.has_had_it(index, phase).then_some(Span::ALWAYS),
        }
    }

    /// Whether the booking of this hold has had the seat, by this hold or by an earlier one.
    fn has_had_it(&self, index: usize, phase: Phase) -> bool {
        let booking = |index: usize| self.holds.get(index).map(|hold| hold.booking_id);
        index < phase.holds || (0..phase.holds).any(|earlier| booking(earlier) == booking(index))
    }

    /// When the seat's last hold can be seen as ended.
    fn ended(&self, hold: &Hold, phase: Phase, event: &Event, sight: Sight) -> Option<Span> {
        if phase.gone {
            return Some(Span::ALWAYS);
        }
        let blurred = sight == Sight::Blurred;
        let sale_excused = blurred && event.began <= hold.known_sold;
        if phase.sold && !sale_excused {
            return None;
        }
        // More time that is just being committed may not be seen yet.
        let extension = self.extension(phase).filter(|extension| blurred && event.began <= extension.ended);
        match extension.map(|extension| extension.claim) {
            Some(Claim::Extends(_, from, _)) => Some(Span::from(from.earliest)),
            _ => Some(Span::from(self.deadline(hold, phase).earliest)),
        }
    }
}

impl Claim {
    /// Whether the call itself has made it so.
    const fn is_change(&self) -> bool {
        matches!(self, Self::Confirms(_) | Self::Extends(..) | Self::GivesUp(..))
    }
}
