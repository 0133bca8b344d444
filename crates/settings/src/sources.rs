//! Where values come from: the environment, the file, the table's defaults.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use config::{Config, ConfigError, Environment, File, FileFormat, Source as _};

use crate::value::Value;
use crate::{NAMES, Setting};

/// The file that is read when the working directory has one.
const USUAL_FILE: &str = "rowlock.toml";

/// A settings file, read and not yet understood.
#[derive(Clone, Debug)]
pub struct SettingsFile {
    /// Its name, for messages.
    pub name: String,
    /// TOML.
    pub text: String,
}

impl SettingsFile {
    /// Reads the file that was named, which must exist, else `rowlock.toml` in the working directory, which need not.
    pub(crate) fn find(named: Option<&Path>) -> Result<Option<Self>, String> {
        let path = named.unwrap_or(Path::new(USUAL_FILE));
        match fs::read_to_string(path) {
            Ok(text) => Ok(Some(Self { name: path.display().to_string(), text })),
            Err(error) if named.is_none() && error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{}: can't read the settings file: {error}", path.display())),
        }
    }
}

/// Who set a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An environment variable.
    Environment,
    /// The settings file.
    File,
    /// The table.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Environment => "environment",
            Self::File => "file",
            Self::Default => "default",
        })
    }
}

/// The values that win, by the setting's name, and what is wrong with the sources themselves.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    pub(crate) values: BTreeMap<&'static str, (Value, Origin)>,
    pub(crate) mistakes: Vec<String>,
}

/// Lays the environment over the file over the defaults.
pub(crate) fn merge(table: &[Setting], environment: &HashMap<OsString, OsString>, file: Option<&SettingsFile>) -> Merged {
    let mut merged = Merged::default();
    let environment = known_in(environment, table, &mut merged.mistakes);
    let file = file.and_then(|file| keys_of(file, &mut merged.mistakes)).unwrap_or_default();
    match layered(table, &environment, file.clone()) {
        Ok(mut values) => {
            for setting in table {
                let key = setting.name.to_lowercase();
                let origin = if environment.contains_key(setting.name) {
                    Origin::Environment
                } else if file.contains_key(&key) {
                    Origin::File
                } else {
                    Origin::Default
                };
                if let Some(value) = values.remove(&key) {
                    merged.values.insert(setting.name, (value.into(), origin));
                }
            }
        }
        Err(error) => merged.mistakes.push(error.to_string()),
    }
    merged
}

fn layered(
    table: &[Setting],
    environment: &HashMap<String, String>,
    file: HashMap<String, config::Value>,
) -> Result<HashMap<String, config::Value>, ConfigError> {
    let mut layers = Config::builder();
    for setting in table {
        if let Some(default) = setting.default {
            layers = layers.set_default(setting.name.to_lowercase(), default)?;
        }
    }
    let file = Config::builder().add_source(Keys(file)).build()?;
    let environment = Environment::default().source(Some(environment.clone()));
    layers.add_source(file).add_source(environment).build()?.cache.into_table()
}

/// Keys that have been read already, as a source of `config`.
#[derive(Clone, Debug)]
struct Keys(HashMap<String, config::Value>);

impl config::Source for Keys {
    fn clone_into_box(&self) -> Box<dyn config::Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<HashMap<String, config::Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

/// The variables that the table names, without the empty ones.
fn known_in(environment: &HashMap<OsString, OsString>, table: &[Setting], mistakes: &mut Vec<String>) -> HashMap<String, String> {
    let mut known = HashMap::new();
    for setting in table {
        let value = environment.get(&OsString::from(setting.name)).filter(|value| !value.is_empty());
        match value.map(|value| value.to_str()) {
            Some(Some(text)) => drop(known.insert(setting.name.to_owned(), text.to_owned())),
            Some(None) => mistakes.push(format!("{} (environment): expected text in UTF-8", setting.name)),
            None => {}
        }
    }
    known
}

/// The keys of the file that are settings; the others are mistakes.
fn keys_of(file: &SettingsFile, mistakes: &mut Vec<String>) -> Option<HashMap<String, config::Value>> {
    let mut keys = match File::from_str(&file.text, FileFormat::Toml).collect() {
        Ok(keys) => keys,
        Err(error) => {
            mistakes.push(format!("{}: {}", file.name, without_excerpt(&error.to_string())));
            return None;
        }
    };
    let known: Vec<_> = NAMES.iter().map(|name| name.to_lowercase()).collect();
    let mut unknown: Vec<_> = keys.keys().filter(|key| !known.contains(key)).cloned().collect();
    unknown.sort();
    for key in unknown {
        keys.remove(&key);
        let near = nearest(&key, &known).map(|name| format!("; did you mean {name}?")).unwrap_or_default();
        mistakes.push(format!("{}: {key} is not a setting{near}", file.name));
    }
    Some(keys)
}

/// The parser quotes the line it stumbles over, and that line may hold a secret: keep where it is and what is wrong.
fn without_excerpt(error: &str) -> String {
    let lines: Vec<_> = error.lines().map(str::trim).filter(|line| !line.is_empty() && !line.contains('|')).collect();
    lines.join(": ")
}

/// The known name that is a slip of the pen away.
fn nearest<'a>(key: &str, known: &'a [String]) -> Option<&'a String> {
    const SLIPS_MAX: usize = 2;
    let key = key.to_lowercase().replace('-', "_");
    let distance = |name: &&String| strsim::damerau_levenshtein(&key, name);
    known.iter().min_by_key(distance).filter(|name| distance(name) <= SLIPS_MAX)
}
