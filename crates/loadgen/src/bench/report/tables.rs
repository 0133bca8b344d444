//! Figures in tables of Markdown.

use std::fmt::Write;

use super::figures::Key;
use super::verdicts::verdicts;
use crate::bench::record::{Record, Run, Setting};
use crate::bench::spread::{Spread, figure};

/// A table; a cell without a figure is a dash.
fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(head);
    text.push('|');
    text.push_str(&"---|".repeat(head.len()));
    text.push('\n');
    text.extend(rows.iter().map(|row| line(row)));
    text
}

fn heads(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "–".into(), |value| value.to_string())
}

/// The targets.
pub(super) fn targets(record: &Record) -> String {
    let rows = verdicts(record).into_iter().map(|verdict| {
        let range = verdict.by_round.map(|spread| format!("{} to {}", figure(spread.min), figure(spread.max)));
        let reached = or_dash(verdict.reached.map(figure));
        vec![verdict.target.into(), verdict.bound.to_string(), reached, or_dash(range), verdict.word().into()]
    });
    table(&heads(&["target", "wanted", "reached", "by round", ""]), &rows.collect::<Vec<_>>())
}

/// Rates under a workload: a row a contestant, a column a number of clients.
pub(super) fn by_clients(record: &Record, workload: &str) -> String {
    let clients = record.varied(workload, |run| run.clients);
    let head = [String::new()].into_iter().chain(clients.iter().map(|clients| match clients {
        1 => "1 client".into(),
        clients => format!("{clients} clients"),
    }));
    by(record, workload, &head.collect::<Vec<_>>(), &clients, |contestant, clients| Key::new(workload, contestant, clients, 0))
}

/// The same, a column a size.
pub(super) fn by_size(record: &Record, workload: &str) -> String {
    let sizes = record.varied(workload, |run| run.size);
    let head = [String::new()].into_iter().chain(sizes.iter().map(|size| format!("{} seats", figure_of(*size))));
    by(record, workload, &head.collect::<Vec<_>>(), &sizes, |contestant, size| Key::new(workload, contestant, 64, size))
}

fn by<'a, T: Copy>(
    record: &'a Record,
    workload: &str,
    head: &[String],
    values: &[T],
    key: impl Fn(&'a str, T) -> Key<'a>,
) -> String {
    let rows = record.contestants(workload).into_iter().map(|contestant| {
        let cells = values.iter().map(|value| or_dash(record.rate(key(contestant, *value))));
        [contestant.to_owned()].into_iter().chain(cells).collect()
    });
    table(head, &rows.collect::<Vec<_>>())
}

/// A count, with thousands parted.
fn figure_of(count: u64) -> String {
    figure(super::plots::number(count))
}

/// Latencies and costs of holds by 64 clients, medians.
pub(super) fn costs(record: &Record) -> String {
    let head = heads(&["", "p50, ms", "p99", "p99.9", "max", "server, µs", "PostgreSQL, µs", "load, µs", "log, bytes"]);
    let rows = record.contestants("spread").into_iter().map(|contestant| {
        let key = Key::new("spread", contestant, 64, 0);
        let median =
            |of: fn(&Run) -> Option<f64>| or_dash(Spread::of(record.of(key).filter_map(of)).map(|spread| figure(spread.median)));
        vec![
            contestant.to_owned(),
            median(|run| Some(run.latency_ms.p50)),
            median(|run| Some(run.latency_ms.p99)),
            median(|run| Some(run.latency_ms.p999)),
            median(|run| Some(run.latency_ms.max)),
            median(|run| run.cost.server_us),
            median(|run| run.cost.postgres_us),
            median(|run| run.cost.client_us),
            median(|run| run.cost.wal_bytes),
        ]
    });
    table(&head, &rows.collect::<Vec<_>>())
}

/// Workloads of one number each: those with no table of their own.
pub(super) fn others(record: &Record) -> String {
    let named = [
        ("losers-one-seat", "64 customers want one seat that is sold, refusals/s"),
        ("losers-house", "64 customers want any seats of a house that is sold out, refusals/s"),
        ("baskets", "four seats in a booking, bookings/s"),
        ("buy", "a hold and its confirm, pairs/s"),
        ("mixed", "seat map of 200 seats, hold, confirm, two looks at the booking: calls/s"),
        ("sweep", "the sweep of holds of one seat, seats/s"),
        ("sweep, snapshot", "… again and again, while a snapshot is kept open, seats/s"),
        ("sweep, baskets", "the sweep of holds of four seats, seats/s"),
        ("sweep, baskets, snapshot", "… again and again, while a snapshot is kept open, seats/s"),
        ("sqlite", "holds on SQLite/s"),
    ];
    let mut rows = Vec::new();
    for (workload, says) in named {
        let clients = record.varied(workload, |run| run.clients);
        for (contestant, clients) in record.contestants(workload).into_iter().flat_map(|c| clients.iter().map(move |n| (c, *n))) {
            let runs =
                || record.runs.iter().filter(|r| r.workload == workload && r.contestant == contestant && r.clients == clients);
            let rate = Spread::of(runs().map(|run| run.per_second));
            let p99 = Spread::of(runs().map(|run| run.latency_ms.p99)).filter(|p99| p99.max > 0.0);
            let clients = if clients == 0 { "–".into() } else { clients.to_string() };
            rows.push(vec![says.into(), contestant.into(), clients, or_dash(rate), or_dash(p99.map(|p99| figure(p99.median)))]);
        }
    }
    table(&heads(&["workload", "contestant", "clients", "median (least to most)", "p99, ms"]), &rows)
}

/// Everything, a row for each contestant under each workload.
pub(super) fn all(record: &Record) -> String {
    let mut keys: Vec<Key<'_>> = record.runs.iter().map(Key::of).collect();
    keys.sort_unstable();
    keys.dedup();
    let head = heads(&[
        "workload",
        "size",
        "clients",
        "contestant",
        "runs",
        "median/s",
        "least",
        "lower quartile",
        "upper quartile",
        "most",
        "p50, ms",
        "p99",
        "p99.9",
        "max",
    ]);
    let rows = keys.into_iter().filter_map(|key| {
        let rate = record.rate(key)?;
        let latency = |of: fn(&Run) -> f64| or_dash(record.spread(key, of).map(|spread| figure(spread.median)));
        let size = if key.size == 0 { "–".into() } else { figure_of(key.size) };
        let mut row = vec![key.workload.into(), size, key.clients.to_string(), key.contestant.into(), rate.runs.to_string()];
        row.extend([rate.median, rate.min, rate.lower_quartile, rate.upper_quartile, rate.max].map(figure));
        row.push(latency(|run| run.latency_ms.p50));
        row.push(latency(|run| run.latency_ms.p99));
        row.push(latency(|run| run.latency_ms.p999));
        row.push(latency(|run| run.latency_ms.max));
        Some(row)
    });
    table(&head, &rows.collect::<Vec<_>>())
}

/// What was wrong with answers and books.
pub(super) fn wrong(record: &Record) -> String {
    let wrong: Vec<String> = record
        .runs
        .iter()
        .flat_map(|run| {
            run.wrong.iter().map(move |wrong| format!("- {}, {}, round {}: {wrong}", run.workload, run.contestant, run.round))
        })
        .collect();
    let answers: u64 = record.runs.iter().flat_map(|run| run.statuses.values()).sum();
    if wrong.is_empty() {
        return format!("Nothing, in {} runs with {} answers.", record.runs.len(), figure_of(answers));
    }
    wrong.join("\n")
}

/// On what it was measured.
pub(super) fn setting(setting: &Setting) -> String {
    let mut rows = vec![
        ("command", format!("`{}`", setting.command)),
        ("began", format!("{} UTC", setting.began_at)),
        ("kernel", setting.kernel.clone()),
        ("processor", format!("{}, {} cores, shared by everything", setting.processor, setting.processors)),
        ("memory", format!("{} MiB", figure_of(setting.memory_mib))),
        ("disk", {
            let flush = setting.flush_ms.map_or_else(String::new, |ms| format!(", a flush of 8 KiB takes {} ms", figure(ms)));
            format!("{}{flush}", setting.file_system)
        }),
        ("PostgreSQL", setting.postgres.clone()),
    ];
    let settings: Vec<String> =
        setting.postgres_settings.iter().filter(|(_, value)| !value.is_empty()).map(|(n, v)| format!("`{n}={v}`")).collect();
    rows.push(("its settings", settings.join(" ")));
    rows.push(("pgbench", setting.pgbench.clone().unwrap_or_else(|| "none".into())));
    for (name, version) in &setting.products {
        rows.push(("product", if name == "product" { version.clone() } else { format!("{name}: {version}") }));
    }
    let own: Vec<String> = setting.product_settings.iter().map(|(name, value)| format!("`{name}={value}`")).collect();
    rows.push(("its settings", if own.is_empty() { "its defaults, `RUST_LOG=warn`".into() } else { own.join(" ") }));
    rows.push(("pools", format!("{} connections", setting.pool_size)));
    rows.push(("load", format!("{} thread(s), closed loop", setting.threads)));
    rows.push((
        "a run",
        format!(
            "{} s, after {} s of warm-up; how many there were is told with all figures",
            setting.seconds, setting.warm_up_seconds
        ),
    ));
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    table(&heads(&["", ""]), &rows)
}

/// What a booking costs.
pub(super) fn budgets(record: &Record) -> String {
    if record.budgets.is_empty() {
        return "Not measured: there was no `pg_stat_statements`.\n".into();
    }
    let no_op = record.spread(Key::new("spread", crate::bench::plan::CEILING, 64, 0), |run| run.cost.server_us.unwrap_or(0.0));
    let mut text = String::new();
    for budget in &record.budgets {
        let cost = &budget.cost;
        let us = |value: Option<f64>| or_dash(value.map(figure));
        // Writing into memory can't fail.
        let _ =
            writeln!(text, "**{}**, {} clients, {} bookings\n", budget.contestant, budget.clients, figure_of(budget.bookings));
        let mut rows = vec![vec!["the server's processes, µs of processor a booking".into(), us(cost.server_us)]];
        if let (Some(no_op), Some(server)) = (no_op.filter(|no_op| no_op.median > 0.0), cost.server_us) {
            rows.push(vec!["… of which HTTP and JSON (all that the no-op server does)".into(), figure(no_op.median)]);
            rows.push(vec!["… of which queue, rules and driver (the rest)".into(), figure(server - no_op.median)]);
        }
        rows.push(vec!["PostgreSQL's processes, µs of processor a booking".into(), us(cost.postgres_us)]);
        rows.push(vec!["the load generator, µs of processor a booking".into(), us(cost.client_us)]);
        rows.push(vec!["bytes of log a booking".into(), us(cost.wal_bytes)]);
        let flushes = super::plots::number(budget.flushes);
        let shared = if budget.flushes > 0 { super::plots::number(budget.bookings) / flushes } else { 0.0 };
        rows.push(vec!["flushes of the log, ms each".into(), format!("{}, {}", figure(flushes), figure(budget.flush_ms))]);
        rows.push(vec!["bookings that share a flush".into(), figure(shared)]);
        text.push_str(&table(&heads(&["", ""]), &rows));
        let statements = budget.statements.iter().map(|s| {
            let short: String = s.text.chars().take(90).collect::<String>().replace('|', "\\|");
            let more = if s.text.chars().count() > 90 { " …" } else { "" };
            vec![
                format!("`{short}{more}`"),
                figure_of(s.calls),
                figure(s.ms_a_call),
                figure(s.us_a_booking),
                figure(s.wal_bytes_a_booking),
            ]
        });
        let head = heads(&["statement", "calls", "ms a call", "µs a booking", "log, bytes a booking"]);
        let _ = writeln!(text, "\n{}", table(&head, &statements.collect::<Vec<_>>()));
    }
    text
}
