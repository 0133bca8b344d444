//! The statements, one file each, by name.

use std::sync::LazyLock;

macro_rules! statements {
    ($($constant:ident = $file:literal;)*) => {
        $(pub(crate) const $constant: &str = include_str!(concat!("../sql/", $file, ".sql"));)*

        /// Every statement with its name, so that a test can prepare them all.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str)] = &[$(($file, $constant)),*];
    };
}

statements! {
    AWAIT_BOOKING = "await_booking";
    CANCEL_SHOW = "cancel_show";
    COUNT_SHOW = "count_show";
    CREATE_SHOW = "create_show";
    EDIT_SHOW = "edit_show";
    EXPIRE_BOOKINGS = "expire_bookings";
    FIND_BOOKING = "find_booking";
    FIND_HISTORY = "find_history";
    FIND_SHOW = "find_show";
    FORGET_KEYS = "forget_keys";
    FORGET_USED_KEYS = "forget_used_keys";
    FREE_SEATS = "free_seats";
    LIST_BOOKINGS = "list_bookings";
    LIST_BOOKINGS_OF_CUSTOMER = "list_bookings_of_customer";
    LIST_BOOKINGS_OF_SHOW = "list_bookings_of_show";
    LIST_BOOKINGS_TO_REFUND = "list_bookings_to_refund";
    LIST_HOLDS_BY_AGE = "list_holds_by_age";
    LIST_LIVE_HOLDS = "list_live_holds";
    LIST_REFUNDS = "list_refunds";
    LIST_SHOWS = "list_shows";
    LOAD_HOLDINGS = "load_holdings";
    LOAD_KEYS = "load_keys";
    LOAD_PAYMENTS = "load_payments";
    LOCK_BOOKINGS = "lock_bookings";
    LOCK_DUE = "lock_due";
    LOCK_SEATS = "lock_seats";
    LOCK_SHOWS = "lock_shows";
    LOOK_SEATS = "look_seats";
    NEXT_DEADLINE = "next_deadline";
    SAVE_BATCH = "save_batch";
    SAVE_IF_FORESEEN = "save_if_foreseen";
    SCHEMA_VERSION = "schema_version";
    SEAT_MAP = "seat_map";
    SHOWS_CALLING_OFF = "shows_calling_off";
    SHOW_CALLED_OFF = "show_called_off";
    USE_KEY = "use_key";
}

/// What a batch has besides new bookings, and what `save_if_foreseen.sql` has a part for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Batch {
    /// Nothing.
    Holds,
    /// Keys.
    HoldsUnderKeys,
    /// Stored bookings, with or without keys.
    Any,
}

impl Batch {
    /// `save_if_foreseen.sql` for such a batch.
    pub(crate) fn save_if_foreseen(self) -> &'static str {
        static HOLDS: LazyLock<String> = LazyLock::new(|| without(&["bookings", "keys"], SAVE_IF_FORESEEN));
        static HOLDS_UNDER_KEYS: LazyLock<String> = LazyLock::new(|| without(&["bookings"], SAVE_IF_FORESEEN));
        match self {
            Self::Holds => &HOLDS,
            Self::HoldsUnderKeys => &HOLDS_UNDER_KEYS,
            Self::Any => SAVE_IF_FORESEEN,
        }
    }
}

/// The statement without these parts of it, each between a line with `-- [` and its name and the next with `-- ]`.
fn without(parts: &[&str], sql: &str) -> String {
    let mut left = String::with_capacity(sql.len());
    let mut leaving_out = false;
    for line in sql.lines() {
        match line.trim_start().strip_prefix("-- ") {
            Some("]") => leaving_out = false,
            Some(mark) if mark.starts_with('[') => leaving_out = parts.contains(&&mark[1..]),
            _ if leaving_out => {}
            _ => {
                left.push_str(line);
                left.push('\n');
            }
        }
    }
    left
}

#[cfg(test)]
mod tests;
