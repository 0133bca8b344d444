//! The settings file: read or refused, line by line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use settings::{LogSettings, Reader, Setting, SettingsFile, StoreSettings, SweepSettings, parse};

const OWN: [Setting; 4] = [
    Setting { name: "PORT", default: Some("4000"), secret: false, help: "" },
    Setting { name: "HOST", default: None, secret: false, help: "" },
    Setting { name: "CORS_ALLOWED_ORIGINS", default: None, secret: false, help: "" },
    Setting { name: "ADMIN_TOKEN", default: None, secret: true, help: "" },
];

fuzz_target!(|text: &str| {
    let table = [&OWN[..], &StoreSettings::TABLE, &SweepSettings::TABLE, &LogSettings::TABLE].concat();
    let file = SettingsFile { name: "rowlock.toml".to_owned(), text: text.to_owned() };
    let mut reader = Reader::new(&table, [("", ""); 0], Some(&file));
    let _ = (reader.get("PORT", parse::port), reader.find("HOST", parse::host), reader.find("ADMIN_TOKEN", parse::secret));
    let _ = reader.find("CORS_ALLOWED_ORIGINS", parse::list);
    let _ = (StoreSettings::read(&mut reader), SweepSettings::read(&mut reader), LogSettings::read(&mut reader));
    drop(reader.print_config());
    let _ = reader.finish(|| Some(()));
});
