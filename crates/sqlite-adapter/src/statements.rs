//! Every statement, each in a file of its own.

/// Names each file's text by the file's name.
macro_rules! statements {
    ($($name:ident = $file:literal;)*) => {
        $(pub(crate) const $name: &str = include_str!(concat!("../sql/", $file));)*

        #[cfg(test)]
        const ALL: &[(&str, &str)] = &[$(($file, $name)),*];
    };
}

statements! {
    CANCEL_SHOW = "cancel_show.sql";
    COUNT_BOOKINGS = "count_bookings.sql";
    COUNT_CHANGES = "count_changes.sql";
    COUNT_SEATS = "count_seats.sql";
    DUE_BOOKINGS = "due_bookings.sql";
    EDIT_SHOW = "edit_show.sql";
    FIND_HISTORY = "find_history.sql";
    FIND_SHOW = "find_show.sql";
    FORGET_KEYS = "forget_keys.sql";
    HAS_SCHEMA = "has_schema.sql";
    INSERT_BOOKING = "insert_booking.sql";
    INSERT_PAYMENT = "insert_payment.sql";
    INSERT_SEATS = "insert_seats.sql";
    INSERT_SHOW = "insert_show.sql";
    LIST_BOOKINGS = "list_bookings.sql";
    LIST_BOOKINGS_OF_CUSTOMER = "list_bookings_of_customer.sql";
    LIST_BOOKINGS_OF_SHOW = "list_bookings_of_show.sql";
    LIST_BOOKINGS_TO_REFUND = "list_bookings_to_refund.sql";
    LIST_HOLDS_BY_AGE = "list_holds_by_age.sql";
    LIST_LIVE_HOLDS = "list_live_holds.sql";
    LIST_REFUNDS = "list_refunds.sql";
    LIST_SHOWS = "list_shows.sql";
    LOAD_BOOKINGS = "load_bookings.sql";
    LOAD_HOLDINGS = "load_holdings.sql";
    LOAD_KEYS = "load_keys.sql";
    LOAD_PAYMENTS = "load_payments.sql";
    LOAD_SEATS = "load_seats.sql";
    LOAD_SHOWS = "load_shows.sql";
    NEXT_DEADLINE = "next_deadline.sql";
    RECORD = "record.sql";
    SCHEMA_VERSION = "schema_version.sql";
    SEAT_MAP = "seat_map.sql";
    SHOW_CALLED_OFF = "show_called_off.sql";
    SHOWS_CALLING_OFF = "shows_calling_off.sql";
    UPDATE_BOOKING = "update_booking.sql";
    UPDATE_SEAT = "update_seat.sql";
    USE_KEY = "use_key.sql";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migrated() -> (tempfile::TempDir, rusqlite::Connection) {
        let directory = tempfile::tempdir().unwrap();
        let connection = crate::schema::open_migrated(&directory.path().join("rowlock.db")).unwrap();
        (directory, connection)
    }

    #[test]
    fn every_statement_can_be_prepared_on_the_schema() {
        let (_directory, connection) = migrated();
        for (file, sql) in ALL {
            connection.prepare(sql).unwrap_or_else(|error| panic!("{file}: {error}"));
        }
    }

    #[test]
    fn every_file_is_a_statement() {
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/sql")).unwrap();
        let mut files: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        files.sort_unstable();
        assert_eq!(files, ALL.iter().map(|(file, _)| *file).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_on_the_way_of_a_batch_or_a_sweep_scans_a_table() {
        let (_directory, connection) = migrated();
        for (file, sql) in ALL {
            if [
                "has_schema.sql",
                "insert_seats.sql",
                "insert_show.sql",
                "insert_booking.sql",
                "insert_payment.sql",
                "record.sql",
                "use_key.sql",
            ]
            .contains(file)
            {
                continue;
            }
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let parameters = vec![rusqlite::types::Null; plan.parameter_count()];
            let steps = plan.query_map(rusqlite::params_from_iter(parameters), |row| row.get::<_, String>("detail")).unwrap();
            for step in steps {
                let step = step.unwrap();
                let scans = ["shows", "seats", "bookings", "booking_history", "idempotency_keys", "payments"]
                    .iter()
                    .any(|table| step == format!("SCAN {table}"));
                assert!(!scans, "{file}: {step}");
            }
        }
    }

    /// SQLite makes a table of values for IN with more than two of them, in a CHECK too, and one for what RETURNING returns: each time.
    #[test]
    fn nothing_that_is_written_in_a_batch_makes_a_table() {
        let (_directory, connection) = migrated();
        for sql in [COUNT_CHANGES, INSERT_BOOKING, INSERT_PAYMENT, RECORD, UPDATE_BOOKING, UPDATE_SEAT, USE_KEY] {
            let mut program = connection.prepare(&format!("EXPLAIN {sql}")).unwrap();
            let parameters = vec![rusqlite::types::Null; program.parameter_count()];
            let steps = program.query_map(rusqlite::params_from_iter(parameters), |row| row.get::<_, String>("opcode")).unwrap();
            let steps: Vec<String> = steps.map(Result::unwrap).collect();
            assert!(steps.iter().any(|step| step == "Insert" || step == "IdxInsert"), "{sql} writes");
            assert!(!steps.iter().any(|step| step == "OpenEphemeral"), "{sql} makes a table");
        }
    }
}
