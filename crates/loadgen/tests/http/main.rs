//! The client and the runs against scripted servers.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has to fail")]

mod chaos_customers;
mod client;
mod overload;
mod runs;
mod scripted;
mod soak;
