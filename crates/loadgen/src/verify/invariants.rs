//! The invariants and their statements.

/// Something that must hold in every snapshot of the store.
pub(super) struct Invariant {
    /// Its name, which is its files'.
    pub(super) name: &'static str,
    /// What it says, for a person.
    pub(super) says: &'static str,
    /// The statement that yields the offenders, for PostgreSQL.
    pub(super) postgres: &'static str,
    /// The same for SQLite.
    pub(super) sqlite: &'static str,
    /// Whether it holds only where a worker sweeps.
    pub(super) only_settled: bool,
}

macro_rules! invariant {
    ($name:literal, $says:literal) => {
        invariant!($name, $says, false)
    };
    ($name:literal, $says:literal, $only_settled:literal) => {
        Invariant {
            name: $name,
            says: $says,
            postgres: include_str!(concat!("../../sql/postgres/", $name, ".sql")),
            sqlite: include_str!(concat!("../../sql/sqlite/", $name, ".sql")),
            only_settled: $only_settled,
        }
    };
}

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
    invariant!("confirmed-before-the-deadline", "nothing was confirmed at or after its deadline"),
    invariant!("held-until-is-the-deadline", "a held seat is blocked until its booking's deadline, and no other is blocked"),
    invariant!("show-has-all-its-seats", "a show has exactly the seats 1 to total_seats"),
    invariant!("seats-add-up", "free, held and sold seats are all the seats of a show"),
    invariant!("seat-has-its-show", "every seat's show exists"),
    invariant!("ids-are-unique", "no two bookings and no two seats have the same id"),
    invariant!("dead-holds-are-swept", "no PENDING booking has been dead for more than 5 s", true),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_an_invariant_and_says_what_it_is_for() {
        for (folder, sql) in [("postgres", 0), ("sqlite", 1)] {
            let path = format!("{}/sql/{folder}", env!("CARGO_MANIFEST_DIR"));
            let files = std::fs::read_dir(path).unwrap().count();
            assert_eq!(files, INVARIANTS.len(), "{folder}");
            for invariant in INVARIANTS {
                let text = [invariant.postgres, invariant.sqlite][sql];
                assert!(text.starts_with("-- Purpose: "), "{folder}/{}", invariant.name);
                assert!(!text.contains(';') || text.lines().filter(|l| !l.starts_with("--")).all(|l| !l.contains(';')));
            }
        }
    }
}
