//! The product's hold phase against the baseline's, in turn.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;
use tokio_postgres::NoTls;

use crate::baseline::{LoadOptions, ServerOptions, ServerProcess};
use crate::progress::Progress;
use crate::report::{PhaseReport, Report};
use crate::sell_out;
use crate::target::Target;

/// Both contestants and the load.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Options {
    /// The baseline's server.
    #[command(flatten)]
    pub server: ServerOptions,
    /// What each of them is asked.
    #[command(flatten)]
    pub load: LoadOptions,
    /// How often each of them runs
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Rest before every run, after a checkpoint, in which the disk calms down
    #[arg(long, default_value_t = 1000)]
    pub settle_ms: u64,
}

/// Who is how fast.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CompareReport {
    /// The product's hold phases.
    pub product: Vec<PhaseReport>,
    /// The baseline's hold phases.
    pub baseline: Vec<PhaseReport>,
    /// The median of the product's holds a second.
    pub product_median_per_second: f64,
    /// The median of the baseline's holds a second.
    pub baseline_median_per_second: f64,
    /// How many times as fast the product is.
    pub ratio: f64,
}

/// Runs both in turn, every run on new shows, and compares the medians.
///
/// # Errors
/// If either can't be reached, or the database can't.
pub async fn run(program: &Path, target: &Target, options: &Options, progress: &Progress) -> anyhow::Result<CompareReport> {
    anyhow::ensure!(options.rounds > 0, "at least one round is needed");
    let database_url = options.server.database_url.as_deref().context("compare needs --database-url")?;
    let server = ServerProcess::start(program, &options.server).await?;
    let usual = Target::open(server.url().clone());
    let house = options.load.house();
    let (mut product, mut baseline) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        for (contestant, reports) in [(target, &mut product), (&usual, &mut baseline)] {
            settle(database_url, options.settle_ms).await?;
            reports.push(sell_out::hold_only(contestant, &house, progress).await?);
        }
    }
    let (fast, usual) = (median(&product), median(&baseline));
    let ratio = if usual > 0.0 { fast / usual } else { 0.0 };
    let (product_median_per_second, baseline_median_per_second) = (fast, usual);
    Ok(CompareReport { product, baseline, product_median_per_second, baseline_median_per_second, ratio })
}

/// Gets the pages that the last run has written out of the way of the next one.
async fn settle(database_url: &str, rest_ms: u64) -> anyhow::Result<()> {
    let (client, connection) = tokio_postgres::connect(database_url, NoTls).await.context("can't connect to the database")?;
    let connection = tokio::spawn(connection);
    // Not everyone may; the runs are still comparable without, only noisier.
    let _ = client.batch_execute("CHECKPOINT").await;
    drop(client);
    let _ = connection.await;
    tokio::time::sleep(Duration::from_millis(rest_ms)).await;
    Ok(())
}

fn median(reports: &[PhaseReport]) -> f64 {
    let mut rates: Vec<f64> = reports.iter().map(|report| report.per_second).collect();
    rates.sort_unstable_by(f64::total_cmp);
    match (rates.get(rates.len() / 2), rates.len() % 2) {
        (Some(upper), 0) => f64::midpoint(*upper, rates[rates.len() / 2 - 1]),
        (Some(middle), _) => *middle,
        (None, _) => 0.0,
    }
}

impl Report for CompareReport {
    /// It is a measurement, not a test.
    fn passed(&self) -> bool {
        true
    }
}

impl fmt::Display for CompareReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (product, baseline) in self.product.iter().zip(&self.baseline) {
            writeln!(f, "product   {product}\nbaseline  {baseline}")?;
        }
        let Self { product_median_per_second: product, baseline_median_per_second: baseline, ratio, .. } = self;
        write!(f, "medians: product {product:.0}/s, baseline {baseline:.0}/s, ratio {ratio:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Measured;
    use crate::tally::Tally;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        let report = |per_second| PhaseReport {
            per_second,
            ..PhaseReport::new("holds", 201, Tally::default(), Measured::default()).unwrap()
        };
        let median_of = |rates: &[f64]| median(&rates.iter().copied().map(report).collect::<Vec<_>>());
        for (rates, middle) in [(&[][..], 0.0), (&[3.0], 3.0), (&[9.0, 1.0, 2.0], 2.0), (&[4.0, 1.0, 9.0, 2.0], 3.0)] {
            assert!((median_of(rates) - middle).abs() < f64::EPSILON, "{rates:?}");
        }
    }
}
