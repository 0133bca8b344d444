//! One program of the product, in a process that can be killed, suspended and started again.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::guard::Guard;

/// How long a program may take to end when it is asked to: the api lets open requests take 12 s.
const STOP_LIMIT: Duration = Duration::from_secs(25);

/// How a program is run.
#[derive(Clone, Debug)]
pub(super) struct Launch {
    /// The file.
    pub(super) file: PathBuf,
    /// All of its environment.
    pub(super) environment: Vec<(String, String)>,
}

/// A program, running or not.
#[derive(Debug)]
pub(super) struct Program {
    name: String,
    launch: Launch,
    folder: PathBuf,
    group: i32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    child: Option<Child>,
    /// How it ended when nobody had asked it to.
    surprises: Vec<String>,
}

impl Program {
    /// A program that has not been started yet.
    pub(super) fn new(name: impl Into<String>, launch: Launch, guard: &Guard) -> Self {
        let (folder, group) = (guard.folder().to_owned(), guard.group());
        Self { name: name.into(), launch, folder, group, state: Mutex::default() }
    }

    /// What it is called here.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Where it writes its log.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name))
    }

    /// Starts it, if it does not run.
    pub(super) async fn start(&self) -> anyhow::Result<()> {
        let mut state = self.state.lock().await;
        if !self.runs(&mut state) {
            state.child = Some(self.command()?.spawn().with_context(|| format!("can't start {}", self.launch.file.display()))?);
        }
        Ok(())
    }

    /// Runs it with an argument to its end.
    pub(super) async fn run(&self, argument: &str, limit: Duration) -> anyhow::Result<()> {
        let mut command = self.command()?;
        let status = timeout(limit, command.arg(argument).status()).await;
        let status = status.with_context(|| format!("{} {argument} takes too long", self.name))?;
        let status = status.with_context(|| format!("can't start {}", self.launch.file.display()))?;
        anyhow::ensure!(status.success(), "{} {argument} failed ({status}): {}", self.name, tail(&self.log()));
        Ok(())
    }

    fn command(&self) -> anyhow::Result<Command> {
        let log = OpenOptions::new().create(true).append(true).open(self.log()).context("can't write a log")?;
        let twin = log.try_clone().context("can't write a log")?;
        let mut command = Command::new(&self.launch.file);
        command.env_clear().envs(self.launch.environment.iter().cloned()).current_dir(&self.folder);
        command.process_group(self.group).kill_on_drop(true).stdin(Stdio::null()).stdout(log).stderr(twin);
        Ok(command)
    }

    /// SIGKILL; returns when it is gone.
    pub(super) async fn kill(&self) -> anyhow::Result<()> {
        let mut state = self.state.lock().await;
        if self.runs(&mut state)
            && let Some(mut child) = state.child.take()
        {
            child.kill().await.with_context(|| format!("can't kill {}", self.name))?;
        }
        Ok(())
    }

    /// SIGTERM; returns when it has ended, and with what.
    pub(super) async fn stop(&self) -> anyhow::Result<()> {
        let mut state = self.state.lock().await;
        if !self.runs(&mut state) {
            return Ok(());
        }
        send(&state, Signal::TERM);
        let Some(mut child) = state.child.take() else { return Ok(()) };
        let surprise = if let Ok(ended) = timeout(STOP_LIMIT, child.wait()).await {
            ended.ok().filter(|status| !status.success()).map(|status| format!("{status} after SIGTERM"))
        } else {
            child.kill().await.with_context(|| format!("can't kill {}", self.name))?;
            Some(format!("still running {} s after SIGTERM", STOP_LIMIT.as_secs()))
        };
        state.surprises.extend(surprise);
        Ok(())
    }

    /// SIGSTOP.
    pub(super) async fn suspend(&self) {
        send(&*self.state.lock().await, Signal::STOP);
    }

    /// SIGCONT.
    pub(super) async fn resume(&self) {
        send(&*self.state.lock().await, Signal::CONT);
    }

    /// How it has ended so far when nobody had asked it to.
    pub(super) async fn surprises(&self) -> Vec<String> {
        let mut state = self.state.lock().await;
        self.runs(&mut state);
        state.surprises.clone()
    }

    /// Whether it runs. If it should and does not, that is noted.
    fn runs(&self, state: &mut State) -> bool {
        let ended = state.child.as_mut().and_then(|child| child.try_wait().transpose());
        let Some(ended) = ended else { return state.child.is_some() };
        state.child = None;
        // Its port was taken by someone else while it was down: no fault of the program.
        if !tail(&self.log()).contains("can't listen on") {
            state.surprises.push(ended.map_or_else(|error| error.to_string(), |status: ExitStatus| status.to_string()));
        }
        false
    }
}

fn send(state: &State, signal: Signal) {
    let id = state.child.as_ref().and_then(Child::id).and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(id) = id {
        // It has not been waited for, so the id is its own; if it has just ended, it needs no signal.
        let _ = kill_process(id, signal);
    }
}

/// The end of a log, for a message.
fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}
