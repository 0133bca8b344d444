//! Statements without the parts that there is nothing for.
//!
//! A part stands between a line with `-- [` and its name, and the `-- ]` that belongs to it; there may be parts in parts.

use std::fmt::Write as _;
use std::sync::OnceLock;

use domain::Forecast;

use super::SAVE_IF_FORESEEN;

/// What a batch can have, and `save_if_foreseen.sql` a part for: new bookings, stored ones, payments for these, keys.
const NAMES: [&str; 4] = ["new", "bookings", "payments", "keys"];

/// Which of them a batch has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts(pub(super) [bool; NAMES.len()]);

impl Parts {
    /// Those that a forecast needs.
    pub(crate) fn of(forecast: &Forecast) -> Self {
        let changes = forecast.changes();
        let new = !changes.new_bookings.is_empty();
        // One of the two has to have a history.
        let bookings = !forecast.bookings().is_empty() || !new;
        let payments = changes.bookings.iter().any(|change| change.payment.is_some());
        Self([new, bookings, payments, !changes.used_keys.is_empty()])
    }

    /// `save_if_foreseen.sql` with these parts alone.
    pub(crate) fn save_if_foreseen(self) -> &'static Abridged {
        static KNOWN: [OnceLock<Abridged>; 1 << NAMES.len()] = [const { OnceLock::new() }; 1 << NAMES.len()];
        let place = self.0.iter().fold(0, |place, has| 2 * place + usize::from(*has));
        let has = |name: &str| NAMES.iter().zip(self.0).any(|(part, has)| has && *part == name);
        KNOWN[place].get_or_init(|| abridged(SAVE_IF_FORESEEN, has))
    }
}

/// A statement without some of its parts.
pub(crate) struct Abridged {
    pub(crate) sql: String,
    /// Its parameters, as indexes into those of the whole statement.
    parameters: Vec<usize>,
}

impl Abridged {
    /// Those that belong to its own parameters, of what belongs to all.
    pub(crate) fn own<'a, T>(&self, all: &'a [T]) -> impl Iterator<Item = &'a T> {
        self.parameters.iter().filter_map(|&index| all.get(index))
    }
}

/// The statement with the parts that `has` says yes to, and its parameters numbered anew.
fn abridged(whole: &str, has: impl Fn(&str) -> bool) -> Abridged {
    let mut statement = Abridged { sql: String::with_capacity(whole.len()), parameters: Vec::new() };
    // Of each part that is open here, whether it stays.
    let mut open = Vec::new();
    for line in whole.lines() {
        let comment = line.trim_start().strip_prefix("--").map(str::trim_start);
        match comment.map(|comment| (comment, comment.strip_prefix('['))) {
            Some(("]", _)) => drop(open.pop()),
            Some((_, Some(name))) => open.push(has(name)),
            // The first line says what it is, to whoever reads pg_stat_activity.
            Some(_) if !statement.sql.is_empty() => {}
            _ if open.contains(&false) => {}
            _ => statement.push(line),
        }
    }
    statement
}

impl Abridged {
    /// One more line.
    fn push(&mut self, line: &str) {
        let mut pieces = line.split('$');
        self.sql.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            let digits = piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len());
            let number: usize = piece[..digits].parse().unwrap_or_default();
            let known = self.parameters.iter().position(|&index| index + 1 == number);
            let place = known.unwrap_or_else(|| {
                self.parameters.push(number.saturating_sub(1));
                self.parameters.len() - 1
            });
            // Writing into a string can't fail.
            let _ = write!(self.sql, "${}{}", place + 1, &piece[digits..]);
        }
        self.sql.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_left_out_with_what_is_in_them() {
        let whole = "-- What it is.\n--\n-- $1 anything\nSELECT $2::text\n  -- [a\n  , $1::text\n  -- [b\n  , $3::text || $2\n  -- ]\n  , 4\n  -- ]\n  , $2\n";
        let statement = |parts: &[&str]| abridged(whole, |name| parts.contains(&name));
        let of = |parts: &[&str]| (statement(parts).sql.replace(['\n', ' '], ""), statement(parts).parameters);
        assert_eq!(of(&["a", "b"]), ("--Whatitis.SELECT$1::text,$2::text,$3::text||$1,4,$1".to_owned(), vec![1, 0, 2]));
        assert_eq!(of(&["a"]), ("--Whatitis.SELECT$1::text,$2::text,4,$1".to_owned(), vec![1, 0]));
        assert_eq!(of(&["b"]), ("--Whatitis.SELECT$1::text,$1".to_owned(), vec![1]));
    }
}
