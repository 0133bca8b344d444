//! The small shell that outlives us: with it the programs of a run end, and its folder goes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;

/// A folder for logs, and a process group for programs. When this is dropped, and when this process ends in any other way,
/// all that runs in the group is killed, and the folder is removed unless it is to be kept.
#[derive(Debug)]
pub(super) struct Guard {
    shell: Child,
    /// Nobody else holds it open: it ends when we do.
    input: Mutex<Option<ChildStdin>>,
    group: i32,
    folder: PathBuf,
}

impl Guard {
    /// Starts the shell, in a process group of its own, so that what ends us does not end it.
    pub(super) fn start() -> anyhow::Result<Self> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", include_str!("guard.sh"), "rowlock-chaos-guard"])
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("can't start a shell")?;
        let mut line = String::new();
        if let Some(stdout) = shell.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).context("the shell does not answer")?;
        }
        let folder = PathBuf::from(line.trim_end());
        anyhow::ensure!(folder.is_absolute(), "the shell could not make a folder");
        let group = i32::try_from(shell.id()).context("no process has such an id")?;
        let input = Mutex::new(shell.stdin.take());
        Ok(Self { shell, input, group, folder })
    }

    /// Where logs go.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The process group for everything that is to end with us.
    pub(super) const fn group(&self) -> i32 {
        self.group
    }

    /// Lets the folder stay.
    pub(super) fn keep_folder(&self) -> anyhow::Result<()> {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let input = input.as_mut().context("the shell has no input")?;
        input.write_all(b"keep\n").context("the shell has ended")
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.input.lock().unwrap_or_else(PoisonError::into_inner).take());
        // Nothing can be done about a shell that can't be waited for.
        drop(self.shell.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_in_the_group_ends_with_the_guard_and_the_folder_goes() {
        let guard = Guard::start().unwrap();
        let folder = guard.folder().to_owned();
        assert!(folder.is_dir());
        let mut program = Command::new("sleep").arg("600").process_group(guard.group()).spawn().unwrap();
        drop(guard);
        assert!(!folder.exists());
        assert_eq!(program.wait().unwrap().code(), None, "ended by a signal");
    }

    #[test]
    fn a_folder_that_is_to_be_kept_stays() {
        let guard = Guard::start().unwrap();
        let folder = guard.folder().to_owned();
        std::fs::write(folder.join("log"), "something").unwrap();
        guard.keep_folder().unwrap();
        drop(guard);
        assert!(folder.join("log").exists());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
