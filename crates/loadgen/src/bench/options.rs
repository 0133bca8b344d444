//! What the command line says.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::plan::{Part, Profile};
use super::programs::{Product, ProductSetting};

/// What is measured, of whom, and how long.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct Options {
    /// How much is measured
    #[arg(long, value_enum, default_value_t)]
    pub profile: Profile,
    /// Only these parts
    #[arg(long, value_enum, value_delimiter = ',')]
    pub only: Vec<Part>,
    /// Writes every run into this file, as JSON, as soon as it is over
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The directory of `api` and `expiry-worker`; without it, that of this program
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "product")]
    pub programs: Option<PathBuf>,
    /// A build of the product, by name. If it is given again, the builds are compared with each other, in turn, and with nobody else:
    /// the first with each of the others
    #[arg(long, value_name = "NAME=DIRECTORY")]
    pub product: Vec<Product>,
    /// None of the product's programs, only what it is compared with, on the tables of `--database-url`
    #[arg(long, requires = "database_url", conflicts_with_all = ["product", "programs"])]
    pub without_product: bool,
    /// A setting of the product's programs; may be given again
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<ProductSetting>,
    /// An empty database of one's own, which is then full; without it, a durable PostgreSQL is started and goes with the run.
    /// Not taken from the environment: the house's own database must not be measured by accident
    #[arg(long, hide_env_values = true)]
    pub database_url: Option<String>,
    /// Numbers of clients, instead of the profile's; where only one is wanted, the last
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    pub clients: Vec<u32>,
    /// How often everything is measured
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: Option<u32>,
    /// How long a run is counted, in seconds
    #[arg(long, value_parser = seconds)]
    pub seconds: Option<f64>,
    /// How long it warms up before
    #[arg(long, value_parser = seconds)]
    pub warm_up: Option<f64>,
    /// Connections in the pools of the usual servers
    #[arg(long, default_value_t = 16)]
    pub pool_size: usize,
    /// Bookings in a transaction of the sweep; without it, the worker's default
    #[arg(long)]
    pub sweep_batch: Option<u32>,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=3600.0).contains(&seconds) => Ok(seconds),
        Ok(_) | Err(_) => Err("is no time in seconds".into()),
    }
}

impl Options {
    /// Whether this part is asked for.
    pub(super) fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    /// The builds to measure. `loadgen` is this program's file.
    pub(super) fn products(&self, loadgen: &Path) -> anyhow::Result<Vec<Product>> {
        if self.without_product || !self.product.is_empty() {
            return Ok(self.product.clone());
        }
        let beside = loadgen.parent().context("this program is in no directory")?;
        let programs = self.programs.clone().unwrap_or_else(|| beside.to_owned());
        Ok(vec![Product { name: "product".into(), programs }])
    }

    /// A command that measures the same again. Without directories, which differ from machine to machine, and without the
    /// database's address, which may hold a password.
    pub(super) fn command(&self) -> String {
        let mut command = String::from("loadgen bench --profile ");
        // Writing into memory can't fail.
        let _ = write!(command, "{}", format!("{:?}", self.profile).to_lowercase());
        for (i, part) in self.only.iter().enumerate() {
            let name = format!("{part:?}").to_lowercase();
            let _ = write!(command, "{}{name}", if i == 0 { " --only " } else { "," });
        }
        for (i, clients) in self.clients.iter().enumerate() {
            let _ = write!(command, "{}{clients}", if i == 0 { " --clients " } else { "," });
        }
        for product in &self.product {
            let _ = write!(command, " --product {}=…", product.name);
        }
        for ProductSetting { name, value } in &self.set {
            let _ = write!(command, " --set {name}={value}");
        }
        for (name, value) in [
            ("rounds", self.rounds.map(f64::from)),
            ("seconds", self.seconds),
            ("warm-up", self.warm_up),
            ("sweep-batch", self.sweep_batch.map(f64::from)),
        ] {
            if let Some(value) = value {
                let _ = write!(command, " --{name} {value}");
            }
        }
        if self.database_url.is_some() {
            command.push_str(" --database-url …");
        }
        command
    }
}
