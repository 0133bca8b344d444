//! The books, checked: every invariant of the store by SQL, online, in one snapshot.
//!
//! The statements stand in `sql/postgres` and `sql/sqlite`, one file an invariant. Each yields the rows that offend.

mod invariants;
mod postgres;
mod sqlite;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::report::Report;
use invariants::{INVARIANTS, Invariant, Of};

/// Which store, and how strictly.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Options {
    /// The PostgreSQL database; without it, the SQLite file in `--data-dir`
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// The directory that holds rowlock.db
    #[arg(long, env = "DATA_DIR", default_value = "./data")]
    pub data_dir: PathBuf,
    /// Also demand that dead holds are swept: no PENDING booking dead for more than 5 s. For when a worker runs
    #[arg(long)]
    pub settled: bool,
}

/// What the books say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Which kind of store.
    pub store: &'static str,
    /// One finding for each invariant.
    pub findings: Vec<Finding>,
}

/// What was found about one invariant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its name, which is its SQL file's.
    pub invariant: &'static str,
    /// What it says.
    pub says: &'static str,
    /// How many rows offend.
    pub offenders: u64,
    /// The first of them, as `column=value …`.
    pub rows: Vec<String>,
}

/// How many offending rows are shown.
const ROWS_SHOWN_MAX: usize = 20;

/// Checks the store that the options name.
///
/// # Errors
/// If the store can't be read.
pub async fn run(options: &Options) -> anyhow::Result<VerifyReport> {
    match &options.database_url {
        Some(url) => postgres(url, options.settled).await,
        None => sqlite(&options.data_dir.join("rowlock.db"), options.settled),
    }
}

/// Checks a PostgreSQL database.
///
/// # Errors
/// If it can't be read.
pub async fn postgres(database_url: &str, settled: bool) -> anyhow::Result<VerifyReport> {
    Ok(VerifyReport { store: "PostgreSQL", findings: postgres::check(database_url, &wanted(settled, true)).await? })
}

/// Checks a PostgreSQL database for which nobody has taken down what happened: not all of it was written by the product, or by an
/// earlier one.
///
/// # Errors
/// If it can't be read.
pub async fn postgres_without_history(database_url: &str, settled: bool) -> anyhow::Result<VerifyReport> {
    Ok(VerifyReport { store: "PostgreSQL", findings: postgres::check(database_url, &wanted(settled, false)).await? })
}

/// Checks a SQLite file.
///
/// # Errors
/// If it can't be read.
pub fn sqlite(file: &Path, settled: bool) -> anyhow::Result<VerifyReport> {
    Ok(VerifyReport { store: "SQLite", findings: sqlite::check(file, &wanted(settled, true))? })
}

/// Checks a SQLite file for which nobody has taken down what happened.
///
/// # Errors
/// If it can't be read.
pub fn sqlite_without_history(file: &Path, settled: bool) -> anyhow::Result<VerifyReport> {
    Ok(VerifyReport { store: "SQLite", findings: sqlite::check(file, &wanted(settled, false))? })
}

fn wanted(settled: bool, history: bool) -> Vec<&'static Invariant> {
    let is_wanted = |invariant: &&Invariant| match invariant.of {
        Of::Seats => true,
        Of::History => history,
        Of::Swept => settled,
    };
    INVARIANTS.iter().filter(is_wanted).collect()
}

/// The statement that yields the number of offenders as the first column, then the first offenders.
fn counted(sql: &str) -> String {
    format!("SELECT count(*) OVER () AS offenders, offence.* FROM (\n{sql}\n) AS offence LIMIT {ROWS_SHOWN_MAX}")
}

/// A row as text.
fn shown<'a>(columns: impl Iterator<Item = (&'a str, String)>) -> String {
    columns.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

impl Report for VerifyReport {
    fn passed(&self) -> bool {
        self.findings.iter().all(|finding| finding.offenders == 0)
    }
}

impl fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding { invariant, says, offenders, rows } in &self.findings {
            if *offenders == 0 {
                writeln!(f, "ok      {invariant}")?;
                continue;
            }
            writeln!(f, "BROKEN  {invariant}: {says}; {offenders} offending rows")?;
            for row in rows {
                writeln!(f, "          {row}")?;
            }
            if *offenders > rows.len() as u64 {
                writeln!(f, "          …")?;
            }
        }
        let broken = self.findings.iter().filter(|finding| finding.offenders > 0).count();
        write!(f, "{}: {} invariants, {broken} broken", self.store, self.findings.len())
    }
}
