//! The search for a story against one that tries everything: every order, every instant.

use std::cell::Cell;
use std::collections::HashSet;

use loadgen::chaos::history::Micros;
use loadgen::chaos::linear::{Claim, Event, Hold, Phase, SeatHistory, Sight, Span, Verdict};
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
        (0_u8..8, 0_i64..4, 0_i64..3, 0_i64..3, prop::bool::weighted(0.3), prop::option::weighted(0.1, (0_u8..9, 0_usize..3)));
    let act = act.prop_map(|(kind, gap, before, after, unanswered, lie)| Act { kind, gap, before, after, unanswered, lie });
    prop::collection::vec(act, 1..9)
}

/// What happens when these act one after the other, in milliseconds.
fn history(acts: &[Act]) -> SeatHistory {
    let mut seat = SeatHistory::default();
    let (mut now, mut sold) = (10, false);
    for (operation, act) in (0..).zip(acts) {
        now += act.gap;
        let last = seat.holds.len().checked_sub(1);
        let is_live = last.is_some_and(|last| now * 1000 < seat.holds[last].deadline.earliest);
        let event = |claim| Event { operation, began: (now - act.before) * 1000, ended: (now + act.after) * 1000, claim };
        let looks = match (last, sold, is_live) {
            (Some(last), true, _) if act.kind % 2 == 0 => Claim::SoldTo(last),
            (_, true, _) => Claim::Sold,
            (Some(last), false, true) if act.kind % 3 == 0 => Claim::HeldBy(last),
            (Some(last), false, true) if act.kind % 3 == 1 => Claim::HeldUntil(seat.holds[last].deadline.earliest),
            (_, false, true) => Claim::Held,
            (Some(last), false, false) if act.kind % 2 == 0 => Claim::Lost(last, Sight::Sharp),
            (_, false, false) if act.kind == 1 => Claim::Free(Sight::Sharp),
            (_, false, false) => Claim::Free(Sight::Blurred),
        };
        match (act.kind, last) {
            (0..3, _) if (!is_live && !sold) || act.lie.is_some() => seat.holds.push(hold(operation, now, act)),
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
        hold.known_sold = told.map(|event| event.ended).min().unwrap_or(Micros::MAX);
    }
    seat.sort_holds();
    seat.sort_events();
    seat
}

fn hold(operation: u64, now: Micros, act: &Act) -> Hold {
    // A lie here is that it got the seat, or that it got it earlier.
    let decided = (now - act.lie.map_or(0, |(early, _)| Micros::from(early))) * 1000;
    Hold {
        operation,
        booking_id: i64::try_from(operation).unwrap(),
        decided: Span::exactly(decided),
        deadline: Span::exactly(decided + HOLD_FOR * 1000),
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
            let free = !phase.sold && holder.is_none_or(|last| last.deadline.earliest <= hold.decided.earliest);
            let after = Phase { holds: i + 1, ..Phase::default() };
            // Without the order in which holds were decided: whoever gets the seat is its holder.
            if fits && free && self.can_follow(holds & !(1 << i), events, after, at) {
                return true;
            }
        }
        for (i, event) in seat.events.iter().enumerate().filter(|(i, _)| events & (1 << i) != 0) {
            let after = Phase { sold: phase.sold || matches!(event.claim, Claim::Confirms(_)), ..phase };
            let fits = event.began <= at && at <= event.ended && self.is_true(event, holds, phase, at);
            if fits && self.can_follow(holds, events & !(1 << i), after, at) {
                return true;
            }
        }
        let confirm = holder.filter(|hold| !phase.sold && at < hold.deadline.earliest).and_then(|hold| hold.unknown_confirm);
        confirm.is_some_and(|began| began <= at) && self.can_follow(holds, events, Phase { sold: true, ..phase }, at)
    }

    fn is_true(&self, event: &Event, holds: u32, phase: Phase, at: Micros) -> bool {
        let dead = |index: usize| self.seat.holds[index].deadline.earliest <= at;
        let last = phase.holds.checked_sub(1);
        let live = last.filter(|last| !phase.sold && !dead(*last));
        let in_commit = |sight| {
            let known_sold = last.map_or(0, |last| self.seat.holds[last].known_sold);
            sight == Sight::Blurred && phase.sold && last.is_some_and(dead) && event.began <= known_sold
        };
        match event.claim {
            Claim::Extends(..) | Claim::GivesUp(..) => unreachable!("nobody does that here"),
            Claim::Free(sight) => (!phase.sold && live.is_none()) || in_commit(sight),
            Claim::Held => live.is_some(),
            Claim::HeldUntil(until) => live.is_some_and(|index| self.seat.holds[index].deadline.earliest == until),
            Claim::HeldBy(index) | Claim::Confirms(index) => live == Some(index),
            Claim::Sold => phase.sold,
            Claim::SoldTo(index) => phase.sold && last == Some(index),
            Claim::Lost(index, _) if holds & (1 << index) != 0 || self.seat.holds.get(index).is_none() => false,
            Claim::Lost(index, sight) if phase.sold && last == Some(index) => in_commit(sight),
            Claim::Lost(index, _) => dead(index),
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
    let (possible, impossible) = (Cell::new(0_u32), Cell::new(0_u32));
    let config = ProptestConfig { failure_persistence: None, cases: 3000, ..ProptestConfig::default() };
    let result = TestRunner::new(config).run(&acts(), |acts| {
        let seat = history(&acts);
        let expected = is_possible(&seat);
        if acts.iter().all(|act| act.lie.is_none()) {
            prop_assert!(expected, "the truth is a story: {seat:#?}");
        }
        let count = if expected { &possible } else { &impossible };
        count.set(count.get() + 1);
        prop_assert_eq!(seat.verdict() == Verdict::Possible, expected, "{:#?}", seat);
        Ok(())
    });
    result.unwrap();
    assert!(possible.get() > 300 && impossible.get() > 300, "{possible:?} {impossible:?}");
}
