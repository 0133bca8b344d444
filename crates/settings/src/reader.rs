//! Reads the settings of a table one by one, and goes on after a mistake.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::path::Path;

use thiserror::Error;

use crate::hide::without_password;
use crate::sources::{Merged, merge};
use crate::value::Value;
use crate::{NAMES, Setting, SettingsFile};

/// A secret of which most may be shown.
const DATABASE_URL: &str = "DATABASE_URL";

/// Everything that is wrong with the settings, a line each.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct Mistakes(Vec<String>);

impl Mistakes {
    /// The lines.
    pub fn lines(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the settings are wrong:")?;
        self.0.iter().try_for_each(|line| write!(formatter, "\n  {line}"))
    }
}

/// The settings of one table, being read.
#[derive(Debug)]
pub struct Reader {
    table: Vec<Setting>,
    merged: Merged,
}

impl Reader {
    /// Reads the environment of this process, and the file named by `--config` or else `rowlock.toml`, if there is one.
    pub fn of_process(table: &[Setting], config: Option<&Path>) -> Self {
        match SettingsFile::find(config) {
            Ok(file) => Self::new(table, env::vars_os(), file.as_ref()),
            Err(mistake) => {
                let mut reader = Self::new(table, env::vars_os(), None);
                reader.merged.mistakes.push(mistake);
                reader
            }
        }
    }

    /// Reads what is passed in.
    pub fn new<N, V>(table: &[Setting], environment: impl IntoIterator<Item = (N, V)>, file: Option<&SettingsFile>) -> Self
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        let environment: HashMap<_, _> = environment.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let mut merged = merge(table, &environment, file);
        let unlisted = table.iter().filter(|setting| !NAMES.contains(&setting.name));
        merged.mistakes.extend(unlisted.map(|setting| format!("{} is not listed in settings::NAMES", setting.name)));
        Self { table: table.to_vec(), merged }
    }

    /// The value of a setting that must have one. `None` after a mistake, which [`finish`](Self::finish) reports.
    pub fn get<T>(&mut self, name: &str, parse: impl FnOnce(&Value) -> Result<T, String>) -> Option<T> {
        if !self.is_set(name) {
            self.merged.mistakes.push(format!("{name} is not set, and it has no default"));
        }
        self.find(name, parse)
    }

    /// The value of a setting that may be absent. Also `None` after a mistake.
    pub fn find<T>(&mut self, name: &str, parse: impl FnOnce(&Value) -> Result<T, String>) -> Option<T> {
        let (value, _) = self.merged.values.get(name)?;
        match parse(value) {
            Ok(parsed) => Some(parsed),
            Err(expected) => {
                self.refuse(name, &expected);
                None
            }
        }
    }

    /// Whether anyone, or the table, has given it a value.
    pub fn is_set(&self, name: &str) -> bool {
        self.merged.values.contains_key(name)
    }

    /// Records a mistake in a setting: its value, if it may be shown, and what is expected instead.
    pub fn refuse(&mut self, name: &str, expected: &str) {
        let secret = self.table.iter().any(|setting| setting.name == name && setting.secret);
        let line = match self.merged.values.get(name) {
            Some((_, origin)) if secret => format!("{name} ({origin}): expected {expected}"),
            Some((value, origin)) => format!("{name}={value:?} ({origin}): expected {expected}", value = value.to_string()),
            None => format!("{name} is not set: expected {expected}"),
        };
        self.merged.mistakes.push(line);
    }

    /// Puts the settings together, or says everything that is wrong with them.
    pub fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, Mistakes> {
        if !self.merged.mistakes.is_empty() {
            return Err(Mistakes(self.merged.mistakes));
        }
        build().ok_or_else(|| Mistakes(vec!["a setting that the program needs has no value".to_owned()]))
    }

    /// Every setting with its value and who set it, a line each, without secrets.
    pub fn print_config(&self) -> String {
        let mut text = String::new();
        for setting in &self.table {
            let line = match self.merged.values.get(setting.name) {
                Some((value, origin)) => format!("{}={}  # from {origin}", setting.name, shown(setting, value)),
                None => format!("# {} is not set", setting.name),
            };
            // Writing into a String can't fail.
            let _written = writeln!(text, "{line}");
        }
        text
    }
}

fn shown(setting: &Setting, value: &Value) -> String {
    if setting.name == DATABASE_URL {
        without_password(&value.to_string())
    } else if setting.secret {
        "***".to_owned()
    } else {
        value.to_string()
    }
}
