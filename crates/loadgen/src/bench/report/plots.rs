//! Plots, as SVG. Every median has its least and its most.

mod axis;
mod chart;

use std::path::Path;

use super::figures::Key;
use crate::bench::plan::CEILING;
use crate::bench::record::{Record, Run};
use crate::bench::spread::{Spread, figure};
use chart::{BLACK, Chart, Line};

/// A plot that was drawn.
pub(super) struct Plot {
    /// Its file's name, without `.svg`.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
}

/// Draws everything that the record has figures for. What it has none for is an empty plot.
pub(super) fn draw(record: &Record, folder: &Path) -> anyhow::Result<Vec<Plot>> {
    let plots = [
        by_clients(record, ("holds-by-clients", "Holds a second, by number of clients"), "holds/s", false, |run| run.per_second),
        by_clients(record, ("p99-by-clients", "99 of 100 holds take at most this, by number of clients"), "ms", true, |run| {
            run.latency_ms.p99
        }),
        share_of_ceiling(record),
        by_size(record, ("holds-by-table", "Holds a second, by seats in the table, 64 clients"), &["tables"]),
        by_size(record, ("holds-by-house", "Holds a second, by seats of a house, 64 clients"), &["hot", "houses"]),
        every_run(record),
        costs(record),
    ];
    for plot in &plots {
        plot.draw(folder)?;
    }
    Ok(plots.into_iter().map(|plot| Plot { name: plot.name, title: plot.title }).collect())
}

fn by_clients(
    record: &Record,
    (name, title): (&'static str, &'static str),
    y_name: &'static str,
    logarithmic: bool,
    figure: impl Fn(&Run) -> f64,
) -> Chart {
    let clients = record.varied("spread", |run| run.clients);
    let lines = record.contestants("spread").into_iter().map(|contestant| {
        let at = |(i, clients): (usize, &u32)| Some((i, record.spread(Key::new("spread", contestant, *clients, 0), &figure)?));
        let colour = colour_of(record, contestant);
        Line { name: contestant.to_owned(), colour, points: clients.iter().enumerate().filter_map(at).collect() }
    });
    let ticks = clients.iter().map(ToString::to_string).collect();
    Chart { name, title, x_name: "clients", y_name, ticks, logarithmic, joined: true, stacked: false, lines: lines.collect() }
}

fn share_of_ceiling(record: &Record) -> Chart {
    let name = ("share-of-ceiling", "Holds, as percentage of what a server does that does nothing");
    let mut chart = by_clients(record, name, "% of no-op", false, |run| run.per_second);
    let ceiling: Vec<(usize, Spread)> =
        chart.lines.iter().filter(|line| line.name == CEILING).flat_map(|line| line.points.clone()).collect();
    chart.lines.retain(|line| line.name != CEILING);
    for line in &mut chart.lines {
        line.points = line.points.iter().filter_map(|(i, spread)| Some((*i, percentage(*spread, at(&ceiling, *i)?)))).collect();
    }
    chart
}

fn at(points: &[(usize, Spread)], wanted: usize) -> Option<f64> {
    points.iter().find(|(i, _)| *i == wanted).map(|(_, spread)| spread.median).filter(|median| *median > 0.0)
}

fn percentage(spread: Spread, of: f64) -> Spread {
    let share = |value: f64| value / of * 100.0;
    let Spread { runs, min, lower_quartile, median, upper_quartile, max } = spread;
    let (lower_quartile, upper_quartile) = (share(lower_quartile), share(upper_quartile));
    Spread { runs, min: share(min), lower_quartile, median: share(median), upper_quartile, max: share(max) }
}

fn by_size(record: &Record, (name, title): (&'static str, &'static str), workloads: &[&str]) -> Chart {
    let mut sizes: Vec<u64> = workloads.iter().flat_map(|workload| record.varied(workload, |run| run.size)).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let mut lines = Vec::new();
    for workload in workloads {
        for contestant in record.contestants(workload) {
            let at = |(i, size): (usize, &u64)| Some((i, record.rate(Key::new(workload, contestant, 64, *size))?));
            let name = match *workload {
                "hot" => format!("hot: {contestant}"),
                "houses" => format!("spread: {contestant}"),
                _ => contestant.to_owned(),
            };
            // The same contestant twice in one plot: the second time in black.
            let colour = if *workload == "houses" { BLACK } else { colour_of(record, contestant) };
            lines.push(Line { name, colour, points: sizes.iter().enumerate().filter_map(at).collect() });
        }
    }
    let ticks = sizes.iter().map(|size| figure(number(*size))).collect();
    Chart { name, title, x_name: "seats", y_name: "holds/s", ticks, logarithmic: false, joined: true, stacked: false, lines }
}

/// Each run by itself, so that nobody has to trust a median.
fn every_run(record: &Record) -> Chart {
    let contestants = record.contestants("spread");
    let lines = contestants.iter().enumerate().map(|(i, contestant)| {
        let runs = record.of(Key::new("spread", contestant, 64, 0));
        Line {
            name: (*contestant).to_owned(),
            colour: i,
            points: runs.filter_map(|run| Some((i, Spread::of([run.per_second])?))).collect(),
        }
    });
    Chart {
        name: "every-run",
        title: "Every run of holds with 64 clients, each a dot",
        x_name: "",
        y_name: "holds/s",
        ticks: contestants.iter().map(|contestant| short(contestant)).collect(),
        logarithmic: false,
        joined: false,
        stacked: false,
        lines: lines.collect(),
    }
}

/// A part of what a hold costs, where it is known.
type Part = fn(&Run) -> Option<f64>;

/// Where the processors' time goes.
fn costs(record: &Record) -> Chart {
    let contestants = record.contestants("spread");
    let parts: [(&str, Part); 3] = [
        ("server", |run| run.cost.server_us),
        ("PostgreSQL", |run| run.cost.postgres_us),
        ("load generator", |run| run.cost.client_us),
    ];
    let lines = parts.into_iter().enumerate().map(|(colour, (name, part))| {
        let at = |(i, contestant): (usize, &&str)| {
            let runs = record.of(Key::new("spread", contestant, 64, 0));
            Some((i, Spread::of(runs.filter_map(part))?))
        };
        Line { name: name.into(), colour, points: contestants.iter().enumerate().filter_map(at).collect() }
    });
    Chart {
        name: "cost-of-a-hold",
        title: "Processor time of a hold, 64 clients, medians",
        x_name: "",
        y_name: "µs",
        ticks: contestants.iter().map(|contestant| short(contestant)).collect(),
        logarithmic: false,
        joined: false,
        stacked: true,
        lines: lines.collect(),
    }
}

/// The colour that a contestant has in every plot.
fn colour_of(record: &Record, contestant: &str) -> usize {
    let mut all: Vec<&str> = Vec::new();
    for run in &record.runs {
        if !all.contains(&run.contestant.as_str()) {
            all.push(&run.contestant);
        }
    }
    all.iter().position(|other| *other == contestant).unwrap_or(all.len())
}

/// A contestant's name, short enough to stand under its bar.
fn short(contestant: &str) -> String {
    contestant.replace(" statements", "").replace(" statement", "")
}

#[expect(clippy::cast_precision_loss, reason = "a count, far below 2^52")]
pub(super) const fn number(count: u64) -> f64 {
    count as f64
}
