//! Whether what was seen is what the domain decides in some serial order of the calls.

use std::collections::BTreeSet;

use domain::{BookingId, StoreError, Timestamp};
use postgres_adapter::Foresee;

use crate::books::{self, Books};
use crate::operation::Ask;
use crate::stage::{Meanwhile, NAMES, Played, Schedule, Seen, Stop};

/// One call as it happened: when it decided, and what a sweep may and must have left out.
struct Call {
    index: usize,
    ask: Ask,
    now: Timestamp,
    left_out: Vec<BTreeSet<BookingId>>,
}

pub(crate) fn judge(schedule: &Schedule, played: &Played, foresee: Foresee) {
    assert_eq!(played.offences, Vec::<String>::new(), "{schedule}");
    whoever_has_to_wait_waits(schedule, played, foresee);
    let mut calls: Vec<Call> = (0..schedule.calls.len()).map(|index| call(index, schedule, played)).collect();
    if schedule.meanwhile == Meanwhile::TheFirstBreaks {
        let answer = &played.answers[0];
        let is_lost = matches!(answer, Err(StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_)));
        assert!(is_lost, "{schedule}: {answer:?}");
        calls.remove(0);
    }
    let seen = story(&played.books, &calls, |index| match &played.answers[index] {
        Ok(answer) => played.books.line(answer),
        Err(error) => format!("{error:?}"),
    });
    let orders = serial_orders(&calls, &Books::at_start());
    assert!(orders.contains(&seen), "{schedule}\nseen: {seen:#?}\nbut in some order: {orders:#?}");
}

/// Who wants a seat that is locked waits for it; and so does, in the end, whoever has something to write into the history of the show
/// that the first one has locked. Nobody else waits: a look only for one who may be about to confirm what reads as dead.
fn whoever_has_to_wait_waits(schedule: &Schedule, played: &Played, foresee: Foresee) {
    let (first, begun, start) = (&schedule.calls[0].ask, schedule.others_begin(), Books::at_start());
    let mut locked = first.seats_locked(schedule.stop, books::start());
    // A sweep locks shows when it has saved everything else.
    let show_is_locked = !matches!(first, Ask::Sweep) || schedule.stop == Stop::BeforeTheCommit;
    for (call, seen) in schedule.calls[1..].iter().zip(&played.seen) {
        let at_first = call.ask.seats_at_first(begun);
        let waiting = match call.ask {
            // It waits for a seat, or, when it has all that it knows of, for the show.
            Ask::Hold(_) | Ask::Confirm(_) if show_is_locked || !at_first.is_disjoint(&locked) => Some(at_first.clone()),
            Ask::Hold(_) | Ask::Confirm(_) => {
                Some(call.ask.seats_locked(schedule.stop, begun)).filter(|wanted| !wanted.is_disjoint(&locked))
            }
            Ask::Sweep => {
                let swept = start.dead_at(begun).map(|id| start.seats_of(id)).filter(|seats| seats.is_disjoint(&locked));
                Some(swept.flatten().collect::<BTreeSet<i64>>()).filter(|swept| show_is_locked && !swept.is_empty())
            }
            Ask::Find(id) => start
                .dead_at(begun)
                .any(|dead| dead == books::id(id) && start.seats_of(dead).is_subset(&locked))
                .then(BTreeSet::new),
        };
        assert_eq!(*seen == Seen::WaitingInLine, waiting.is_some(), "{schedule}: “{}” is {seen:?}", call.name);
        let got: BTreeSet<i64> = match (waiting, seen) {
            // In their order, up to the one that it waits for. What waits in its one trip has locked only what is as expected.
            (Some(mut wanted), _) => {
                let free = |seat: &i64| books::FREE.contains(seat);
                if foresee == Foresee::Always
                    && matches!(call.ask, Ask::Hold(_))
                    && wanted.iter().any(|seat| free(seat) && locked.contains(seat))
                {
                    wanted.retain(free);
                }
                wanted.into_iter().take_while(|seat| !locked.contains(seat)).collect()
            }
            (None, Seen::WaitingAtTheStop) => at_first,
            (None, Seen::Done | Seen::WaitingInLine) => BTreeSet::new(),
        };
        locked.extend(got);
    }
}

fn call(index: usize, schedule: &Schedule, played: &Played) -> Call {
    let ask = schedule.calls[index].ask;
    let is_first = index == 0;
    let decided_before = match ask {
        _ if is_first => schedule.stop != Stop::BeforeTheClock,
        // It decides before it waits for the shows: what is dead stays dead.
        Ask::Sweep => true,
        Ask::Hold(_) | Ask::Confirm(_) | Ask::Find(_) => played.seen[index - 1] == Seen::Done,
    };
    let now = match schedule.meanwhile {
        Meanwhile::Nothing | Meanwhile::TheFirstBreaks => books::start(),
        Meanwhile::AHoldDiesBefore if is_first && decided_before => books::start(),
        Meanwhile::AHoldDiesAfter if decided_before => books::start(),
        Meanwhile::AHoldDiesBefore | Meanwhile::AHoldDiesAfter => books::later(),
    };
    Call { index, ask, now, left_out: if is_first { vec![BTreeSet::new()] } else { left_out(index, schedule) } }
}

/// What a sweep passes by that runs while the first one is stopped: certainly what that one has locked, perhaps what another one
/// has.
fn left_out(sweep: usize, schedule: &Schedule) -> Vec<BTreeSet<BookingId>> {
    let start = Books::at_start();
    let touched = |seats: &BTreeSet<i64>| -> BTreeSet<BookingId> {
        let ids = [books::LIVE, books::DEAD].map(books::id).into_iter();
        ids.filter(|id| !start.seats_of(*id).is_disjoint(seats)).collect()
    };
    let certainly = touched(&schedule.calls[0].ask.seats_locked(schedule.stop, books::start()));
    let others = schedule.calls.iter().enumerate().filter(|(index, _)| *index > 0 && *index != sweep);
    let perhaps: Vec<BookingId> =
        others.flat_map(|(_, call)| touched(&call.ask.seats_locked(schedule.stop, schedule.others_begin()))).collect();
    let mut sets = vec![certainly];
    for id in perhaps {
        let with: Vec<_> = sets.iter().map(|set| set.iter().copied().chain([id]).collect()).collect();
        sets.extend(with);
    }
    sets
}

/// Everything that can be said of an end: the rows, and who was told what.
fn story(books: &Books, calls: &[Call], answer: impl Fn(usize) -> String) -> Vec<String> {
    let mut indices: Vec<usize> = calls.iter().map(|call| call.index).collect();
    indices.sort_unstable();
    let told = indices.into_iter().map(|index| format!("{} is told: {}", NAMES[index], answer(index)));
    told.chain(books.lines()).collect()
}

/// The ends to which the calls can come one after the other, the clock never going back.
fn serial_orders(calls: &[Call], start: &Books) -> BTreeSet<Vec<String>> {
    let mut ends = BTreeSet::new();
    go_on(calls, &mut Vec::new(), start, &mut |books, told| {
        let answer = |index| told.iter().find(|(call, _)| call.index == index).unwrap().1.clone();
        ends.insert(story(books, calls, answer));
    });
    ends
}

type Told<'a> = Vec<(&'a Call, String)>;

fn go_on<'a>(calls: &'a [Call], told: &mut Told<'a>, books: &Books, end: &mut impl FnMut(&Books, &Told)) {
    if told.len() == calls.len() {
        return end(books, told);
    }
    let is_next = |call: &&Call| {
        told.iter().all(|(earlier, _)| earlier.index != call.index) && told.last().is_none_or(|(last, _)| last.now <= call.now)
    };
    for call in calls.iter().filter(is_next).collect::<Vec<_>>() {
        for left_out in &call.left_out {
            let mut next = books.clone();
            let answer = next.perform(call.now, call.ask, NAMES[call.index], left_out);
            told.push((call, next.line(&answer)));
            go_on(calls, told, &next, end);
            told.pop();
        }
    }
}
