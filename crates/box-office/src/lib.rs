//! The application: one queue in front of the store, and the timer that tidies up behind it.
//!
//! [`BoxOffice`] takes commands one by one and runs them in batches; [`Sweeper`] fails the holds that have run out. Both work
//! on a [`domain::BookingRepository`], whichever it is.

mod aside;
mod call_off;
mod forget;
mod lane;
mod observer;
mod office;
mod pace;
mod panics;
mod queue;
mod sweeper;
mod taken;
mod window;

pub use call_off::{call_off, call_off_shows};
pub use forget::forget_keys;
pub use observer::{Batch, BatchKind, Caller, Observer};
pub use office::{BoxOffice, Declined, Plan, Waiting};
pub use sweeper::{SweepHealth, SweepPlan, Sweeper};
