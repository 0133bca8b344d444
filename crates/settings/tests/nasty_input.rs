//! Whatever stands in the environment or the file is read or refused: no panic, no secret shown, nothing half understood.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has to fail")]

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::os::unix::ffi::OsStringExt as _;
use std::time::Duration;

use corpus::Corpus;
use settings::{LogSettings, Reader, Setting, SettingsFile, StoreSettings, SweepSettings, TraceSettings, Value, parse};

const CASES: u32 = 3000;

/// The one secret of the corpora.
const SECRET: &str = "averylongsecret-0123456789";

const OWN: [Setting; 7] = [
    Setting { name: "PORT", default: Some("4000"), secret: false, help: "" },
    Setting { name: "HOST", default: Some("127.0.0.1"), secret: false, help: "" },
    Setting { name: "HOLD_SECONDS", default: Some("120"), secret: false, help: "" },
    Setting { name: "TIME_ZONE", default: Some("UTC"), secret: false, help: "" },
    Setting { name: "METRICS_ADDR", default: Some("127.0.0.1:4002"), secret: false, help: "" },
    Setting { name: "CORS_ALLOWED_ORIGINS", default: None, secret: false, help: "" },
    Setting { name: "ADMIN_TOKEN", default: None, secret: true, help: "" },
];

fn table() -> Vec<Setting> {
    [&OWN[..], &StoreSettings::TABLE, &SweepSettings::TABLE, &TraceSettings::TABLE, &LogSettings::TABLE].concat()
}

fn corpus(name: &str) -> Corpus {
    Corpus::read(format!("{}/corpus/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Reads every setting: the configuration as printed, and the mistakes.
fn read(environment: Vec<(String, OsString)>, file: Option<&SettingsFile>) -> (String, Vec<String>) {
    let mut reader = Reader::new(&table(), environment, file);
    let _ = reader.get("PORT", parse::port);
    let _ = reader.get("HOST", parse::host);
    let _ = reader.get("HOLD_SECONDS", parse::seconds(Duration::from_millis(100)..=Duration::from_hours(24)));
    let _ = reader.get("TIME_ZONE", parse::time_zone);
    let _ = reader.get("METRICS_ADDR", parse::address_or_off);
    let _ = reader.find("CORS_ALLOWED_ORIGINS", parse::list);
    let _ = reader.find("ADMIN_TOKEN", parse::secret);
    let _ = StoreSettings::read(&mut reader);
    let _ = SweepSettings::read(&mut reader);
    let _ = TraceSettings::read(&mut reader);
    let _ = LogSettings::read(&mut reader);
    let printed = reader.print_config();
    let mistakes = reader.finish(|| Some(())).err().map(|mistakes| mistakes.lines().to_vec());
    (printed, mistakes.unwrap_or_default())
}

fn read_file(bytes: &[u8]) -> Option<(String, Vec<String>)> {
    let text = String::from_utf8(bytes.to_vec()).ok()?;
    Some(read(Vec::new(), Some(&SettingsFile { name: "rowlock.toml".to_owned(), text })))
}

/// What is said of a secret setting, and of a file that can't be read, which may hold one on any line.
fn is_about_secrets(line: &str) -> bool {
    ["ADMIN_TOKEN", "rowlock.toml: TOML parse error"].iter().any(|start| line.starts_with(start))
}

#[test]
fn a_file_is_read_or_refused_and_shows_no_secret() {
    corpus("file").check(CASES, |bytes| {
        let Some((printed, mistakes)) = read_file(bytes) else { return };
        assert!(mistakes.iter().all(|line| !line.trim().is_empty()), "{mistakes:?}");
        for line in printed.lines().chain(mistakes.iter().map(String::as_str)).filter(|line| is_about_secrets(line)) {
            assert!(!line.contains(SECRET), "{line}");
        }
    });
    // Whole, they hold it only where a secret belongs.
    for bytes in corpus("file").inputs() {
        let Some((printed, mistakes)) = read_file(bytes) else { continue };
        assert!(!format!("{printed}{mistakes:?}").contains(SECRET), "{printed}{mistakes:?}");
    }
}

#[test]
fn what_is_printed_is_read_again_as_the_same() {
    corpus("file").check(CASES, |bytes| {
        let Some((printed, mistakes)) = read_file(bytes) else { return };
        if !mistakes.is_empty() {
            return;
        }
        let set = printed.lines().filter_map(|line| line.rsplit_once("  # from ")).map(|(pair, _)| pair);
        let environment: Vec<(String, OsString)> =
            set.filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.to_owned(), value.into())).collect();
        let secret = |(name, _): &(String, OsString)| name == "ADMIN_TOKEN" || name == "DATABASE_URL";
        let open: Vec<_> = environment.into_iter().filter(|pair| !secret(pair)).collect();
        // A text of several lines can't be told from several settings.
        if printed.lines().count() != table().len() || open.iter().any(|(_, value)| value.is_empty()) {
            return;
        }
        let (again, mistakes) = read(open.clone(), None);
        assert!(mistakes.is_empty(), "{mistakes:?} for {open:?}");
        for (name, value) in &open {
            let line = format!("{name}={}  # from environment", value.to_string_lossy());
            assert!(again.lines().any(|found| found == line), "{line} is not in {again}");
        }
    });
}

#[test]
fn any_value_of_any_setting_is_read_or_refused_and_no_secret_is_shown() {
    corpus("value").check(CASES, |bytes| {
        let whole: Vec<(String, OsString)> =
            table().iter().map(|setting| (setting.name.to_owned(), OsString::from_vec(bytes.to_vec()))).collect();
        let (printed, mistakes) = read(whole, None);
        let is_text = std::str::from_utf8(bytes).is_ok();
        assert!(is_text || bytes.is_empty() || !mistakes.is_empty(), "bytes that are no text pass for it");
        for line in printed.lines().chain(mistakes.iter().map(String::as_str)).filter(|line| is_about_secrets(line)) {
            assert!(!line.contains(SECRET), "{line}");
        }
    });
}

#[test]
fn what_a_parser_accepts_is_within_its_bounds_and_is_what_was_written() {
    let (shortest, longest) = (Duration::from_millis(10), Duration::from_hours(1));
    corpus("value").check(CASES, |bytes| {
        let Ok(text) = String::from_utf8(bytes.to_vec()) else { return };
        let trimmed = text.trim().to_owned();
        for value in [Value::Text(text.clone()), Value::Number(text.clone())] {
            if let Ok(port) = parse::port(&value) {
                assert_eq!(trimmed.trim_start_matches('+').parse(), Ok(port));
            }
            if let Ok(count) = parse::count(NonZeroU32::MIN..=NonZeroU32::MAX)(&value) {
                assert_eq!(trimmed.trim_start_matches('+').parse(), Ok(count.get()));
            }
            if let Ok(seconds) = parse::seconds(shortest..=longest)(&value) {
                assert!((shortest..=longest).contains(&seconds), "{seconds:?}");
                let written: f64 = trimmed.parse().unwrap();
                assert!((seconds.as_secs_f64() - written).abs() < 1e-6, "{seconds:?} for {written}");
            }
            if let Ok(address) = parse::host(&value) {
                assert_eq!(parse::host(&Value::Text(address.to_string())), Ok(address));
            }
            if let Ok(zone) = parse::time_zone(&value) {
                assert_eq!(parse::time_zone(&Value::Text(zone.name().to_owned())), Ok(zone));
            }
            if let Ok(items) = parse::list(&value) {
                assert!(items.iter().all(|item| !item.is_empty() && item.trim() == item), "{items:?}");
                assert_eq!(parse::list(&Value::List(items.clone())), Ok(items));
            }
            if let Ok(secret) = parse::secret(&value) {
                assert!(secret.expose().len() >= 16 && trimmed == secret.expose());
            }
            if let Ok(url) = parse::database_url(&value) {
                assert_eq!(url.expose(), trimmed);
            }
        }
    });
}
