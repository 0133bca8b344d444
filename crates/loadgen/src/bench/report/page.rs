//! The page: the template with its gaps filled.

use anyhow::Context;

use super::{plots, tables};
use crate::bench::record::Record;

const TEMPLATE: &str = include_str!("../../../templates/BENCHMARKS.md");

/// The page. Plots lie in `folder`, as seen from it.
pub(super) fn fill(record: &Record, plots: &[plots::Plot], folder: &str) -> anyhow::Result<String> {
    let mut page = String::with_capacity(TEMPLATE.len() * 4);
    let mut rest = TEMPLATE;
    while let Some((before, after)) = rest.split_once("{{") {
        let (gap, after) = after.split_once("}}").context("the template has a gap that does not end")?;
        page.push_str(before);
        page.push_str(fill_gap(record, plots, folder, gap)?.trim_end());
        rest = after;
    }
    page.push_str(rest);
    Ok(page)
}

fn fill_gap(record: &Record, plots: &[plots::Plot], folder: &str, gap: &str) -> anyhow::Result<String> {
    Ok(match gap.split_once(':') {
        None => match gap {
            "targets" => tables::targets(record),
            "setting" => tables::setting(&record.setting),
            "costs" => tables::costs(record),
            "others" => tables::others(record),
            "budgets" => tables::budgets(record),
            "wrong" => tables::wrong(record),
            "all" => tables::all(record),
            unknown => anyhow::bail!("the template wants {unknown}, which is nothing"),
        },
        Some(("clients", workload)) => tables::by_clients(record, workload),
        Some(("size", workload)) => tables::by_size(record, workload),
        Some(("plot", name)) => {
            let plot = plots.iter().find(|plot| plot.name == name).with_context(|| format!("there is no plot {name}"))?;
            format!("![{}]({folder}/{name}.svg)", plot.title)
        }
        Some((unknown, _)) => anyhow::bail!("the template wants {unknown}, which is nothing"),
    })
}
