//! Chaos: customers who book while everything around them breaks, and the judgement of what they were answered.
//!
//! - [`workload`]: the customers. Everything that they ask, and what comes back, becomes a [`history::History`].
//! - [`books`]: what the database says in the end.
//! - [`check`]: every answer against every other and against the books. What can't be true is a [`check::Violation`].
//! - [`linear`]: whether the history of one seat can be told as one story.

pub mod books;
pub mod check;
pub mod history;
pub mod linear;
pub mod workload;

mod clock;
mod database;
mod fault;
mod faults;
mod guard;
mod inject;
mod logs;
mod look;
mod options;
mod plan;
mod program;
mod proxy;
mod pulse;
mod recovery;
mod report;
mod run;
mod served;
mod stage;

pub use fault::Fault;
pub use options::Options;
pub use recovery::Recovery;
pub use report::{ChaosReport, Finding, Injected, LatencyClass};
pub use run::run;
pub use served::Served;
