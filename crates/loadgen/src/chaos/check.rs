//! Every answer against every other and against the books.
//!
//! - `repeats`: are all answers to one request under one key the same? From here on they are one call.
//! - `amendments`: who has cancelled, extended or changed each booking, when?
//! - `answers`: each answer by itself: does it fit its question, and what is known of its booking?
//! - `lists`: does a list of bookings leave one out?
//! - `stories`: can the answers about each seat, and about each booking, be told as one story? ([`super::linear`])
//! - `payments`: is every payment in the books what its confirm came to?
//! - `refunds`: is money to be given back exactly where it bought nothing?
//! - `edits`: is every show called as the last edit wanted it?
//! - `called_off`: did everything of a cancelled show end, and nothing begin?
//! - `limits`: did a customer never have more than its show allows, and was it refused only for that?
//! - `late`: did a confirm that came too late get its seats if it could, and only then?
//! - `rows`: is everything in the books that was answered, and nothing that was not asked for?

mod amendments;
mod answers;
mod bookings;
mod called_off;
mod edits;
mod kind;
mod late;
mod limits;
mod lists;
mod payments;
mod refunds;
mod repeats;
mod rows;
mod seat_rows;
mod stories;
mod tenures;

use std::fmt;

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;

use super::books::Books;
use super::history::{History, Micros, Operation};
use bookings::Bookings;
pub use kind::Kind;

/// Something that can't be, if the promise is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// What kind.
    pub kind: Kind,
    /// The calls that show it, by their identity.
    pub operations: Vec<u64>,
    /// The bookings that it is about.
    pub bookings: Vec<i64>,
    /// What is wrong, in a sentence.
    pub says: String,
}

/// What is wrong with a history, given the books at its end; nothing if all is well.
pub fn check(history: &History, books: &Books) -> Vec<Violation> {
    let mut violations = Vec::new();
    answers::are_foreseen(history, &mut violations);
    let history = &repeats::merge(history, &mut violations);
    let amendments = amendments::explain(history, &books.bookings, &mut violations);
    let bookings = Bookings::of(history, books, amendments, &mut violations);
    answers::check(history, &bookings, &mut violations);
    lists::check(history, &bookings, &mut violations);
    stories::check(history, &bookings, &mut violations);
    rows::check(history, books, &bookings, &mut violations);
    payments::check(history, books, &mut violations);
    refunds::check(history, books, &mut violations);
    edits::check(history, books, &mut violations);
    called_off::check(history, books, &mut violations);
    limits::check(history, books, &mut violations);
    late::check(history, books, &mut violations);
    seat_rows::check(history, books, &mut violations);
    violations
}

impl Violation {
    fn new(kind: Kind, says: impl Into<String>) -> Self {
        Self { kind, operations: Vec::new(), bookings: Vec::new(), says: says.into() }
    }

    /// Shown by these calls.
    fn by(mut self, operations: impl IntoIterator<Item = u64>) -> Self {
        self.operations.extend(operations);
        self
    }

    /// About these bookings.
    fn about(mut self, bookings: impl IntoIterator<Item = i64>) -> Self {
        self.bookings.extend(bookings);
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.says)
    }
}

/// A call, as a sentence names it.
fn named(operation: &Operation) -> String {
    let Operation { id, customer, server, .. } = operation;
    format!("operation {id} ({}, customer {customer}, server {server})", operation.call.word())
}

/// An instant, as a sentence names it.
fn at(instant: Micros) -> String {
    let time = DateTime::from_timestamp_micros(instant);
    time.map_or_else(|| format!("{instant} µs"), |time| time.to_rfc3339_opts(SecondsFormat::Micros, true))
}
