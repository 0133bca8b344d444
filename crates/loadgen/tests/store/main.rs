//! `verify`, the baseline and purchases on real stores.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has to fail")]

mod baseline;
mod bench;
mod books;
mod purchases;
mod verify_postgres;
mod verify_sqlite;
