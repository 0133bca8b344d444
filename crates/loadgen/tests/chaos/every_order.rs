//! The search for a story against one that tries everything: every order, every instant.

use std::cell::Cell;
use std::collections::HashSet;

use loadgen::chaos::history::Micros;
use loadgen::chaos::linear::{Claim, Event, Given, Hold, Phase, SeatHistory, Sight, Span, Verdict};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

const HOLD_FOR: Micros = 4;

/// A call on the seat, as it really went; then, perhaps, with a lie.
#[derive(Clone, Debug)]
struct Act {
    kind: u8,
    gap: Micros,
    before: Micros,
    after: Micros,
    unanswered: bool,
    lie: Option<(u8, usize)>,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act =
        (0_u8..10, 0_i64..4, 0_i64..3, 0_i64..3, prop::bool::weighted(0.3), prop::option::weighted(0.1, (0_u8..9, 0_usize..3)));
    let act = act.prop_map(|(kind, gap, before, after, unanswered, lie)| Act { kind, gap, before, after, unanswered, lie });
    prop::collection::vec(act, 1..9)
}

/// What happens when these act one after the other, in milliseconds.
fn history(acts: &[Act]) -> SeatHistory {
    let mut seat = SeatHistory::default();
    let (mut now, mut sold, mut gone, mut deadline) = (10, false, false, 0);
    for (operation, act) in (0..).zip(acts) {
        now += act.gap;
        let last = seat.holds.len().checked_sub(1);
        let is_live = last.is_some() && !gone && now * 1000 < deadline;
        let event = |claim| Event { operation, began: (now - act.before) * 1000, ended: (now + act.after) * 1000, claim };
        let looks = match (last, sold, is_live) {
            (Some(last), true, _) if act.kind % 2 == 0 => Claim::SoldTo(last),
            (_, true, _) => Claim::Sold,
            (Some(last), false, true) if act.kind % 3 == 0 => Claim::HeldBy(last),
            (Some(_), false, true) if act.kind % 3 == 1 => Claim::HeldUntil(deadline),
            (_, false, true) => Claim::Held,
            (Some(last), false, false) if act.kind % 2 == 0 => Claim::Lost(last, Sight::Sharp),
            (_, false, false) if act.kind == 1 => Claim::Free(Sight::Sharp),
            (_, false, false) => Claim::Free(Sight::Blurred),
        };
        match (act.kind, last) {
            (0..3, _) if (!is_live && !sold) || act.lie.is_some() => {
                let hold = hold(operation, now, act);
                (sold, gone, deadline) = (false, false, hold.deadline.earliest);
                seat.holds.push(hold);
            }
            // Sold at once: to the house, or again to a booking that has lost the seat.
            (8, _) if (!is_live && !sold) || act.lie.is_some() => {
                seat.holds.push(Hold { sold: true, ..hold(operation, now, act) });
                (sold, gone) = (true, false);
            }
            (9, Some(last)) if !is_live && !sold => {
                let lost = seat.holds[if act.before == 0 { 0 } else { last }];
                seat.holds.push(Hold { sold: true, booking_id: lost.booking_id, ..hold(operation, now, act) });
                (sold, gone) = (true, false);
            }
            // Whether these are answered or not, the books say that they were done.
            (5, Some(last)) if act.gap % 2 == 1 && (is_live || sold) => {
                let given = if sold { Given::Sale } else { Given::Hold };
                seat.events.push(done(operation, now, act, Claim::GivesUp(last, given)));
                (sold, gone) = (false, true);
            }
            (6, Some(last)) if act.gap >= 2 && is_live && !sold => {
                let longer = now * 1000 + HOLD_FOR * 1000;
                let claim = Claim::Extends(last, Span::exactly(deadline), Span::exactly(longer));
                seat.events.push(done(operation, now, act, claim));
                deadline = longer;
            }
            (3..5, Some(last)) if is_live && !sold => {
                sold = true;
                if act.unanswered {
                    seat.holds[last].unknown_confirm = Some(event(Claim::Sold).began);
                } else {
                    seat.events.push(event(lie(act, Claim::Confirms(last), &seat)));
                }
            }
            _ => seat.events.push(event(lie(act, looks, &seat))),
        }
    }
    for (i, hold) in seat.holds.iter_mut().enumerate() {
        let told = seat.events.iter().filter(|event| event.claim == Claim::SoldTo(i) || event.claim == Claim::Confirms(i));
        let known_sold = told.map(|event| event.ended).min().unwrap_or(Micros::MAX);
        hold.known_sold = if hold.sold { Micros::MIN } else { known_sold };
    }
    seat.sort_holds();
    seat.sort_events();
    seat
}

/// A call whose decision the books know.
fn done(operation: u64, now: Micros, act: &Act, claim: Claim) -> Event {
    let ended = if act.unanswered { Micros::MAX } else { (now + act.after) * 1000 };
    Event { operation, began: now * 1000, ended, claim }
}

fn hold(operation: u64, now: Micros, act: &Act) -> Hold {
    // A lie here is that it got the seat, or that it got it earlier.
    let decided = (now - act.lie.map_or(0, |(early, _)| Micros::from(early))) * 1000;
    Hold {
        operation,
        booking_id: i64::try_from(operation).unwrap(),
        decided: Span::exactly(decided),
        deadline: Span::exactly(decided + HOLD_FOR * 1000),
        sold: false,
        ended: (!act.unanswered).then_some((now + act.after) * 1000),
        unknown_confirm: None,
        known_sold: Micros::MAX,
    }
}

fn lie(act: &Act, truth: Claim, seat: &SeatHistory) -> Claim {
    let Some((kind, which)) = act.lie else { return truth };
    let which = which % seat.holds.len().max(1);
    match kind {
        0 => Claim::Free(Sight::Sharp),
        1 => Claim::Free(Sight::Blurred),
        2 => Claim::Held,
        3 => Claim::HeldUntil(seat.holds.get(which).map_or(0, |hold| hold.deadline.earliest)),
        4 => Claim::HeldBy(which),
        5 => Claim::Sold,
        6 => Claim::SoldTo(which),
        7 => Claim::Lost(which, Sight::Sharp),
        _ => Claim::Lost(which, Sight::Blurred),
    }
}

/// Tries everything, on a grid of milliseconds, which all instants here are on.
struct Everything<'a> {
    seat: &'a SeatHistory,
    tried: HashSet<(u32, u32, Phase, Micros)>,
}

impl Everything<'_> {
    /// Whether the untold holds and events can follow.
    fn can_follow(&mut self, holds: u32, events: u32, phase: Phase, now: Micros) -> bool {
        if holds == 0 && events == 0 {
            return true;
        }
        if !self.tried.insert((holds, events, phase, now)) {
            return false;
        }
        let until = 1000 * (10 + 9 * 4 + 10);
        (now..=until).step_by(1000).any(|at| self.can_follow_at(holds, events, phase, at))
    }

    fn can_follow_at(&mut self, holds: u32, events: u32, phase: Phase, at: Micros) -> bool {
        let seat = self.seat;
        let holder = phase.holds.checked_sub(1).map(|last| &seat.holds[last]);
        for (i, hold) in seat.holds.iter().enumerate().filter(|(i, _)| holds & (1 << i) != 0) {
            let fits = hold.decided.earliest <= at && hold.ended.is_none_or(|ended| at <= ended);
            let order = |hold: &Hold| (hold.decided.earliest, hold.operation);
            let is_next = holder.is_none_or(|last| order(last) <= order(hold));
            let free = holder.is_none() || phase.gone || (!phase.sold && self.deadline(phase) <= hold.decided.earliest);
            let free = free && is_next;
            let after = Phase { holds: i + 1, sold: hold.sold, ..Phase::default() };
            // Without the order in which holds were decided: whoever gets the seat is its holder.
            if fits && free && self.can_follow(holds & !(1 << i), events, after, at) {
                return true;
            }
        }
        for (i, event) in seat.events.iter().enumerate().filter(|(i, _)| events & (1 << i) != 0) {
            let after = match event.claim {
                Claim::Confirms(_) => Phase { sold: true, ..phase },
                Claim::Extends(..) => Phase { extended_by: Some(i), ..phase },
                Claim::GivesUp(..) => Phase { sold: false, gone: true, ..phase },
                _ => phase,
            };
            let fits = event.began <= at && at <= event.ended && self.is_true(event, holds, phase, at);
            if fits && self.can_follow(holds, events & !(1 << i), after, at) {
                return true;
            }
        }
        let live = !phase.sold && !phase.gone && at < self.deadline(phase);
        let confirm = holder.filter(|_| live).and_then(|hold| hold.unknown_confirm);
        confirm.is_some_and(|began| began <= at) && self.can_follow(holds, events, Phase { sold: true, ..phase }, at)
    }

    fn is_true(&self, event: &Event, holds: u32, phase: Phase, at: Micros) -> bool {
        let last = phase.holds.checked_sub(1);
        let live = last.filter(|_| !phase.sold && !phase.gone && at < self.deadline(phase));
        // Holds stand for their bookings.
        let booking = |index: usize| self.seat.holds.get(index).map(|hold| hold.booking_id);
        let is = |hold: Option<usize>, index| hold.is_some_and(|hold| booking(hold) == booking(index));
        let ended = |sight| {
            let known_sold = last.map_or(0, |last| self.seat.holds[last].known_sold);
            let in_commit = |until| sight == Sight::Blurred && event.began <= until;
            let at_earlier_deadline = phase.extended_by.is_some_and(|index| match self.seat.events[index] {
                Event { ended, claim: Claim::Extends(_, from, _), .. } => in_commit(ended) && from.earliest <= at,
                _ => false,
            });
            let is_over = self.deadline(phase) <= at || at_earlier_deadline;
            phase.gone || (is_over && (!phase.sold || in_commit(known_sold)))
        };
        match event.claim {
            Claim::Extends(index, from, _) => is(live, index) && self.deadline(phase) == from.earliest,
            Claim::GivesUp(index, given) => !phase.gone && is(last, index) && phase.sold == (given == Given::Sale),
            Claim::Free(sight) => last.is_none() || ended(sight),
            Claim::Held => live.is_some(),
            Claim::HeldUntil(until) => live.is_some() && self.deadline(phase) == until,
            Claim::HeldBy(index) | Claim::Confirms(index) => is(live, index),
            Claim::Sold => phase.sold,
            Claim::SoldTo(index) => phase.sold && is(last, index),
            Claim::Lost(index, sight) if is(last, index) => ended(sight),
            Claim::Lost(index, _) => {
                (0..self.seat.holds.len()).any(|told| holds & (1 << told) == 0 && booking(told) == booking(index))
            }
        }
    }

    fn deadline(&self, phase: Phase) -> Micros {
        match phase.extended_by.map(|index| self.seat.events[index].claim) {
            Some(Claim::Extends(_, _, to)) => to.earliest,
            _ => phase.holds.checked_sub(1).map_or(0, |last| self.seat.holds[last].deadline.earliest),
        }
    }
}

fn is_possible(seat: &SeatHistory) -> bool {
    let all = |count: usize| (1_u32 << count) - 1;
    let mut everything = Everything { seat, tried: HashSet::new() };
    everything.can_follow(all(seat.holds.len()), all(seat.events.len()), Phase::default(), 0)
}

#[test]
fn the_search_finds_a_story_exactly_where_there_is_one() {
    let [possible, impossible, amended, sold_at_once] = [const { Cell::new(0_u32) }; 4];
    let config = ProptestConfig { failure_persistence: None, cases: 3000, ..ProptestConfig::default() };
    let result = TestRunner::new(config).run(&acts(), |acts| {
        let seat = history(&acts);
        let expected = is_possible(&seat);
        if acts.iter().all(|act| act.lie.is_none()) {
            prop_assert!(expected, "the truth is a story: {seat:#?}");
        }
        let count = if expected { &possible } else { &impossible };
        count.set(count.get() + 1);
        let is_amended = seat.events.iter().any(|event| matches!(event.claim, Claim::Extends(..) | Claim::GivesUp(..)));
        amended.set(amended.get() + u32::from(is_amended));
        sold_at_once.set(sold_at_once.get() + u32::from(seat.holds.iter().any(|hold| hold.sold)));
        prop_assert_eq!(seat.verdict() == Verdict::Possible, expected, "{:#?}", seat);
        Ok(())
    });
    result.unwrap();
    let all = [possible, impossible, amended, sold_at_once];
    assert!(all.iter().all(|count| count.get() > 200), "{all:?}");
}
