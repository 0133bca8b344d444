//! The product's programs, started as an operator would start them.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::client::{BaseUrl, Connection};

/// A build of the product: a name, and the directory that holds `api` and `expiry-worker`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// What it is called in figures.
    pub name: String,
    /// Where its programs are.
    pub programs: PathBuf,
}

impl FromStr for Product {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, programs)) if !name.is_empty() && !programs.is_empty() => {
                Ok(Self { name: name.into(), programs: programs.into() })
            }
            Some(_) | None => Err("is not of the form NAME=DIRECTORY".into()),
        }
    }
}

/// A setting of the product, `NAME=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductSetting {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl FromStr for ProductSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once('=').ok_or("is not of the form NAME=VALUE")?;
        Ok(Self { name: name.into(), value: value.into() })
    }
}

/// Where a server keeps its books.
#[derive(Clone, Copy, Debug)]
pub(super) enum Store<'a> {
    Postgres(&'a str),
    Sqlite(&'a Path),
}

/// A program of the product that runs. It ends when this is dropped, and when this process ends in any other way.
#[derive(Debug)]
pub(super) struct Running {
    url: BaseUrl,
    guard: Guard,
}

/// A program behind a shell that ends it when our end of its standard input closes.
#[derive(Debug)]
struct Guard {
    shell: Child,
    program: Option<u32>,
}

impl Running {
    pub(super) const fn url(&self) -> &BaseUrl {
        &self.url
    }

    /// Its process id.
    pub(super) const fn id(&self) -> Option<u32> {
        self.guard.program
    }

    /// Ends it as a crash does, and waits until it is gone.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        self.guard.end().await
    }
}

impl Guard {
    async fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut shell = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("can't start a shell")?;
        let output = shell.stdout.take().context("a shell has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).await.context("can't read a program's id")?;
        Ok(Self { shell, program: line.trim().parse().ok() })
    }

    async fn end(mut self) -> anyhow::Result<()> {
        drop(self.shell.stdin.take());
        self.shell.wait().await.context("can't end a program")?;
        Ok(())
    }
}

/// A command that runs a program behind such a shell, without the caller's environment.
fn guarded(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("/bin/sh");
    command.env_clear().current_dir("/").args(["-c", include_str!("guard.sh"), "rowlock-guard"]).arg(program);
    command
}

/// How long a server may take until it is ready.
const START_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);
/// How often a start is tried: somebody else may take the port that was free.
const ATTEMPTS: u32 = 5;

impl Product {
    /// What `api --version` says.
    pub(super) async fn version(&self) -> anyhow::Result<String> {
        let api = self.programs.join("api");
        let output = Command::new(&api).arg("--version").output().await;
        let output = output.with_context(|| {
            format!("can't run {}: build it (`cargo build --release`), or name its directory with --programs", api.display())
        })?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Creates the product's tables.
    pub(super) async fn migrate(&self, database_url: &str) -> anyhow::Result<()> {
        let mut command = Command::new(self.programs.join("api"));
        command.env_clear().current_dir("/").arg("migrate").env("DATABASE_URL", database_url).env("RUST_LOG", "warn");
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true).status().await;
        anyhow::ensure!(status.context("can't run api migrate")?.success(), "api migrate failed");
        Ok(())
    }

    /// Starts `api`, and waits until it is ready.
    pub(super) async fn serve(&self, store: Store<'_>, settings: &[ProductSetting]) -> anyhow::Result<Running> {
        let command = || {
            let mut command = self.command("api", settings);
            match store {
                Store::Postgres(url) => command.env("DATABASE_URL", url),
                Store::Sqlite(directory) => command.env("DATA_DIR", directory),
            };
            command
        };
        start(command, "PORT", "/readyz").await
    }

    /// Starts `expiry-worker`, which begins to sweep at once.
    pub(super) async fn sweep(&self, database_url: &str, settings: &[ProductSetting]) -> anyhow::Result<Running> {
        let command = || {
            let mut command = self.command("expiry-worker", settings);
            command.env("DATABASE_URL", database_url);
            command
        };
        start(command, "WORKER_HEALTH_PORT", "/healthz").await
    }

    /// Without the caller's environment, whose settings it would take for its own, and away from any settings file.
    fn command(&self, program: &str, settings: &[ProductSetting]) -> Command {
        let mut command = guarded(self.programs.join(program));
        command.envs([("RUST_LOG", "warn"), ("LOG_FORMAT", "json"), ("ACCESS", "open")]);
        command.envs([("METRICS_ADDR", "off"), ("WORKER_METRICS_ADDR", "off")]);
        command.envs(settings.iter().map(|setting| (&setting.name, &setting.value)));
        command
    }
}

async fn start(command: impl Fn() -> Command, port_setting: &str, ready: &str) -> anyhow::Result<Running> {
    for _ in 0..ATTEMPTS {
        let port = free_port()?;
        let mut command = command();
        command.env(port_setting, port.to_string());
        let mut running = Running { url: BaseUrl::loopback(port), guard: Guard::start(command).await? };
        if running.becomes_ready(ready).await? {
            return Ok(running);
        }
    }
    anyhow::bail!("a program of the product ends at once; what it says stands above")
}

impl Running {
    /// Whether it is ready; `false` if it has ended.
    async fn becomes_ready(&mut self, path: &str) -> anyhow::Result<bool> {
        let answers = async {
            loop {
                if self.guard.shell.try_wait().context("can't watch a program")?.is_some() {
                    return Ok(false);
                }
                if is_ready(&self.url, path).await {
                    return Ok(true);
                }
                sleep(POLL).await;
            }
        };
        tokio::time::timeout(START_LIMIT, answers).await.context("a program does not become ready")?
    }
}

async fn is_ready(url: &BaseUrl, path: &str) -> bool {
    let Ok(mut connection) = Connection::open(url).await else { return false };
    // Of the worker, any answer will do: it sweeps.
    connection.get(path).await.is_ok_and(|answer| answer.is_success() || path == "/healthz")
}

fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr().context("no port is free")?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_ends_with_its_guard_and_a_guard_with_its_program() {
        let mut command = guarded("sleep");
        command.arg("1000").env("PATH", "/usr/bin:/bin");
        let guard = Guard::start(command).await.unwrap();
        let program = guard.program.unwrap();
        let runs = || crate::bench::processor::of_process(program).is_some();
        if std::path::Path::new("/proc/self/stat").exists() {
            assert!(runs());
        }
        guard.end().await.unwrap();
        assert!(!runs());

        let mut gone = Guard::start(guarded("/bin/true")).await.unwrap();
        gone.shell.wait().await.unwrap();
    }

    #[test]
    fn a_build_has_a_name_and_a_directory() {
        let product = Product { name: "old".into(), programs: "/a/b".into() };
        assert_eq!("old=/a/b".parse(), Ok(product));
        for text in ["", "old", "=/a/b", "old="] {
            assert!(text.parse::<Product>().is_err(), "{text}");
        }
    }
}
