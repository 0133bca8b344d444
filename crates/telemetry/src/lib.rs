//! What the programs tell of themselves: metrics, on a page that Prometheus reads, and traces, sent to a collector.
//!
//! The box office and the stores know of neither: [`OfficeWatch`] and [`SweepWatch`] are [`box_office::Observer`]s, and what others
//! count themselves is read when the page is asked for ([`Metrics::pull`]).

mod few;
mod metrics;
mod office_watch;
mod page;
mod postgres;
mod process;
mod requests;
mod serve;
mod sweep_watch;
mod traces;

pub use metrics::{Kind, Metrics, MetricsError, Sample};
pub use office_watch::OfficeWatch;
pub use page::Page;
pub use postgres::{watch_batches, watch_pools};
pub use requests::{Requests, Route};
pub use serve::{keep_serving, serve};
pub use sweep_watch::SweepWatch;
pub use traces::{RequestSpan, Traces, TracesError};
