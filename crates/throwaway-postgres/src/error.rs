//! Why a cluster did not start, and why a statement failed.

use std::io;

use thiserror::Error;

/// Why a cluster did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// No PostgreSQL on this machine.
    #[error(
        "PostgreSQL is not installed (no initdb, postgres and psql in PATH, /usr/lib/postgresql, /usr/pgsql-* or Homebrew): \
         install it (`apt-get install postgresql`, `dnf install postgresql-server`, `brew install postgresql@17`) \
         or set ROWLOCK_PG_BIN to the folder that holds its programs"
    )]
    NotInstalled,
    /// `ROWLOCK_PG_BIN` leads nowhere.
    #[error("ROWLOCK_PG_BIN={0:?} does not hold initdb, postgres and psql")]
    NotInNamedFolder(String),
    /// Root may not run PostgreSQL, and there is nobody else to run it as.
    #[error("PostgreSQL does not run as root, and this machine has neither a user `postgres` nor a user `nobody`")]
    NobodyToRunAs,
    /// No disk in memory.
    #[error("a small disk can't be mounted here: that takes root, and Linux")]
    NoSmallDisk,
    /// `pg_basebackup` failed, or the standby did not catch up.
    #[error("no standby: {0}")]
    Standby(String),
    /// A program did not start, or a file could not be read.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// `initdb` refused.
    #[error("initdb failed: {0}")]
    Initdb(String),
    /// The server ended, or did not become ready in time.
    #[error("PostgreSQL did not start; its log says:\n{0}")]
    Server(String),
}

impl StartError {
    /// For `map_err`: puts what was tried before what the system said.
    pub(crate) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}

/// Why [`psql`](crate::Cluster::psql) failed: what it wrote on standard error.
#[derive(Debug, Error)]
#[error("psql failed: {0}")]
pub struct PsqlError(pub(crate) String);
