//! Commands, and what becomes of their reports.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use loadgen::baseline::{self, ServerStopped, this_program};
use loadgen::report::Report;
use loadgen::{
    Progress, Target, baskets, bench, ceiling, chaos, compare, one_by_one, one_seat, overload, purchases, sell_out, soak, verify,
};

/// Loads a booking server, races customers against each other, and checks the books afterwards.
///
/// Exit status: 0 if all is well, 1 if something is wrong, 2 if the store can't be read or the command is none.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Cli {
    /// Print one JSON report on standard output
    #[arg(long, global = true)]
    json: bool,
    /// Threads that make the load. One costs the least processor time a call, and is enough until it is all used
    #[arg(long, global = true, default_value_t = 1)]
    threads: usize,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Many callers, one seat: exactly one may get it
    OneSeat {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        options: one_seat::Options,
    },
    /// Sell a whole house: everybody holds, then everybody confirms
    SellOut {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        options: sell_out::Options,
    },
    /// Overlapping baskets of random seats, for a while
    Baskets {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        options: baskets::Options,
    },
    /// Lone holds, one after the other
    OneByOne {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        options: one_by_one::Options,
    },
    /// Several times the load that the server can serve, and how it takes it
    Overload {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        options: overload::Options,
    },
    /// Purchases through a proxy that cuts connections, every request repeated: everybody has what it asked for, once
    Purchases {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        options: purchases::Options,
    },
    /// A good deal of the load that the server can serve, for a long time: does anything grow?
    Soak {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        options: soak::Options,
    },
    /// A service of its own, customers, and faults; everything that was answered is judged
    Chaos(chaos::Options),
    /// Check the invariants in the store, online
    Verify(verify::Options),
    /// The hold phase done the usual way: five round trips a request through a pool
    Baseline(baseline::Options),
    /// The server's hold phase against the baseline's, in turn
    Compare {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        options: compare::Options,
    },
    /// What the load generator itself can do: the hold phase on a server that does nothing
    Ceiling {
        #[command(flatten)]
        load: baseline::LoadOptions,
        /// Threads that serve
        #[arg(long, default_value_t = 1)]
        workers: usize,
    },
    /// The benchmark: the product and those it is compared with, in turn; starts all that it needs
    #[command(args_conflicts_with_subcommands = true)]
    Bench {
        #[command(subcommand)]
        command: Option<BenchCommand>,
        #[command(flatten)]
        options: Box<bench::Options>,
    },
    /// Serve the baseline until standard input ends
    #[command(hide = true)]
    BaselineServer(baseline::ServerOptions),
}

#[derive(Debug, Subcommand)]
enum BenchCommand {
    /// What a booking costs, and where: processor time, statements, bytes of log
    Budget(Box<bench::Options>),
    /// Figures, verdicts and plots of what was measured
    Report(bench::report::Options),
}

async fn terminated() -> std::io::Result<()> {
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?.recv().await;
    Ok(())
}

impl Cli {
    /// Runs the command to its exit status.
    pub(crate) fn run(self) -> ExitCode {
        match self.run_until_interrupted() {
            Ok(code) => code,
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "loadgen: {error:#}");
                match self.command {
                    Command::Verify(_) => ExitCode::from(2),
                    Command::OneSeat { .. }
                    | Command::SellOut { .. }
                    | Command::Baskets { .. }
                    | Command::OneByOne { .. }
                    | Command::Overload { .. }
                    | Command::Purchases { .. }
                    | Command::Soak { .. }
                    | Command::Chaos(_)
                    | Command::Baseline(_)
                    | Command::Compare { .. }
                    | Command::Ceiling { .. }
                    | Command::Bench { .. }
                    | Command::BaselineServer(_) => ExitCode::FAILURE,
                }
            }
        }
    }

    fn run_until_interrupted(&self) -> anyhow::Result<ExitCode> {
        let mut runtime = match self.threads {
            0 | 1 => tokio::runtime::Builder::new_current_thread(),
            threads => {
                let mut builder = tokio::runtime::Builder::new_multi_thread();
                builder.worker_threads(threads);
                builder
            }
        };
        runtime.enable_all().build().context("can't start the runtime")?.block_on(async {
            // Dropping the run ends the servers that it has started.
            tokio::select! {
                code = self.run_command() => code,
                interrupted = tokio::signal::ctrl_c() => {
                    interrupted.context("can't wait for an interrupt")?;
                    Ok(ExitCode::from(130))
                }
                told = terminated() => {
                    told.context("can't wait for a signal")?;
                    Ok(ExitCode::from(143))
                }
            }
        })
    }

    async fn run_command(&self) -> anyhow::Result<ExitCode> {
        let progress = Progress::on_terminal();
        match &self.command {
            Command::OneSeat { target, options } => self.tell(&one_seat::run(target, options, &progress).await?),
            Command::SellOut { target, options } => self.tell(&sell_out::run(target, options, &progress).await?),
            Command::Baskets { target, options } => self.tell(&baskets::run(target, options, &progress).await?),
            Command::OneByOne { target, options } => self.tell(&one_by_one::run(target, options, &progress).await?),
            Command::Overload { target, options } => self.tell(&overload::run(target, options, &progress).await?),
            Command::Purchases { target, options } => self.tell(&purchases::run(target, options, &progress).await?),
            Command::Soak { target, options } => self.tell(&soak::run(target, options, &progress).await?),
            Command::Chaos(options) => self.tell(&chaos::run(options).await?),
            Command::Verify(options) => self.tell(&verify::run(options).await?),
            Command::Baseline(options) => {
                anyhow::ensure!(options.server.database_url.is_some(), "the baseline needs --database-url");
                self.tell(&baseline::run(&this_program()?, options, &progress).await?)
            }
            Command::Compare { target, options } => self.tell(&compare::run(&this_program()?, target, options, &progress).await?),
            Command::Ceiling { load, workers } => self.tell(&ceiling::run(&this_program()?, load, *workers, &progress).await?),
            Command::Bench { command, options } => self.bench(command.as_ref(), options).await,
            Command::BaselineServer(options) => {
                let ServerStopped = baseline::serve(options).await?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }

    async fn bench(&self, command: Option<&BenchCommand>, options: &bench::Options) -> anyhow::Result<ExitCode> {
        let options = match command {
            Some(BenchCommand::Report(options)) => return self.tell(&bench::report::write(options)?),
            Some(BenchCommand::Budget(options)) => bench::Options { only: vec![bench::Part::Budget], ..(**options).clone() },
            None => options.clone(),
        };
        self.tell(&bench::run(&this_program()?, &options, self.threads).await?)
    }

    fn tell(&self, report: &impl Report) -> anyhow::Result<ExitCode> {
        let mut out = std::io::stdout();
        if self.json {
            writeln!(out, "{}", serde_json::to_string(report)?)?;
        } else {
            writeln!(out, "{report}")?;
        }
        Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_can_be_parsed() {
        Cli::command().debug_assert();
    }
}
