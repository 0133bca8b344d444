//! The statements, one file each, by name.

pub(crate) mod parts;

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

#[cfg(test)]
mod tests;
