//! Where PostgreSQL's programs are, and who runs them.

use std::env;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::StartError;

/// The oldest major version that is taken while a newer one can be found.
const MAJOR_WANTED: u32 = 15;

/// The folder with PostgreSQL's programs, and the account that runs the server.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    folder: PathBuf,
    major: u32,
    account: Option<Account>,
}

/// The user that stands in for root.
#[derive(Clone, Copy, Debug)]
struct Account {
    uid: u32,
    gid: u32,
}

impl Programs {
    /// Looks in `ROWLOCK_PG_BIN`, else in PATH, else where systems put PostgreSQL.
    pub(crate) fn find() -> Result<Self, StartError> {
        let folder = match env::var_os("ROWLOCK_PG_BIN").filter(|named| !named.is_empty()) {
            Some(named) if is_complete(Path::new(&named)) => PathBuf::from(named),
            Some(named) => return Err(StartError::NotInNamedFolder(named.to_string_lossy().into_owned())),
            None => best_of(&in_path().into_iter().chain(installed()).collect::<Vec<_>>()).ok_or(StartError::NotInstalled)?,
        };
        Ok(Self { major: major(&folder), folder, account: account_instead_of_root()? })
    }

    /// What to add to CREATE DATABASE: a copy of files takes half the time of a copy through the log. Before 15 there was
    /// no choice, and files were copied.
    pub(crate) fn fastest_copy(&self) -> &'static str {
        if self.major >= 15 { "STRATEGY file_copy" } else { "" }
    }

    /// A command that runs one of the programs as whoever called us.
    pub(crate) fn client(&self, program: &str) -> Command {
        without_pg_environment(Command::new(self.folder.join(program)))
    }

    /// A command that runs one of the programs as the account that may.
    pub(crate) fn server(&self, program: &str) -> Command {
        self.lower(self.client(program))
    }

    /// The account that runs the server, as `user:group`, where we are root; only then may we mount a disk.
    pub(crate) fn account_instead_of_root(&self) -> Option<String> {
        self.account.map(|Account { uid, gid }| format!("{uid}:{gid}"))
    }

    /// The command as the account that may run PostgreSQL. Setting a user as root also drops root's other groups.
    pub(crate) fn lower(&self, mut command: Command) -> Command {
        if let Some(Account { uid, gid }) = self.account {
            command.uid(uid).gid(gid);
        }
        command
    }
}

/// The caller's own `PG…` variables must not steer a throw-away cluster; messages are read, so they are in English.
fn without_pg_environment(mut command: Command) -> Command {
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C").env("PGCLIENTENCODING", "UTF8");
    command
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "postgres", "psql"].iter().all(|program| folder.join(program).is_file())
}

/// The first that is new enough, else the first.
fn best_of(folders: &[PathBuf]) -> Option<PathBuf> {
    let complete = || folders.iter().filter(|folder| is_complete(folder));
    complete().find(|folder| major(folder) >= MAJOR_WANTED).or_else(|| complete().next()).cloned()
}

/// The folder that PATH's `pg_config` names, and that of PATH's `postgres`.
fn in_path() -> Vec<PathBuf> {
    let asked = Command::new("pg_config").arg("--bindir").output().ok();
    let named = asked.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path)
        .filter_map(|folder| folder.join("postgres").canonicalize().ok())
        .filter_map(|program| program.parent().map(Path::to_owned));
    named.into_iter().chain(found).collect()
}

/// Where Debian, Red Hat and Homebrew put it, newest first.
fn installed() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for (parent, start) in [
        ("/usr/lib/postgresql", ""),
        ("/usr", "pgsql-"),
        ("/opt/homebrew/opt", "postgresql"),
        ("/usr/local/opt", "postgresql"),
        ("/usr/local", "pgsql"),
    ] {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(start));
        folders.extend(named.map(|entry| entry.path().join("bin")).filter(|folder| is_complete(folder)));
    }
    folders.sort_by_cached_key(|folder| std::cmp::Reverse(major(folder)));
    folders
}

/// 15 for `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, 0 for what can't be read.
fn major(folder: &Path) -> u32 {
    let said = Command::new(folder.join("postgres")).arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let version = said.split_whitespace().nth(2).unwrap_or_default();
    version.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn account_instead_of_root() -> Result<Option<Account>, StartError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    ["postgres", "nobody"].into_iter().find_map(account).map(Some).ok_or(StartError::NobodyToRunAs)
}

fn account(name: &str) -> Option<Account> {
    let id = |flag: &str| {
        let output = Command::new("id").args([flag, name]).output().ok()?;
        String::from_utf8_lossy(&output.stdout).trim().parse().ok()
    };
    Some(Account { uid: id("-u")?, gid: id("-g")? })
}
