//! A history and books in order pass, and every lie in them is found and named.

mod amendments;
mod answers;
mod called_off;
mod late;
mod rows;
mod stories;

use std::collections::BTreeSet;

use crate::amended;
use crate::called_off as called_off_house;
use crate::house::*;
use crate::late as late_house;
use loadgen::chaos::books::Books;
use loadgen::chaos::check::{Kind, Violation, check};
use loadgen::chaos::history::BookingStatus::{Confirmed, Failed};
use loadgen::chaos::history::{Answer, Call, History, Micros, SeatStatus, Unknown};

/// What is falsified, how, and exactly which kinds of violation show it.
pub(crate) type Falsification = (&'static str, fn(&mut History, &mut Books), &'static [Kind]);

fn kinds(violations: &[Violation]) -> BTreeSet<Kind> {
    violations.iter().map(|violation| violation.kind).collect()
}

#[test]
fn a_history_and_books_in_order_pass() {
    assert_eq!(check(&history(), &books()), []);
    assert_eq!(check(&amended::history(), &amended::books()), []);
    assert_eq!(check(&late_house::history(), &late_house::books()), []);
    assert_eq!(check(&called_off_house::history(), &called_off_house::books()), []);
}

#[test]
fn every_falsification_is_found_and_named() {
    let mut wrong = Vec::new();
    let plain = answers::ANSWERS.iter().chain(stories::STORIES).chain(rows::ROWS);
    let plain = plain.map(|falsification| (falsification, history(), books()));
    let amended = amendments::AMENDMENTS.iter().map(|falsification| (falsification, amended::history(), amended::books()));
    let late = late::LATE.iter().map(|falsification| (falsification, late_house::history(), late_house::books()));
    let called_off = called_off::CALLED_OFF.iter();
    let called_off = called_off.map(|falsification| (falsification, called_off_house::history(), called_off_house::books()));
    for ((what, falsify, expected), mut history, mut books) in plain.chain(amended).chain(late).chain(called_off) {
        falsify(&mut history, &mut books);
        let violations = check(&history, &books);
        assert!(violations.iter().all(|violation| violation.says.len() > 20), "{violations:#?}");
        if kinds(&violations) != expected.iter().copied().collect() {
            wrong.push(format!("{what}: {:?} instead of {expected:?}: {violations:#?}", kinds(&violations)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_kind_but_undecided_has_a_falsification() {
    let all = answers::ANSWERS
        .iter()
        .chain(stories::STORIES)
        .chain(rows::ROWS)
        .chain(amendments::AMENDMENTS)
        .chain(late::LATE)
        .chain(called_off::CALLED_OFF);
    let shown = all.flat_map(|(_, _, expected)| *expected);
    let mut missing: BTreeSet<Kind> = Kind::ALL.into();
    shown.for_each(|kind| {
        missing.remove(kind);
    });
    assert_eq!(missing, BTreeSet::from([Kind::Undecided]));
}

/// What was not answered has done what another one, which was under way as well, was not told that it did.
#[test]
fn a_call_that_was_not_answered_explains_what_an_answer_does_not() {
    let (mut history, books) = (amended::history(), amended::books());
    // The extension of booking 5 to 9005 is not answered, and that to 9505 has begun before it.
    let repeat = operation(&mut history, 30);
    (repeat.answer, repeat.replayed) = (Answer::Unknown(Unknown::Lost), false);
    operation(&mut history, 32).began = answered_at(7001);
    assert_eq!(check(&history, &books), []);
}

/// Two calls in one batch extend a hold at the same instant: one of them leaves a step, and the other is told the same. Told so later, that
/// would be a lie.
#[test]
fn of_two_extensions_at_the_same_instant_one_leaves_a_step() {
    let verdict = |(began, ended): (Micros, Micros)| {
        let (mut history, books) = (amended::history(), amended::books());
        let step_at = books.bookings[4].steps[2].at;
        let first = operation(&mut history, 32);
        (first.began, first.ended) = (step_at - 10, step_at + 10);
        let mut second = operation(&mut history, 32).clone();
        (second.id, second.customer) = (7777, 7);
        (second.began, second.ended) = (step_at + began, step_at + ended);
        history.operations.push(second);
        kinds(&check(&history, &books))
    };
    assert_eq!(verdict((-9, 11)), [].into());
    assert!(verdict((1, 11)).contains(&Kind::AmendmentLost));
}

/// A list or a seat map may show a hold as ended whose confirm came in time and is just being committed; nothing else may.
#[test]
fn what_does_not_wait_for_a_commit_may_see_the_hold_as_ended_until_the_confirm_is_answered() {
    let verdict = |began, look: (Call, Answer)| {
        let (mut history, mut books) = (history(), books());
        // Booking 2 is confirmed just in time, and answered at 2040.
        history.operations.truncate(9);
        books.bookings.truncate(2);
        add(&mut history, (2020, 2040), confirm(2), confirmed(2));
        (books.bookings[1].status, books.bookings[1].confirmed_at) = (Confirmed, Some(booked_at(2024)));
        books.seats[2].booking_id = Some(2);
        add(&mut history, (began, began + 5), look.0, look.1);
        kinds(&check(&history, &books))
    };
    let sold = (SeatStatus::Confirmed, 1);
    let free = (SeatStatus::Available, 0);
    let seats = (Call::SeatMap { show_id: SHOW }, map(&[sold, sold, free, free]));
    let listed = (Call::List { status: None, limit: 9 }, list(&[(2, Failed), (1, Confirmed)]));
    let looked_up = (find(2), found(2, 3, 2025, Failed, &[(3, SeatStatus::Available)]));
    for look in [seats, listed] {
        assert_eq!(verdict(2030, look.clone()), [].into());
        assert_eq!(verdict(2041, look.clone()), [Kind::NotLinearizable].into());
        assert_eq!(verdict(2015, look), [Kind::NotLinearizable].into());
    }
    assert!(verdict(2030, looked_up).contains(&Kind::NotLinearizable));
}
