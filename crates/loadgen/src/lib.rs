//! Load, races and audits for Rowlock, from outside: over HTTP as its customers come, and into the store's tables as its
//! bookkeeper would.
//!
//! Nothing here depends on the product's crates, so that nothing it gets wrong can be wrong here in the same way.
//!
//! - [`client`]: an HTTP client that is cheap enough to load a server on its own machine.
//! - [`one_seat`], [`sell_out`], [`baskets`], [`one_by_one`]: what customers do, measured and checked.
//! - [`verify`]: the invariants, by SQL, on either store.
//! - [`baseline`], [`compare`]: the same holds done the usual way, to compare with. [`ceiling`]: what the load generator itself
//!   can do.
//!
//! Every run takes a [`Target`] and its options, and yields a [`report`] that can be printed, written as JSON, and asked
//! whether it passed.

pub mod baseline;
pub mod baskets;
pub mod ceiling;
pub mod client;
pub mod compare;
pub mod one_by_one;
pub mod one_seat;
pub mod report;
pub mod sell_out;
pub mod verify;

mod crowd;
mod house;
mod patience;
mod progress;
mod seat_audit;
mod tally;
mod target;

pub use progress::Progress;
pub use target::Target;
