//! The small shell that outlives us and tidies up.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::StartError;
use crate::programs::Programs;

/// A shell that waits for the end of its standard input, a pipe that only this process holds open, then stops whatever
/// runs in its process group and removes the folder.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shell: Child,
    folder: PathBuf,
}

/// What the data directory lies on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Disk {
    /// The disk that `/tmp` is on.
    Ordinary,
    /// A disk in memory of this many megabytes, which can be filled. Only root may mount one.
    Small(u32),
}

impl Watchdog {
    /// Starts it in a process group of its own, so that what ends us does not end it; it makes the folder.
    pub(crate) fn start(programs: &Programs, disk: Disk) -> Result<Self, StartError> {
        let failed = || StartError::io("can't start a shell that makes a folder in /tmp");
        let shell = Command::new("/bin/sh");
        let (mut shell, disk) = match disk {
            Disk::Ordinary => (programs.lower(shell), None),
            Disk::Small(megabytes) => {
                let account = programs.account_instead_of_root().ok_or(StartError::NoSmallDisk)?;
                (shell, Some([megabytes.to_string(), account]))
            }
        };
        let mut shell = shell
            .args(["-c", include_str!("watchdog.sh"), "rowlock-pg-watchdog"])
            .args(disk.iter().flatten())
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed())?;
        let mut line = String::new();
        if let Some(stdout) = shell.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(failed())?;
        }
        match line.trim_end() {
            "" if disk.is_some() => Err(StartError::NoSmallDisk),
            "" => Err(failed()(std::io::Error::other("it named no folder"))),
            folder => Ok(Self { folder: PathBuf::from(folder), shell }),
        }
    }

    /// The cluster's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts a command into the watchdog's process group, and its working directory into the folder.
    pub(crate) fn adopt(&self, mut command: Command) -> Command {
        if let Ok(group) = i32::try_from(self.shell.id()) {
            command.process_group(group);
        }
        command.current_dir(&self.folder).stdin(Stdio::null());
        command
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // Nothing can be done about a watchdog that can't be waited for.
        drop(self.shell.wait());
    }
}
