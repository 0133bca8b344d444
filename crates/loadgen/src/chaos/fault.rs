//! What can go wrong.

use std::fmt;

use clap::ValueEnum;
use serde::Serialize;

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// SIGKILL to an api while a commit of its is on the way; it is started again
    KillApi,
    /// SIGKILL to an expiry-worker in the middle of a batch; it is started again
    KillWorker,
    /// SIGKILL to PostgreSQL's postmaster, or to all of its processes; it is started again
    KillPostgres,
    /// `pg_terminate_backend` for sessions at random
    TerminateSessions,
    /// An api is suspended
    SuspendApi,
    /// An expiry-worker is suspended
    SuspendWorker,
    /// Sessions that are at work are suspended, with all the locks that they have
    SuspendSessions,
    /// All of PostgreSQL is suspended
    SuspendPostgres,
    /// All between a program and PostgreSQL is late
    Delay,
    /// Connections between a program and PostgreSQL are reset
    Reset,
    /// Connections are accepted, and nothing passes
    Silence,
    /// What a program asks reaches PostgreSQL, and no answer comes back
    LoseAnswers,
    /// What a program asks does not reach PostgreSQL
    LoseQuestions,
    /// Connections are cut when a COMMIT comes by, before it has passed or before its answer has
    CutCommits,
    /// Every session that PostgreSQL allows is taken by someone else
    UseUpSessions,
    /// Someone sits on a seat's row
    SitOnSeats,
    /// Someone reads, and does not come to an end
    LongSnapshot,
    /// PostgreSQL's disk is full
    FillDisk,
    /// The clock of one api and one worker is wrong by an hour, for the whole run
    WrongClock,
    /// Each api in turn is asked to end, and started again
    RollingRestart,
    /// The primary dies, and the standby takes its place
    FailOver,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_possible_value() {
            Some(value) => f.write_str(value.get_name()),
            None => Ok(()),
        }
    }
}
