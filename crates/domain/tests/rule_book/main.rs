//! The rule book against those who don't know it: a plain model along random histories, and small worlds explored whole.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has to fail")]

mod plain_model;
mod rows;
mod small_world;
mod state_machine;
mod two_instances;
