//! pgbench, which talks to PostgreSQL without any server of ours in between: the most that a way of booking can do.

use std::collections::HashSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context;
use tokio::process::Command;
use tokio_postgres::config::Host;

use super::books;
use super::deal::Deal;
use super::load::Span;
use super::stage::{Stage, connect};
use super::watch::{Used, Watch};
use crate::baseline::{PLAN_FOR_KEYS, Way};

/// What pgbench did.
#[derive(Debug, Default)]
pub(super) struct Benched {
    /// Transactions that ended in the counted part.
    pub(super) done: u64,
    /// Their latencies.
    pub(super) latencies_us: Vec<u32>,
    /// All transactions.
    pub(super) transactions: u64,
    /// What the tables hold of them.
    pub(super) bookings: u64,
    /// Whether the baskets did not last.
    pub(super) ran_out: bool,
    /// What is wrong with them.
    pub(super) wrong: Vec<String>,
}

/// The program, beside PostgreSQL's others; `None` if it is not installed.
pub(super) fn find() -> Option<PathBuf> {
    let named = env::var_os("ROWLOCK_PG_BIN").filter(|named| !named.is_empty()).map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let mut installed: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    installed.sort_unstable();
    let folders = named.into_iter().chain(installed.into_iter().rev()).chain(env::split_paths(&path));
    folders.map(|folder| folder.join("pgbench")).find(|program| program.is_file())
}

/// What it says it is.
pub(super) async fn version(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").output().await.ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Lets so many clients book for a while.
pub(super) async fn run(
    program: &Path,
    (stage, database_url): (&Stage, &str),
    clients: u32,
    (way, deal): (Way, Deal),
    span: Span,
) -> anyhow::Result<(Benched, Used)> {
    let folder = tempfile::tempdir().context("can't make a folder for pgbench's log")?;
    let script = folder.path().join("script");
    std::fs::write(&script, script_of(way, deal.basket)?).context("can't write pgbench's script")?;
    let mut command = command(program, database_url)?;
    command.current_dir(folder.path()).args(["-n", "-M", "prepared", "-l", "-f"]).arg(&script);
    command.args(["-c", &clients.to_string(), "-j", &clients.min(2).to_string()]);
    // A second more than is counted: its clock begins before its clients are connected.
    let seconds = (span.warm_up + span.counted).as_secs_f64().ceil() + 1.0;
    command.args(["-T", &format!("{seconds:.0}")]);
    for (name, value) in variables(&deal, clients) {
        command.arg("-D").arg(format!("{name}={value}"));
    }
    let child = command.spawn().context("can't start pgbench")?;
    let session = connect(database_url).await?;
    let watch = Watch { server: None, postmaster: stage.postmaster(), client: child.id(), session: Some(&session) };
    let (output, used) = tokio::join!(child.wait_with_output(), watch.over(span));
    let output = output.context("can't wait for pgbench")?;

    let mut benched = read_logs(folder.path(), span)?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() || said.contains("aborted") {
        benched.wrong.push(format!("pgbench failed: {}", said.trim()));
    }
    let booked = books::in_postgres(&session, deal.first_show, deal.first_show + deal.shows.cast_signed() - 1).await?;
    let seats: HashSet<(i64, i32)> = booked.iter().flat_map(|b| b.seats.iter().map(|seat| (b.show_id, *seat))).collect();
    // A transaction that finds its basket taken or its pile used up books nothing: it must not count.
    benched.bookings = booked.len() as u64;
    benched.ran_out = benched.transactions > benched.bookings;
    let Benched { transactions, bookings, .. } = benched;
    if bookings > transactions || seats.len() as u64 != bookings * deal.basket {
        benched.wrong.push(format!("{transactions} transactions, {bookings} bookings, {} seats", seats.len()));
    }
    Ok((benched, used))
}

/// Deals, books, and idles once there is nothing left to book.
fn script_of(way: Way, basket: u64) -> anyhow::Result<String> {
    let book = match (way, basket) {
        (Way::FiveStatements, 1) => include_str!("../../sql/bench/five-statements.pgbench"),
        (Way::OneStatement, 1) => include_str!("../../sql/bench/one-statement.pgbench"),
        (Way::FiveStatements, 4) => include_str!("../../sql/bench/five-statements-basket.pgbench"),
        (Way::OneStatement, 4) => include_str!("../../sql/bench/one-statement-basket.pgbench"),
        (_, basket) => anyhow::bail!("there is no script for baskets of {basket}"),
    };
    let deal = include_str!("../../sql/bench/deal.pgbench");
    Ok(format!("{deal}\\if :k < :baskets\n{book}\\else\n\\sleep 1 ms\n\\endif\n"))
}

fn variables(deal: &Deal, clients: u32) -> [(&'static str, i64); 9] {
    [
        ("n", -1),
        ("clients", clients.into()),
        ("baskets", deal.baskets().cast_signed()),
        ("over", deal.scattered_over().cast_signed()),
        ("step", deal.step().cast_signed()),
        ("shows", deal.shows.cast_signed()),
        ("first_show", deal.first_show),
        ("basket", deal.basket.cast_signed()),
        ("in_turn", deal.in_turn.into()),
    ]
}

/// The command, with the database in its environment: everyone can read arguments, and a URL may hold a password.
fn command(program: &Path, database_url: &str) -> anyhow::Result<Command> {
    let config: tokio_postgres::Config = database_url.parse().context("no address of a database")?;
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.env("PGOPTIONS", [config.get_options().unwrap_or_default(), PLAN_FOR_KEYS].join(" "));
    if let Some(Host::Tcp(host)) = config.get_hosts().first() {
        command.env("PGHOST", host);
    }
    if let Some(port) = config.get_ports().first() {
        command.env("PGPORT", port.to_string());
    }
    for (name, value) in [("PGUSER", config.get_user()), ("PGDATABASE", config.get_dbname())] {
        command.envs(value.map(|value| (name, value)));
    }
    if let Some(password) = config.get_password() {
        command.env("PGPASSWORD", String::from_utf8_lossy(password).as_ref());
    }
    Ok(command)
}

/// A transaction in pgbench's log: when it ended, and how long it took, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Logged {
    ended_us: u64,
    took_us: u64,
}

fn read_logs(folder: &Path, span: Span) -> anyhow::Result<Benched> {
    let mut logged = Vec::new();
    for entry in std::fs::read_dir(folder).context("can't read pgbench's log")?.flatten() {
        if entry.file_name().to_string_lossy().starts_with("pgbench_log") {
            let text = std::fs::read_to_string(entry.path()).context("can't read pgbench's log")?;
            logged.extend(text.lines().filter_map(parse));
        }
    }
    Ok(count(&logged, span))
}

/// `client transaction latency script seconds microseconds`.
fn parse(line: &str) -> Option<Logged> {
    let mut fields = line.split_ascii_whitespace().skip(2);
    let took_us = fields.next()?.parse().ok()?;
    let seconds: u64 = fields.nth(1)?.parse().ok()?;
    let us: u64 = fields.next()?.parse().ok()?;
    Some(Logged { ended_us: seconds * 1_000_000 + us, took_us })
}

fn count(logged: &[Logged], span: Span) -> Benched {
    let us = |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let began = logged.iter().map(|transaction| transaction.ended_us.saturating_sub(transaction.took_us)).min().unwrap_or(0);
    let from = began + us(span.warm_up);
    let counted: Vec<&Logged> =
        logged.iter().filter(|transaction| (from..from + us(span.counted)).contains(&transaction.ended_us)).collect();
    Benched {
        done: counted.len() as u64,
        latencies_us: counted.iter().map(|transaction| u32::try_from(transaction.took_us).unwrap_or(u32::MAX)).collect(),
        transactions: logged.len() as u64,
        ..Benched::default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn transactions_count_when_they_end_in_the_counted_part() {
        let lines = ["0 1 100 0 50 000100", "1 1 500 0 51 000000", "0 2 700 0 51 999999", "0 3 900 0 52 000000", "broken"];
        let logged: Vec<Logged> = lines.into_iter().filter_map(parse).collect();
        assert_eq!(logged[1], Logged { ended_us: 51_000_000, took_us: 500 });
        let span = Span { warm_up: Duration::from_secs(1), counted: Duration::from_secs(1) };
        let benched = count(&logged, span);
        assert_eq!((benched.done, benched.transactions, benched.latencies_us), (2, 4, vec![500, 700]));
    }
}
