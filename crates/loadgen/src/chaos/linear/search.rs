//! The search for a story.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::super::history::Micros;
use super::{DeadEnd, Phase, SeatHistory, Span, Verdict};

/// How many events may be looked at before the search gives up. A seat with a hundred thousand events needs some millions.
const LOOKS_MAX: u64 = 200_000_000;

pub(super) fn search(seat: &SeatHistory) -> Verdict {
    search_within(seat, LOOKS_MAX)
}

fn search_within(seat: &SeatHistory, looks_max: u64) -> Verdict {
    let mut search = Search::new(seat);
    loop {
        if search.looks > looks_max {
            return Verdict::Undecided;
        }
        let steps = search.steps();
        if search.is_complete() {
            return Verdict::Possible;
        }
        if !search.go_on(steps) && !search.go_back() {
            return search.dead_end.map_or(Verdict::Undecided, |(_, end)| Verdict::Impossible(end));
        }
    }
}

/// A story so far, and the other ways that it could have gone.
struct Search<'a> {
    seat: &'a SeatHistory,
    /// When the holds from this one on must have shown, at the latest.
    hold_limits: Vec<Micros>,
    phase: Phase,
    now: Micros,
    told: Vec<bool>,
    /// All events before this one are told.
    first: usize,
    /// Which events were told, in order.
    order: Vec<usize>,
    crossroads: Vec<Crossroads>,
    /// Where more than one way led on: what was told, and the earliest time at which the story got there.
    known: HashMap<Place, Micros>,
    dead_end: Option<(Micros, DeadEnd)>,
    looks: u64,
}

/// Where a story is: what is told, and how the seat stands.
#[derive(PartialEq, Eq, Hash)]
struct Place {
    phase: Phase,
    first: usize,
    told: Box<[usize]>,
}

/// Where a story could have gone another way.
struct Crossroads {
    phase: Phase,
    told: usize,
    first: usize,
    others: Vec<Step>,
}

/// How a story can go on.
#[derive(Clone, Copy)]
struct Step {
    at: Micros,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    /// An event is told. It may be a change of the seat.
    Tell(usize),
    /// The next hold gets the seat.
    Hold,
    /// A confirm that nobody knows the outcome of sells it.
    UnknownConfirm,
}

impl<'a> Search<'a> {
    fn new(seat: &'a SeatHistory) -> Self {
        let mut hold_limits: Vec<Micros> = vec![Micros::MAX; seat.holds.len() + 1];
        for (i, hold) in seat.holds.iter().enumerate().rev() {
            hold_limits[i] = hold_limits[i + 1].min(hold.ended.unwrap_or(Micros::MAX));
        }
        Self {
            seat,
            hold_limits,
            phase: Phase::default(),
            now: Micros::MIN,
            told: vec![false; seat.events.len()],
            first: 0,
            order: Vec::new(),
            crossroads: Vec::new(),
            known: HashMap::new(),
            dead_end: None,
            looks: 0,
        }
    }

    fn is_complete(&self) -> bool {
        self.first == self.told.len() && self.phase.holds == self.seat.holds.len()
    }

    /// Tells what can be told at once, and returns the ways to go on from there, the likeliest first.
    fn steps(&mut self) -> Vec<Step> {
        loop {
            let limit = self.limit();
            let before = self.order.len();
            let (look, mut steps) = self.look(limit);
            if self.order.len() > before {
                // What is told presses no more.
                continue;
            }
            let until = look.map_or(Micros::MAX, |step| step.at);
            let can = |span: Option<Span>| {
                let span = span?;
                let at = span.earliest.max(self.now);
                (at <= span.latest.min(limit) && at < until).then_some(at)
            };
            steps.retain(|step| step.at < until);
            steps.extend(can(self.seat.next_hold(self.phase)).map(|at| Step { at, what: What::Hold }));
            steps.extend(look);
            steps.extend(can(self.unknown_confirm()).map(|at| Step { at, what: What::UnknownConfirm }));
            return steps;
        }
    }

    /// The next instant at which something that is not told must have been.
    fn limit(&mut self) -> Micros {
        let mut limit = self.hold_limits[self.phase.holds];
        for (event, told) in self.seat.events[self.first..].iter().zip(&self.told[self.first..]) {
            self.looks += 1;
            if event.began > limit {
                break;
            }
            if !told {
                limit = limit.min(event.ended);
            }
        }
        limit
    }

    /// Tells the looks that agree with the seat as it stands now. Returns the look that can be told next, and the changes.
    fn look(&mut self, limit: Micros) -> (Option<Step>, Vec<Step>) {
        let (mut next, mut changes): (Option<Step>, Vec<Step>) = (None, Vec::new());
        for (i, event) in self.seat.events.iter().enumerate().skip(self.first) {
            self.looks += 1;
            if event.began > limit {
                break;
            }
            if self.told[i] {
                continue;
            }
            let Some(span) = self.seat.when(event, self.phase) else { continue };
            let at = span.earliest.max(event.began).max(self.now);
            if at > span.latest.min(limit) {
                continue;
            }
            let step = Step { at, what: What::Tell(i) };
            if event.claim.is_change() {
                changes.push(step);
            } else if at == self.now {
                self.told[i] = true;
                self.order.push(i);
            } else if next.is_none_or(|next| at < next.at) {
                next = Some(step);
            }
        }
        self.pass_told();
        (next, changes)
    }

    fn unknown_confirm(&self) -> Option<Span> {
        let holder = self.seat.holder(self.phase).filter(|_| !self.phase.sold && !self.phase.gone)?;
        Some(Span { earliest: holder.unknown_confirm?, ..Span::before(self.seat.deadline(holder, self.phase)) })
    }

    /// Takes the first step; false if there is none, or if this has been tried before.
    fn go_on(&mut self, mut steps: Vec<Step>) -> bool {
        if steps.is_empty() {
            self.note_dead_end();
            return false;
        }
        let step = steps.remove(0);
        if !steps.is_empty() {
            if self.has_been_here() {
                return false;
            }
            self.crossroads.push(Crossroads { phase: self.phase, told: self.order.len(), first: self.first, others: steps });
        }
        self.take(step);
        true
    }

    /// Goes another way where there was one; false if all have been tried.
    fn go_back(&mut self) -> bool {
        let Some(last) = self.crossroads.last_mut() else { return false };
        let step = last.others.remove(0);
        (self.phase, self.first) = (last.phase, last.first);
        for event in self.order.drain(last.told..) {
            self.told[event] = false;
        }
        if last.others.is_empty() {
            self.crossroads.pop();
        }
        self.take(step);
        true
    }

    fn take(&mut self, step: Step) {
        self.now = step.at;
        match step.what {
            What::Hold => self.phase = self.seat.after_next(self.phase),
            What::UnknownConfirm => self.phase.sold = true,
            What::Tell(i) => {
                self.phase = self.seat.after(i, self.phase);
                self.told[i] = true;
                self.order.push(i);
                self.pass_told();
            }
        }
    }

    fn pass_told(&mut self) {
        while self.told.get(self.first).copied().unwrap_or(false) {
            self.first += 1;
        }
    }

    /// Whether the story has been here before, as early or earlier.
    fn has_been_here(&mut self) -> bool {
        // Only what has begun can have been told, so what was told out of its turn is among the calls under way.
        let begun = self.seat.events[self.first..].iter().take_while(|event| event.began <= self.now).count();
        let told: Box<[usize]> = (self.first..self.first + begun).filter(|i| self.told[*i]).collect();
        match self.known.entry(Place { phase: self.phase, first: self.first, told }) {
            Entry::Occupied(mut entry) if *entry.get() > self.now => {
                entry.insert(self.now);
                false
            }
            Entry::Occupied(_) => true,
            Entry::Vacant(entry) => {
                entry.insert(self.now);
                false
            }
        }
    }

    /// Keeps the dead end of the story that came farthest.
    fn note_dead_end(&mut self) {
        let limit = self.limit();
        if self.dead_end.is_some_and(|(farthest, _)| farthest >= limit) {
            return;
        }
        let rest = self.seat.events[self.first..].iter().zip(&self.told[self.first..]);
        let untold = rest.filter(|(_, told)| !**told);
        let event = untold.map(|(event, _)| event).find(|event| event.ended == limit);
        let (operation, claim) = event.map_or_else(
            || {
                let mut rest = self.seat.holds.iter().skip(self.phase.holds);
                let hold = rest.find(|hold| hold.ended.unwrap_or(Micros::MAX) == limit);
                (hold.map_or(0, |hold| hold.operation), None)
            },
            |event| (event.operation, Some(event.claim)),
        );
        self.dead_end = Some((limit, DeadEnd { operation, claim, phase: self.phase }));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Claim, Event, Sight};
    use super::*;

    #[test]
    fn a_search_that_takes_too_long_says_so() {
        let event = |operation| Event { operation, began: 1, ended: 2, claim: Claim::Free(Sight::Sharp) };
        let seat = SeatHistory { holds: Vec::new(), events: (1..10).map(event).collect() };
        assert_eq!(search_within(&seat, 5), Verdict::Undecided);
        assert_eq!(search(&seat), Verdict::Possible);
    }
}
