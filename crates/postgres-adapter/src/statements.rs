//! The statements, one file each, by name.

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
    CREATE_SHOW = "create_show";
    FAIL_BOOKINGS = "fail_bookings";
    FIND_BOOKING = "find_booking";
    SAVE_IF_FORESEEN = "save_if_foreseen";
    FREE_SEATS = "free_seats";
    LIST_BOOKINGS = "list_bookings";
    LIST_LIVE_HOLDS = "list_live_holds";
    LIST_SHOWS = "list_shows";
    LOAD_SHOWS = "load_shows";
    LOOK_SEATS = "look_seats";
    LOCK_BOOKINGS = "lock_bookings";
    LOCK_DUE = "lock_due";
    LOCK_SEATS = "lock_seats";
    NEXT_DEADLINE = "next_deadline";
    SAVE_SEATS = "save_seats";
    SCHEMA_VERSION = "schema_version";
    SEAT_MAP = "seat_map";
    UPDATE_BOOKINGS = "update_bookings";
}

#[cfg(test)]
mod tests;
