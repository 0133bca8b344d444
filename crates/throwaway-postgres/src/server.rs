//! One run of the server: from its start to its stop, or its crash.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::StartError;
use crate::programs::Programs;
use crate::watchdog::Watchdog;

/// Recovery after a crash takes its time.
const START_LIMIT: Duration = Duration::from_mins(1);
/// After it, a shutdown becomes a kill.
const STOP_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(5);

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    postmaster: Child,
}

/// Why one attempt to start failed.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// Someone else has the port, or a server that was just killed is not quite gone: worth another try.
    Busy(StartError),
    /// Another try would end the same way.
    Failed(StartError),
}

impl Server {
    /// Starts the server and waits until it answers.
    pub(crate) fn start(programs: &Programs, watchdog: &Watchdog, port: u16, settings: &[String]) -> Result<Self, Attempt> {
        let folder = watchdog.folder();
        let log_before = log(folder).len();
        let mut command = watchdog.adopt(programs.server("postgres"));
        command.arg("-D").arg(folder.join("data")).arg("-k").arg(folder).args(["-p", &port.to_string()]);
        command.args(settings.iter().flat_map(|setting| ["-c", setting]));
        let postmaster = spawn(command, folder).map_err(Attempt::Failed)?;
        let mut server = Self { postmaster };
        if server.becomes_ready(folder) {
            return Ok(server);
        }
        server.kill();
        let said = log(folder).split_off(log_before);
        let busy = ["could not bind", "Address already in use", "still in use"].iter().any(|text| said.contains(text));
        let error = StartError::Server(said);
        Err(if busy { Attempt::Busy(error) } else { Attempt::Failed(error) })
    }

    /// Polls the state that the postmaster writes into the eighth line of its lock file, as `pg_ctl` does.
    fn becomes_ready(&mut self, folder: &Path) -> bool {
        let lock = folder.join("data/postmaster.pid");
        let id = self.postmaster.id().to_string();
        let started = Instant::now();
        while started.elapsed() < START_LIMIT && matches!(self.postmaster.try_wait(), Ok(None)) {
            let text = fs::read_to_string(&lock).unwrap_or_default();
            let mut lines = text.lines().map(str::trim);
            // The first line tells this server's lock from one that a crash left behind.
            if lines.next() == Some(id.as_str()) && lines.nth(6) == Some("ready") {
                return true;
            }
            sleep(POLL);
        }
        false
    }

    /// The postmaster's process id.
    pub(crate) fn id(&self) -> u32 {
        self.postmaster.id()
    }

    /// A fast shutdown: ends the sessions, writes a checkpoint.
    pub(crate) fn stop(&mut self) {
        signal(self.id(), Signal::INT);
        let asked = Instant::now();
        while asked.elapsed() < STOP_LIMIT {
            match self.postmaster.try_wait() {
                Ok(None) => sleep(POLL),
                Ok(Some(_)) | Err(_) => return,
            }
        }
        self.kill();
    }

    /// Suspends every process of the server. Killing it works all the same; nothing else does before it is resumed.
    pub(crate) fn suspend(&self) {
        // First, so that it starts no more processes while they are listed.
        signal(self.id(), Signal::STOP);
        for child in children(self.id()) {
            signal(child, Signal::STOP);
        }
    }

    /// Resumes what was suspended.
    pub(crate) fn resume(&self) {
        for child in children(self.id()) {
            signal(child, Signal::CONT);
        }
        signal(self.id(), Signal::CONT);
    }

    /// Kills the postmaster alone: its sessions finish what they are at, then notice, and end.
    pub(crate) fn kill_postmaster(&mut self) {
        signal(self.id(), Signal::KILL);
        drop(self.postmaster.wait());
    }

    /// Whether the postmaster runs, perhaps suspended.
    pub(crate) fn runs(&mut self) -> bool {
        matches!(self.postmaster.try_wait(), Ok(None))
    }

    /// A crash: no process of the server gets to run another instruction.
    pub(crate) fn kill(&mut self) {
        // Suspended first, so that it starts no more processes while they are listed.
        signal(self.id(), Signal::STOP);
        let children = children(self.id());
        signal(self.id(), Signal::KILL);
        for child in children {
            signal(child, Signal::KILL);
        }
        // It has been killed: an error here can only say that someone has waited before.
        drop(self.postmaster.wait());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The watchdog has stopped it before; this waits for it, so that no zombie stays.
        if self.runs() {
            self.kill();
        }
    }
}

fn spawn(mut command: Command, folder: &Path) -> Result<Child, StartError> {
    let file = OpenOptions::new().create(true).append(true).open(folder.join("log"));
    let file = file.map_err(StartError::io("can't write PostgreSQL's log"))?;
    let twin = file.try_clone().map_err(StartError::io("can't write PostgreSQL's log"))?;
    command.stdout(file).stderr(twin).spawn().map_err(StartError::io("can't run postgres"))
}

/// What the server has logged so far.
pub(crate) fn log(folder: &Path) -> String {
    fs::read(folder.join("log")).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// A process that has just ended needs no signal, so a failure means nothing.
fn signal(id: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        let _ended = kill_process(pid, signal);
    }
}

/// The ids of a process's children: from /proc where there is one, else from `ps`.
fn children(id: u32) -> Vec<u32> {
    if let Ok(listed) = fs::read_to_string(format!("/proc/{id}/task/{id}/children")) {
        return listed.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    }
    let output = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output().map(|output| output.stdout).unwrap_or_default();
    let pairs = String::from_utf8_lossy(&output);
    let of_ours = pairs.lines().filter_map(|line| line.trim().split_once(char::is_whitespace));
    of_ours.filter(|(_, parent)| parent.trim() == id.to_string()).filter_map(|(child, _)| child.parse().ok()).collect()
}
