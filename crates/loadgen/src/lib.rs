//! Load, races and audits for Rowlock, from outside: over HTTP as its customers come, and into the store's tables as its
//! bookkeeper would.
//!
//! Nothing here depends on the product's crates, so that nothing it gets wrong can be wrong here in the same way.
//!
//! - [`client`]: an HTTP client that is cheap enough to load a server on its own machine.
//! - [`one_seat`], [`sell_out`], [`baskets`], [`one_by_one`]: what customers do, measured and checked.
//! - [`overload`], [`soak`]: more load than can be served, and a good deal of it for a long time.
//! - [`purchases`]: customers on a line that cuts, doubles and delays, who must have what they asked for all the same.
//! - [`verify`]: the invariants, by SQL, on either store.
//! - [`chaos`]: customers whose every call is recorded, and the judgement of what was answered against what may be.
//! - [`baseline`], [`compare`]: the same holds done the usual way, to compare with. [`ceiling`]: what the load generator itself
//!   can do.
//! - [`mod@bench`]: all of that and more as one programme, written down, with figures, verdicts and plots made of it.
//!
//! Every run takes a [`Target`] and its options, and yields a [`report`] that can be printed, written as JSON, and asked
//! whether it passed.

pub mod baseline;
pub mod baskets;
pub mod bench;
pub mod ceiling;
pub mod chaos;
pub mod client;
pub mod compare;
pub mod goodput;
pub mod one_by_one;
pub mod one_seat;
pub mod overload;
pub mod purchases;
pub mod report;
pub mod sell_out;
pub mod soak;
pub mod verify;

mod crowd;
mod house;
mod open_loop;
mod patience;
mod process_memory;
mod progress;
mod seat_audit;
mod tally;
mod target;

pub use progress::Progress;
pub use target::Target;
