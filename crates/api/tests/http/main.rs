//! The server as its clients see it: the binary, over HTTP, on both stores.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has to fail")]

mod access;
mod amending;
mod bad_input;
mod contract;
mod life;
mod lists;
mod metrics;
mod nasty_input;
mod openapi;
mod overload;
mod payments;
mod races;
mod rate_limits;
mod repeats;
mod support;
mod terms;
mod traces;
mod trouble;
