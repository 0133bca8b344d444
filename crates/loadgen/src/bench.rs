//! The benchmark: the product and those it is compared with, in turn, on the same database and machine.
//!
//! Everything that it needs is started for it: a durable PostgreSQL, the product's `api` and `expiry-worker` from beside this
//! program, the usual servers, pgbench. Every run is on new shows, after a checkpoint and a rest, and the books are checked
//! after it. All runs are written down; [`report`] makes figures, verdicts and plots of them.

mod books;
mod budget;
mod builds;
mod deal;
mod embedded;
mod fill;
mod load;
mod machine;
mod options;
mod pgbench;
mod plan;
mod processor;
mod programs;
mod record;
mod recorder;
pub mod report;
mod rounds;
mod spread;
mod stage;
mod sweep;
mod watch;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;

use crate::baseline::{ServerOptions, Way};
use crate::report::Report;
use load::Span;
pub use options::Options;
pub use plan::{Part, Profile};
pub use programs::{Product, ProductSetting};
pub use record::{Budget, Cost, Record, Run, Setting, Statement};
use recorder::{Recorder, tell};
use stage::Stage;

/// A benchmark that is set up.
struct Bench {
    options: Options,
    products: Vec<Product>,
    product_settings: Vec<ProductSetting>,
    database_url: Option<String>,
    loadgen: PathBuf,
    pgbench: Option<PathBuf>,
}

/// Runs the benchmark. `program` is the file of loadgen, which serves as the usual servers, too.
///
/// # Errors
/// If something does not start, or is not there. What is wrong with answers and books is in the record.
pub async fn run(program: &std::path::Path, options: &Options, threads: usize) -> anyhow::Result<Record> {
    let bench = Bench {
        options: options.clone(),
        products: options.products(program)?,
        product_settings: options.set.clone(),
        database_url: options.database_url.clone(),
        loadgen: program.to_owned(),
        pgbench: pgbench::find(),
    };
    let mut stage = Some(Stage::open(bench.database_url.as_deref(), false).await?);
    let setting = bench.setting(stage.as_ref().context("no stage")?, threads).await?;
    let mut recorder = Recorder::new(setting, options.out.clone());
    if let Some(open) = &stage {
        bench.on_postgres(open, &mut recorder).await?;
    }
    // It would take memory and processor time from those that follow.
    stage.take();
    if options.wants(Part::Sqlite) {
        embedded::run(&bench, &mut recorder).await?;
    }
    if options.wants(Part::Budget) {
        budget::run(&bench, &mut recorder).await?;
    }
    Ok(recorder.into_record())
}

impl Bench {
    async fn on_postgres(&self, stage: &Stage, recorder: &mut Recorder) -> anyhow::Result<()> {
        for mut group in plan::groups(self.options.profile, &self.options.clients, self.products.len()) {
            if !self.options.wants(group.part) {
                continue;
            }
            if self.pgbench.is_none() {
                group.cells.retain(|cell| !matches!(cell.contestant, plan::Contestant::Pgbench(_)));
            }
            tell(&format!("{:?}", group.part));
            rounds::run(self, stage, &group, recorder).await?;
        }
        if self.options.wants(Part::Sweep) {
            tell("Sweep");
            sweep::run(self, stage, recorder).await?;
        }
        Ok(())
    }

    async fn setting(&self, stage: &Stage, threads: usize) -> anyhow::Result<Setting> {
        let (postgres, postgres_settings, began_at) = stage.tell().await?;
        let mut products = Vec::new();
        for product in &self.products {
            products.push((product.name.clone(), product.version().await?));
        }
        let pgbench = match &self.pgbench {
            Some(program) => pgbench::version(program).await,
            None => None,
        };
        Ok(Setting {
            command: self.options.command(),
            began_at,
            kernel: machine::kernel(),
            processor: machine::processor(),
            processors: machine::processors(),
            memory_mib: machine::memory_mib(),
            file_system: stage.data_directory().map_or_else(|| "not ours".into(), |folder| machine::file_system(&folder)),
            flush_ms: machine::flush_ms(),
            postgres,
            postgres_settings,
            pgbench,
            products,
            product_settings: self.product_settings.iter().map(|set| (set.name.clone(), set.value.clone())).collect(),
            pool_size: self.options.pool_size,
            threads,
            seconds: self.span().counted.as_secs_f64(),
            warm_up_seconds: self.span().warm_up.as_secs_f64(),
            rounds: self.rounds(),
        })
    }

    fn rounds(&self) -> u32 {
        self.options.rounds.unwrap_or(match self.options.profile {
            Profile::Quick => 1,
            Profile::Full => 3,
        })
    }

    fn span(&self) -> Span {
        let (warm_up, counted) = match self.options.profile {
            Profile::Quick => (0.2, 0.5),
            Profile::Full => (1.0, 4.0),
        };
        Span {
            warm_up: Duration::from_secs_f64(self.options.warm_up.unwrap_or(warm_up)),
            counted: Duration::from_secs_f64(self.options.seconds.unwrap_or(counted)),
        }
    }

    const fn rest(&self) -> Duration {
        match self.options.profile {
            Profile::Quick => Duration::from_millis(50),
            Profile::Full => Duration::from_millis(700),
        }
    }

    /// How long a reader keeps its snapshot.
    const fn snapshot(&self) -> Duration {
        match self.options.profile {
            Profile::Quick => Duration::from_secs(2),
            Profile::Full => Duration::from_secs(30),
        }
    }

    const fn dead_seats(&self) -> u64 {
        match self.options.profile {
            Profile::Quick => 20_000,
            Profile::Full => 100_000,
        }
    }

    fn worker_settings(&self) -> Vec<ProductSetting> {
        let batch = self.options.sweep_batch.map(|batch| ProductSetting { name: "SWEEP_BATCH".into(), value: batch.to_string() });
        self.product_settings.iter().cloned().chain(batch).collect()
    }

    /// The usual servers have what the product has: a thread for every two processors.
    fn usual_server(&self) -> ServerOptions {
        ServerOptions {
            database_url: None,
            pool_size: self.options.pool_size,
            workers: (machine::processors() / 2).max(1),
            way: Way::default(),
        }
    }
}

impl Report for Record {
    /// It is a measurement; what must hold is that answers and books were right.
    fn passed(&self) -> bool {
        self.runs.iter().all(|run| run.wrong.is_empty())
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let comparisons = builds::comparisons(self);
        if comparisons.is_empty() {
            report::verdicts(self).iter().try_for_each(|verdict| writeln!(f, "{verdict}"))?;
        }
        comparisons.iter().try_for_each(|comparison| writeln!(f, "{comparison}"))?;
        let wrong = self.runs.iter().flat_map(|run| &run.wrong).count();
        write!(f, "{} runs, {wrong} things wrong with answers or books", self.runs.len())
    }
}
