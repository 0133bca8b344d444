//! What is written down: every run with all that was measured, so that every figure can be made again from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::report::LatencyMs;

/// A benchmark: where it was made, and all of its runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// On what.
    pub setting: Setting,
    /// The runs, in the order in which they were made.
    pub runs: Vec<Run>,
    /// What a booking costs where.
    #[serde(default)]
    pub budgets: Vec<Budget>,
}

/// Where a benchmark was made, and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Setting {
    /// The command line.
    pub command: String,
    /// When it began, in UTC.
    pub began_at: String,
    /// The operating system's kernel.
    pub kernel: String,
    /// The processor's name.
    pub processor: String,
    /// Processors that everything shares.
    pub processors: usize,
    /// Memory, in MiB.
    pub memory_mib: u64,
    /// The file system that the database lies on.
    pub file_system: String,
    /// Milliseconds that a flush of 8 KiB takes there, the median of some.
    pub flush_ms: Option<f64>,
    /// What PostgreSQL says it is.
    pub postgres: String,
    /// Those of its settings that matter.
    pub postgres_settings: BTreeMap<String, String>,
    /// What pgbench says it is; nothing if there is none.
    pub pgbench: Option<String>,
    /// The product's builds, the first is the one that is judged: its name and what it says it is.
    pub products: Vec<(String, String)>,
    /// Settings of the product that are not its own.
    pub product_settings: BTreeMap<String, String>,
    /// Connections in the pools of the usual servers.
    pub pool_size: usize,
    /// Threads that make the load.
    pub threads: usize,
    /// How long a run was measured, in seconds, after so many seconds of warm-up.
    pub seconds: f64,
    /// Seconds before that.
    pub warm_up_seconds: f64,
    /// How often every contestant ran.
    pub rounds: u32,
}

/// One run of one contestant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Run {
    /// What was asked.
    pub workload: String,
    /// Of whom.
    pub contestant: String,
    /// Customers, each with one connection and one call at a time.
    pub clients: u32,
    /// What the workload varies besides: seats of a house or of a table, or 0.
    pub size: u64,
    /// The round, from 1.
    pub round: u32,
    /// How often what the workload counts was done while it was measured.
    pub done: u64,
    /// For so long.
    pub seconds: f64,
    /// `done` a second.
    pub per_second: f64,
    /// Latencies of the calls.
    pub latency_ms: LatencyMs,
    /// Answers by status code, warm-up included. Of pgbench, which has no such codes, its bookings in the tables as 201.
    pub statuses: BTreeMap<u16, u64>,
    /// What each thing done cost.
    pub cost: Cost,
    /// What should not have been: in the answers, in the books, or between them.
    pub wrong: Vec<String>,
}

/// What each thing that was done cost, where the system tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cost {
    /// Processor time of the contestant's server, in microseconds.
    pub server_us: Option<f64>,
    /// Of all of PostgreSQL's processes.
    pub postgres_us: Option<f64>,
    /// Of what made the load: this program, or pgbench.
    pub client_us: Option<f64>,
    /// Bytes of PostgreSQL's log.
    pub wal_bytes: Option<f64>,
}

/// What one booking cost one contestant in PostgreSQL, statement by statement.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    /// Whose.
    pub contestant: String,
    /// With so many customers.
    pub clients: u32,
    /// Bookings that were counted.
    pub bookings: u64,
    /// Processor time and log for each booking, by the processes that spend them.
    pub cost: Cost,
    /// Flushes of the log, in all.
    pub flushes: u64,
    /// How long one took, in milliseconds.
    pub flush_ms: f64,
    /// The statements, the dearest first.
    pub statements: Vec<Statement>,
}

/// A statement's part in a budget.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// Its text, as one line.
    pub text: String,
    /// How often it ran.
    pub calls: u64,
    /// Milliseconds that one run took.
    pub ms_a_call: f64,
    /// Microseconds of it for each booking.
    pub us_a_booking: f64,
    /// Bytes of log for each booking.
    pub wal_bytes_a_booking: f64,
}
