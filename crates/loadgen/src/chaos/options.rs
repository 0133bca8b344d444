//! What a chaos run is asked for on the command line.

use std::path::PathBuf;

use anyhow::Context;
use clap::ValueEnum;

use super::fault::Fault;
use super::workload;

/// What is done, and to what.
#[derive(Clone, Debug, PartialEq, clap::Args)]
#[group(id = "chaos")]
pub struct Options {
    /// How long customers call
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(20..))]
    pub seconds: u64,
    /// What decides which faults come when, and what customers do; another one each time if it is not given
    #[arg(long)]
    pub seed: Option<u64>,
    /// A second PostgreSQL has every commit of the first, which dies for good half-way
    #[arg(long)]
    pub standby: bool,
    /// Only these faults, instead of all
    #[arg(long, value_delimiter = ',', value_enum)]
    pub faults: Vec<Fault>,
    /// The folder that holds the programs api and expiry-worker; without it, the one that holds loadgen
    #[arg(long)]
    pub programs: Option<PathBuf>,
    /// How long a hold lives
    #[arg(long, default_value_t = 2.0)]
    pub hold_seconds: f64,
    /// Leave logs, history and books behind even if nothing is found
    #[arg(long)]
    pub keep: bool,
    /// Also write the report into this file
    #[arg(long, value_name = "FILE.md")]
    pub report: Option<PathBuf>,
    /// What customers do.
    #[command(flatten)]
    pub workload: workload::Options,
}

impl Options {
    /// The faults to draw from.
    pub(super) fn chosen_faults(&self) -> anyhow::Result<Vec<Fault>> {
        let fails_over = self.faults.contains(&Fault::FailOver);
        anyhow::ensure!(self.standby || !fails_over, "{} needs --standby", Fault::FailOver);
        let mut chosen = if self.faults.is_empty() { Fault::value_variants().to_vec() } else { self.faults.clone() };
        chosen.retain(|fault| self.standby || *fault != Fault::FailOver);
        Ok(chosen)
    }

    /// The folder with the programs.
    pub(super) fn programs(&self) -> anyhow::Result<PathBuf> {
        if let Some(folder) = &self.programs {
            return folder.canonicalize().with_context(|| format!("there is no folder {}", folder.display()));
        }
        let program = std::env::current_exe().context("can't find this program's file")?;
        Ok(program.parent().context("this program is in no folder")?.to_owned())
    }

    /// What customers do, by this seed.
    pub(super) fn workload_options(&self, seed: u64) -> workload::Options {
        workload::Options { seed, hold_seconds: self.hold_seconds, ..self.workload.clone() }
    }

    /// The command line that does the same again.
    pub(super) fn again(&self, seed: u64) -> String {
        let workload::Options { customers, shows, seats, rate, .. } = &self.workload;
        let mut words = vec![
            format!("loadgen chaos --seconds {} --seed {seed} --hold-seconds {}", self.seconds, self.hold_seconds),
            format!("--customers {customers} --shows {shows} --seats {seats} --rate {rate}"),
        ];
        words.extend(self.standby.then(|| "--standby".to_owned()));
        if !self.faults.is_empty() {
            let faults: Vec<String> = self.faults.iter().map(ToString::to_string).collect();
            words.push(format!("--faults {}", faults.join(",")));
        }
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn parsed(line: &str) -> anyhow::Result<Options> {
        Ok(Line::try_parse_from(line.split(' ').skip(1))?.options)
    }

    #[test]
    fn the_command_that_is_printed_does_the_same_again() {
        for line in
            ["loadgen chaos --seed 7", "loadgen chaos --seed 8 --standby --faults kill-api,fail-over --rate 99.5 --seats 7"]
        {
            let options = parsed(line).unwrap();
            let again = options.again(options.seed.unwrap());
            assert_eq!(parsed(&again).unwrap(), options, "{again}");
        }
    }

    #[test]
    fn a_standby_takes_over_only_where_there_is_one() {
        let chosen = |line: &str| parsed(line).unwrap().chosen_faults();
        assert!(!chosen("loadgen chaos").unwrap().contains(&Fault::FailOver));
        assert!(chosen("loadgen chaos --standby").unwrap().contains(&Fault::FailOver));
        assert!(chosen("loadgen chaos --faults fail-over").is_err());
        assert!(parsed("loadgen chaos --seconds 19").is_err());
    }
}
