//! The settings of Rowlock's programs: read from the environment and a TOML file, with all mistakes reported at once.
//!
//! A program puts its table together from the shared ones and its own, then reads every setting through a [`Reader`]:
//!
//! ```
//! use settings::{LogSettings, Reader, Setting, parse};
//!
//! const OWN: [Setting; 1] =
//!     [Setting { name: "PORT", default: Some("4000"), secret: false, help: "the port to listen on" }];
//!
//! struct Settings {
//!     log: LogSettings,
//!     port: u16,
//! }
//!
//! let table = [&LogSettings::TABLE[..], &OWN].concat();
//! let mut reader = Reader::new(&table, [("PORT", "4001")], None);
//! let log = LogSettings::read(&mut reader);
//! let port = reader.get("PORT", parse::port);
//! let settings = reader.finish(|| Some(Settings { log: log?, port: port? }))?;
//! assert_eq!(settings.port, 4001);
//! # Ok::<(), settings::Mistakes>(())
//! ```
//!
//! A binary uses [`Reader::of_process`] in place of [`Reader::new`]. The environment wins over the file, the file over the
//! default; an empty environment variable counts as absent. Keys in the file are the settings' names in lower case.

mod groups;
mod hide;
pub mod logs;
pub mod parse;
mod reader;
mod secret;
mod setting;
mod sources;
mod value;

pub use groups::{LogFormat, LogSettings, StoreSettings, SweepSettings, TraceSettings};
pub use reader::{Mistakes, Reader};
pub use secret::Secret;
pub use setting::{NAMES, Setting, help_table};
pub use sources::SettingsFile;
pub use value::Value;
