//! A server in a process of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::ServerOptions;
use crate::client::BaseUrl;

/// How long a server may take to say where it listens.
const START_LIMIT: Duration = Duration::from_secs(20);

/// A running `loadgen baseline-server`. It ends when this is dropped, and when this process ends in any other way: its
/// standard input, which we hold, is closed then.
#[derive(Debug)]
pub struct ServerProcess {
    url: BaseUrl,
    child: Child,
}

/// The program that runs now, to start a server from.
///
/// # Errors
/// If the system does not say.
pub fn this_program() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("can't find this program's file")
}

impl ServerProcess {
    /// Starts `program baseline-server`, where `program` is the file of loadgen.
    ///
    /// # Errors
    /// If it can't be started, or does not say in time where it listens.
    pub async fn start(program: &Path, options: &ServerOptions) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.arg("baseline-server").env_remove("DATABASE_URL");
        command.args(["--way", options.way.name()]);
        command.args(["--pool-size", &options.pool_size.to_string(), "--workers", &options.workers.to_string()]);
        if let Some(url) = &options.database_url {
            // Not as an argument: it holds a password, and everyone can read arguments.
            command.env("DATABASE_URL", url);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("can't start {}", program.display()))?;
        let output = child.stdout.take().context("the baseline server has no output")?;
        let mut line = String::new();
        timeout(START_LIMIT, BufReader::new(output).read_line(&mut line))
            .await
            .context("the baseline server does not say where it listens")?
            .context("can't read where the baseline server listens")?;
        let url = line.trim().parse().context("the baseline server did not start")?;
        Ok(Self { url, child })
    }

    /// Where it listens.
    pub const fn url(&self) -> &BaseUrl {
        &self.url
    }

    /// Its process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }
}
