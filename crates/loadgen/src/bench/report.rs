//! Figures, verdicts and plots, made of a record; nothing in them comes from anywhere else.
//!
//! What a person has to say about them stands in `templates/BENCHMARKS.md`, which is filled in here: change the template, not
//! the page.

mod figures;
mod page;
mod plots;
mod tables;
mod verdicts;

use std::path::PathBuf;

use anyhow::Context;

use super::record::{Record, Run};
pub(super) use verdicts::verdicts;

/// What to make of which record.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Options {
    /// What `loadgen bench --out` has written. Of several files, the rounds count on
    #[arg(long, value_name = "FILE", required = true)]
    pub from: Vec<PathBuf>,
    /// The page
    #[arg(long, value_name = "FILE", default_value = "BENCHMARKS.md")]
    pub out: PathBuf,
    /// The folder of the plots, as seen from the page's
    #[arg(long, value_name = "DIRECTORY", default_value = "docs/bench")]
    pub plots: PathBuf,
}

/// Writes the page and its plots: the record that they are made of.
///
/// # Errors
/// If a record can't be read, or the page or a plot can't be written.
pub fn write(options: &Options) -> anyhow::Result<Record> {
    let mut record: Option<Record> = None;
    for file in &options.from {
        let text = std::fs::read(file).with_context(|| format!("can't read {}", file.display()))?;
        let next: Record = serde_json::from_slice(&text).with_context(|| format!("{} is no record", file.display()))?;
        record = Some(match record {
            Some(before) => before.joined_by(next),
            None => next,
        });
    }
    let record = record.context("no record is given")?;
    let folder = options.out.parent().map_or_else(PathBuf::new, |parent| parent.join(&options.plots));
    std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    let plots = plots::draw(&record, &folder)?;
    let page = page::fill(&record, &plots, &options.plots.to_string_lossy())?;
    std::fs::write(&options.out, page).with_context(|| format!("can't write {}", options.out.display()))?;
    Ok(record)
}

impl Record {
    /// This record, with the other's runs as further rounds.
    fn joined_by(mut self, other: Self) -> Self {
        let rounds = self.runs.iter().map(|run| run.round).max().unwrap_or_default();
        self.runs.extend(other.runs.into_iter().map(|run| Run { round: rounds + run.round, ..run }));
        if !other.budgets.is_empty() {
            self.budgets = other.budgets;
        }
        self.setting.command = format!("{}; {}", self.setting.command, other.setting.command);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = include_str!("report/example.json");

    #[test]
    fn a_page_and_its_plots_are_made_of_a_record() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("bench.json");
        std::fs::write(&from, RECORD).unwrap();
        let out = folder.path().join("BENCHMARKS.md");
        let options = Options { from: vec![from], out: out.clone(), plots: "docs/bench".into() };
        write(&options).unwrap();
        let page = std::fs::read_to_string(&out).unwrap();
        assert!(!page.contains("{{"), "{page}");
        assert!(page.contains("26,000 (24,000 to 28,000)") && page.contains("Linux 6.1"), "{page}");
        let plots: Vec<&str> = page.split("](docs/bench/").skip(1).filter_map(|rest| rest.split(')').next()).collect();
        assert!(plots.len() >= 6, "{plots:?}");
        for plot in plots {
            let svg = std::fs::read_to_string(folder.path().join("docs/bench").join(plot)).unwrap();
            assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{plot}");
        }
    }

    #[test]
    fn rounds_of_a_later_record_count_on() {
        let record: Record = serde_json::from_str(RECORD).unwrap();
        let last = record.runs.iter().map(|run| run.round).max().unwrap();
        let mut later = record.clone();
        later.runs.retain(|run| run.workload == "sqlite" && run.round == 1);
        let more = later.runs.len();
        let joined = record.clone().joined_by(later);
        assert_eq!(joined.runs.len(), record.runs.len() + more);
        assert!(more > 0 && joined.runs.iter().rev().take(more).all(|run| run.workload == "sqlite" && run.round == last + 1));
    }
}
