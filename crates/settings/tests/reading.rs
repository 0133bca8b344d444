//! The rules of reading: who wins, what is a mistake, what is shown.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use settings::{LogFormat, LogSettings, Mistakes, Reader, Setting, SettingsFile, StoreSettings, SweepSettings, parse};

const OWN: [Setting; 4] = [
    Setting { name: "PORT", default: Some("4000"), secret: false, help: "" },
    Setting { name: "HOLD_SECONDS", default: Some("120"), secret: false, help: "" },
    Setting { name: "ADMIN_TOKEN", default: None, secret: true, help: "" },
    Setting { name: "HOST", default: None, secret: false, help: "" },
];

fn table() -> Vec<Setting> {
    [&OWN[..], &StoreSettings::TABLE, &SweepSettings::TABLE, &LogSettings::TABLE].concat()
}

fn file(text: &str) -> SettingsFile {
    SettingsFile { name: "rowlock.toml".to_owned(), text: text.to_owned() }
}

fn reader<const N: usize>(environment: [(&str, &str); N], text: &str) -> Reader {
    Reader::new(&table(), environment, Some(&file(text)))
}

fn mistakes(reader: Reader) -> Vec<String> {
    reader.finish(|| Some(())).err().as_ref().map(Mistakes::lines).unwrap_or_default().to_vec()
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_default() {
    let text = "port = 1\nhold_seconds = 1";
    let mut reader = reader([("PORT", "2"), ("PATH", "/bin")], text);
    assert_eq!(reader.get("PORT", parse::port), Some(2));
    assert_eq!(reader.get("HOLD_SECONDS", parse::count(1..=600)), Some(1));
    assert_eq!(reader.get("SWEEP_BATCH", parse::count(1..=600)), Some(500));
    assert_eq!(mistakes(reader), [""; 0]);
}

#[test]
fn an_empty_variable_counts_as_absent() {
    let mut reader = reader([("PORT", ""), ("ADMIN_TOKEN", "")], "port = 1");
    assert_eq!(reader.get("PORT", parse::port), Some(1));
    assert_eq!(reader.find("ADMIN_TOKEN", parse::secret), None);
    assert!(!reader.is_set("ADMIN_TOKEN"));
    assert_eq!(mistakes(reader), [""; 0]);
}

#[test]
fn every_mistake_is_reported_in_a_line_of_its_own() {
    let mut reader = reader([("PORT", "70000"), ("ADMIN_TOKEN", "short")], "hold_seconds = true\nsweep_secnds = 1\nrow = 2");
    assert_eq!(reader.get("PORT", parse::port), None);
    assert_eq!(reader.get("HOLD_SECONDS", parse::count(1..=600)), None);
    assert_eq!(reader.find("ADMIN_TOKEN", parse::secret), None);
    assert_eq!(reader.get("HOST", parse::host), None);
    reader.refuse("DATABASE_URL", "a database when HOST is public");
    let mistakes = reader.finish(|| Some(())).unwrap_err();
    let expected = [
        "rowlock.toml: row is not a setting",
        "rowlock.toml: sweep_secnds is not a setting; did you mean sweep_seconds?",
        "PORT=\"70000\" (environment): expected a port from 0 to 65535",
        "HOLD_SECONDS=\"true\" (file): expected a whole number from 1 to 600",
        "ADMIN_TOKEN (environment): expected a secret of at least 16 bytes (try `openssl rand -hex 32`)",
        "HOST is not set, and it has no default",
        "DATABASE_URL is not set: expected a database when HOST is public",
    ];
    assert_eq!(mistakes.lines(), expected);
    assert_eq!(mistakes.to_string(), format!("the settings are wrong:\n  {}", expected.join("\n  ")));
}

#[test]
fn a_secret_in_a_mistake_is_not_shown() {
    let mut reader = reader([("DATABASE_URL", "me:hunter2@db")], "admin_token = 12345");
    assert_eq!(reader.find("DATABASE_URL", parse::database_url), None);
    assert_eq!(reader.find("ADMIN_TOKEN", parse::secret), None);
    let text = mistakes(reader).join("\n");
    assert!(!text.contains("hunter2") && !text.contains("12345"), "{text}");
}

#[test]
fn a_file_that_is_not_toml_is_a_mistake_that_does_not_quote_it() {
    let lines = mistakes(reader([], "port = 1\nadmin_token = hunter2"));
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("rowlock.toml: TOML parse error at line 2"), "{lines:?}");
    assert!(!lines[0].contains("hunter2"), "{lines:?}");
}

#[test]
fn keys_in_capitals_and_tables_are_not_settings() {
    let lines = mistakes(reader([], "PORT = 1\n[api]\nport = 1"));
    assert_eq!(lines, ["rowlock.toml: PORT is not a setting; did you mean port?", "rowlock.toml: api is not a setting"]);
    let mut reader = reader([], "[port]\nport = 1");
    assert_eq!(reader.get("PORT", parse::port), None);
    assert_eq!(mistakes(reader), ["PORT=\"(a table)\" (file): expected a port from 0 to 65535"]);
}

#[test]
fn a_setting_of_another_program_is_no_mistake() {
    assert_eq!(mistakes(reader([], "cors_allowed_origins = [\"http://localhost:5173\"]")), [""; 0]);
}

#[test]
fn a_table_with_an_unlisted_name_is_refused() {
    let table = [Setting { name: "NEW_ONE", default: None, secret: false, help: "" }];
    let reader = Reader::new(&table, [("NEW_ONE", "1")], None);
    assert_eq!(mistakes(reader), ["NEW_ONE is not listed in settings::NAMES"]);
}

#[test]
fn a_named_file_must_exist() {
    let missing = PathBuf::from("/nonexistent/rowlock.toml");
    let lines = mistakes(Reader::of_process(&[], Some(&missing)));
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("/nonexistent/rowlock.toml: can't read the settings file: "), "{lines:?}");
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_unicode_is_a_mistake() {
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::OsStrExt as _;
    let reader = Reader::new(&table(), [(OsString::from("DATA_DIR"), OsStr::from_bytes(b"\xff").to_owned())], None);
    assert_eq!(mistakes(reader), ["DATA_DIR (environment): expected text in UTF-8"]);
}

#[test]
fn the_printed_configuration_names_origins_and_hides_secrets() {
    let environment = [("DATABASE_URL", "postgres://me:hunter2@db/x"), ("ADMIN_TOKEN", "a very long secret")];
    let printed = reader(environment, "port = 1\nsweep_seconds = 0.5").print_config();
    let expected = "PORT=1  # from file
HOLD_SECONDS=120  # from default
ADMIN_TOKEN=***  # from environment
# HOST is not set
DATABASE_URL=postgres://me:***@db/x  # from environment
DATA_DIR=./data  # from default
SWEEP_SECONDS=0.5  # from file
SWEEP_BATCH=500  # from default
RUST_LOG=info,actix_http=off  # from default
LOG_FORMAT=auto  # from default
";
    assert_eq!(printed, expected);
}

#[test]
fn the_shared_groups_have_their_defaults() {
    let mut reader = reader([], "");
    let store = StoreSettings { database_url: None, data_dir: PathBuf::from("./data") };
    assert_eq!(StoreSettings::read(&mut reader), Some(store));
    let sweep = SweepSettings { tick: Duration::from_secs(1), batch: NonZeroU32::new(500).unwrap() };
    assert_eq!(SweepSettings::read(&mut reader), Some(sweep));
    let log = LogSettings { filter: "info,actix_http=off".to_owned(), format: LogFormat::Auto };
    assert_eq!(LogSettings::read(&mut reader), Some(log));
    assert_eq!(mistakes(reader), [""; 0]);
}

#[test]
fn the_http_library_is_heard_only_where_it_is_named() {
    for (given, in_force) in [
        ("warn", "warn,actix_http=off"),
        ("access=warn,debug", "access=warn,debug,actix_http=off"),
        ("info,actix_http=debug", "info,actix_http=debug"),
        ("actix_http::h1=trace", "actix_http::h1=trace"),
    ] {
        let log = LogSettings::read(&mut reader([("RUST_LOG", given)], "")).unwrap();
        assert_eq!(log.filter, in_force);
    }
}

#[test]
fn the_shared_groups_refuse_what_is_out_of_bounds() {
    let environment = [
        ("DATABASE_URL", "mysql://db"),
        ("SWEEP_SECONDS", "0"),
        ("SWEEP_BATCH", "0"),
        ("RUST_LOG", "info=a=b"),
        ("LOG_FORMAT", "xml"),
    ];
    let mut reader = reader(environment, "data_dir = 5");
    assert_eq!(StoreSettings::read(&mut reader), None);
    assert_eq!(SweepSettings::read(&mut reader), None);
    assert_eq!(LogSettings::read(&mut reader), None);
    let expected = [
        "DATABASE_URL (environment): expected postgres://user:password@host:port/database, or host=… user=… dbname=…",
        "DATA_DIR=\"5\" (file): expected a path",
        "SWEEP_SECONDS=\"0\" (environment): expected seconds from 0.01 to 3600",
        "SWEEP_BATCH=\"0\" (environment): expected a whole number from 1 to 10000",
        "RUST_LOG=\"info=a=b\" (environment): expected levels such as info or api=debug,info",
        "LOG_FORMAT=\"xml\" (environment): expected one of auto, pretty, json",
    ];
    assert_eq!(mistakes(reader), expected);
}
