//! `throwaway-postgres [--durable] [-- COMMAND …]`: a PostgreSQL for as long as a command runs.
//!
//! Prints the URL of an empty database, then runs the command with `DATABASE_URL` and `PGDATA` set and ends as it ends.
//! Without a command it waits for the end of its standard input.

use std::io::{self, Write as _};
use std::process::{Command, ExitCode};

use throwaway_postgres::{Cluster, DURABLE};

fn main() -> ExitCode {
    run().unwrap_or_else(|problem| {
        eprintln!("throwaway-postgres: {problem}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode, String> {
    let mut arguments = std::env::args().skip(1).peekable();
    let durable = arguments.next_if(|word| word == "--durable").is_some();
    if let Some(word) = arguments.next().filter(|word| word != "--") {
        return Err(format!("{word:?} is not understood; usage: throwaway-postgres [--durable] [-- COMMAND …]"));
    }
    let cluster = Cluster::start_with(if durable { &DURABLE } else { &[] }).map_err(|error| error.to_string())?;
    let url = cluster.fresh_database();
    println!("{url}");
    io::stdout().flush().map_err(|error| error.to_string())?;
    let Some(program) = arguments.next() else {
        return io::copy(&mut io::stdin(), &mut io::sink()).map(|_| ExitCode::SUCCESS).map_err(|error| error.to_string());
    };
    let mut command = Command::new(&program);
    command.args(arguments).env("DATABASE_URL", &url).env("PGDATA", cluster.data_directory());
    let status = command.status().map_err(|error| format!("can't run {program:?}: {error}"))?;
    // Without a code, a signal has ended it: a failure like any other.
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
