//! The invariants and their statements.

/// Something that must hold in every snapshot of the store.
pub(super) struct Invariant {
    /// Its name, which is its files'.
    pub(super) name: &'static str,
    /// What it says, for a person.
    pub(super) says: &'static str,
    /// The statement that yields the offenders, for PostgreSQL.
    pub(super) postgres: &'static str,
    /// The same for SQLite; `None` if that keeps no such thing.
    pub(super) sqlite: Option<&'static str>,
    /// Where it holds.
    pub(super) of: Of,
}

/// Where an invariant holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// In every store.
    Seats,
    /// In a store that takes down what happens.
    History,
    /// Where a worker sweeps.
    Swept,
}

macro_rules! invariant {
    ($name:literal, $says:literal) => {
        invariant!($name, $says, Of::Seats)
    };
    ($name:literal, $says:literal, $of:expr) => {
        Invariant {
            name: $name,
            says: $says,
            postgres: include_str!(concat!("../../sql/postgres/", $name, ".sql")),
            sqlite: Some(include_str!(concat!("../../sql/sqlite/", $name, ".sql"))),
            of: $of,
        }
    };
}

/// In SQLite a booking's history lies together.
const CHAIN: Invariant = Invariant {
    name: "history-is-a-chain",
    says: "every step names the one before it, and the booking the last one",
    postgres: include_str!("../../sql/postgres/history-is-a-chain.sql"),
    sqlite: None,
    of: Of::History,
};

/// All of them.
pub(super) const INVARIANTS: &[Invariant] = &[
    invariant!("seat-sold-once", "no seat belongs to two live bookings"),
    invariant!("seat-agrees-with-its-booking", "a seat's status and its booking's agree"),
    invariant!("seat-is-listed-by-its-booking", "the booking that a seat belongs to lists it"),
    invariant!("booking-owns-the-seats-it-lists", "a PENDING or CONFIRMED booking owns every seat that it lists"),
    invariant!("failed-booking-owns-nothing", "a FAILED booking owns no seat"),
    invariant!("booking-lists-its-seats", "a booking lists its seats, at least one, ascending, none twice"),
    invariant!("booking-lists-seats-of-its-show", "every seat that a booking lists is one of its show's"),
    invariant!("booking-has-its-show", "every booking's show exists"),
    invariant!("booking-state-is-whole", "a booking has all that its state has, and nothing else"),
    invariant!("held-until-is-the-deadline", "a held seat is blocked until its booking's deadline, and no other is blocked"),
    invariant!("show-has-all-its-seats", "a show has exactly the seats 1 to total_seats"),
    invariant!("seats-add-up", "free, held and sold seats are all the seats of a show"),
    invariant!("seat-has-its-show", "every seat's show exists"),
    invariant!("ids-are-unique", "no two bookings and no two seats have the same id"),
    invariant!("dead-holds-are-swept", "no PENDING booking has been dead for more than 5 s", Of::Swept),
    invariant!("changes-are-numbered-without-gaps", "the changes of a show are numbered from 1, without gaps", Of::History),
    invariant!("history-begins-with-a-hold", "every booking has a history, which begins with a hold, or a block", Of::History),
    invariant!("history-is-one-story", "every step is a legal one, and begins where the one before it led", Of::History),
    CHAIN,
    invariant!("history-agrees-with-its-booking", "a booking is what the last step of its history made it", Of::History),
    invariant!("history-is-of-its-show", "every step is one of a booking of its show", Of::History),
    invariant!(
        "confirmed-before-the-deadline",
        "what was confirmed at or after its deadline was reclaimed, and nothing else",
        Of::History
    ),
    invariant!("reclaimed-as-its-history-says", "a booking is reclaimed if the step that sold its seats says so", Of::History),
    invariant!("refund-is-due-for-a-reason", "a refund is due for cancelled sales, and where the history says so", Of::History),
    invariant!("refund-is-put-down-once", "each payment in vain has put down one refund", Of::History),
    invariant!("payment-has-its-booking", "every payment is for a booking that there is, in its show", Of::History),
    invariant!("payment-is-known-once", "no payment is for two bookings", Of::History),
    invariant!("payment-named-by-its-booking", "the payment that a booking names is one of its own", Of::History),
    invariant!(
        "payment-has-bought-something",
        "a payment that is not in vain has bought what its booking was sold for",
        Of::History
    ),
    invariant!("sale-is-not-paid-in-vain", "no CONFIRMED booking names a payment that was in vain", Of::History),
    invariant!("house-pays-nothing", "there is no payment, no refund and no hold of what the house keeps from sale", Of::History),
    invariant!("kept-outcome-has-happened", "what is kept as the outcome of a request has happened", Of::History),
    invariant!("key-made-its-own-booking", "no booking was made under two keys", Of::History),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_an_invariant_and_says_what_it_is_for() {
        for (folder, sql) in [("postgres", 0), ("sqlite", 1)] {
            let path = format!("{}/sql/{folder}", env!("CARGO_MANIFEST_DIR"));
            let files = std::fs::read_dir(path).unwrap().count();
            let texts = INVARIANTS
                .iter()
                .filter_map(|invariant| Some((invariant.name, [Some(invariant.postgres), invariant.sqlite][sql]?)));
            assert_eq!(files, texts.clone().count(), "{folder}");
            for (name, text) in texts {
                assert!(text.starts_with("-- Purpose: "), "{folder}/{name}");
                assert!(!text.contains(';') || text.lines().filter(|l| !l.starts_with("--")).all(|l| !l.contains(';')));
            }
        }
    }
}
