//! The settings about clients: who may do what, where they come from, how often they may ask.

use std::net::IpAddr;

use settings::{Reader, Secret, Setting, Value, parse};

use super::setting;
use crate::access::{Access, Admin, Admins, BookingTokens, Rule};
use crate::client_address::TrustedProxies;
use crate::rate_limit::{self, Rate};

pub(super) const TABLE: [Setting; 7] = [
    setting("ACCESS", None, "open or guarded; default: open on loopback, guarded elsewhere"),
    secret("ADMIN_TOKEN", "what the admin routes are asked with, as Authorization: Bearer; opens everything"),
    secret(
        "ADMIN_TOKENS",
        "more such tokens, as name:scopes:SHA-256, comma-separated; scopes are read, sell, manage, joined by +",
    ),
    secret("BOOKING_SECRET", "what booking tokens are made with; share it between all servers of one store"),
    setting("TRUSTED_PROXIES", None, "addresses and networks whose X-Forwarded-For is believed, comma-separated"),
    setting("RATE_LIMIT_READS", Some("off"), "how often a client may GET, such as 100/s burst 200, or off"),
    setting("RATE_LIMIT_WRITES", Some("off"), "how often a client may POST, such as 20/s burst 40, or off"),
];

const fn secret(name: &'static str, help: &'static str) -> Setting {
    Setting { name, default: None, secret: true, help }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Open,
    Guarded,
}

/// Loopback is open; everywhere else everyone has to prove who they are, unless the house decides otherwise.
pub(super) fn read(reader: &mut Reader, host: IpAddr) -> Option<Access> {
    let word = reader.find("ACCESS", parse::one_of(&[("open", Word::Open), ("guarded", Word::Guarded)]));
    let word = word.unwrap_or(if host.is_loopback() { Word::Open } else { Word::Guarded });
    let admins = admins(reader);
    let secret = reader.find("BOOKING_SECRET", parse::secret);
    if word == Word::Guarded {
        // A secret that was given but can't be used is a mistake already.
        if !reader.is_set("BOOKING_SECRET") {
            reader.refuse("BOOKING_SECRET", "a secret of at least 16 bytes, since access is guarded (or else ACCESS=open)");
        }
        if admins.as_ref().is_some_and(Admins::is_empty) && !reader.is_set("ADMIN_TOKEN") {
            let expected = "a secret of at least 16 bytes, or ADMIN_TOKENS, since access is guarded (or else ACCESS=open)";
            reader.refuse("ADMIN_TOKEN", expected);
        }
    }
    let admins = admins?;
    if secret.as_ref().is_some_and(|secret| admins.holder(secret.expose()).is_some()) {
        reader.refuse("BOOKING_SECRET", "another secret than an admin's token");
    }
    let tokens = secret.as_ref().and_then(|secret| BookingTokens::new(secret.expose().as_bytes()));
    let rule = match word {
        Word::Open => Rule::Open { tokens, exposed: !host.is_loopback() },
        Word::Guarded => Rule::Guarded { tokens: tokens? },
    };
    Some(Access { admins, rule })
}

/// Those of both settings.
fn admins(reader: &mut Reader) -> Option<Admins> {
    let token = reader.find("ADMIN_TOKEN", parse::secret);
    if token.as_ref().is_some_and(|token| !token.expose().bytes().all(|byte| byte.is_ascii_graphic())) {
        reader.refuse("ADMIN_TOKEN", "visible ASCII characters, since it travels in a header");
    }
    let named = if reader.is_set("ADMIN_TOKENS") { reader.find("ADMIN_TOKENS", entries)? } else { Vec::new() };
    let all = token.as_ref().map(Secret::expose).map(Admin::of_token).into_iter().chain(named).collect();
    Admins::new(all).map_err(|expected| reader.refuse("ADMIN_TOKENS", expected)).ok()
}

/// Without a word of what stands there: it may be a token in the wrong place.
fn entries(value: &Value) -> Result<Vec<Admin>, String> {
    let entry = |(i, text): (usize, &String)| {
        Admin::parse(text).map_err(|expected| format!("{expected}, in entry {} of those between commas", i + 1))
    };
    parse::list(value)?.iter().enumerate().map(entry).collect()
}

/// Nobody, unless the house says otherwise.
pub(super) fn trusted_proxies(reader: &mut Reader) -> Option<TrustedProxies> {
    if !reader.is_set("TRUSTED_PROXIES") {
        return Some(TrustedProxies::default());
    }
    reader.find("TRUSTED_PROXIES", |value| TrustedProxies::parse(&parse::list(value)?))
}

/// A rate, or none.
pub(super) fn rate(value: &Value) -> Result<Option<Rate>, String> {
    match value.text().map(str::trim) {
        Some("off") => Ok(None),
        text => text.and_then(Rate::parse).map(Some).ok_or_else(|| rate_limit::EXPECTED.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::path::Path;

    use corpus::Corpus;

    use super::*;

    /// Besides values of every other setting, what is good here.
    const GOOD: [&str; 3] = [
        "deploy:manage:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad,office:read+sell:0000000000000000000000000000000000000000000000000000000000000000",
        "100/s burst 200",
        "10.0.0.0/8, 2001:db8::/32,192.0.2.7",
    ];

    #[test]
    fn any_value_is_read_or_refused_without_a_word_of_it() {
        let (read, directory) = (Cell::new(0), tempfile::tempdir().unwrap());
        let others = Corpus::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../settings/corpus/value")).unwrap();
        let all = others.inputs().iter().map(Vec::as_slice).chain(GOOD.map(str::as_bytes));
        for (i, input) in all.enumerate() {
            std::fs::write(directory.path().join(i.to_string()), input).unwrap();
        }
        Corpus::read(directory.path()).unwrap().check(3000, |bytes| {
            let Ok(text) = String::from_utf8(bytes.to_vec()) else { return };
            for value in [Value::Text(text.clone()), Value::Number(text.clone()), Value::List(vec![text.clone()])] {
                let proxies = parse::list(&value).and_then(|items| TrustedProxies::parse(&items)).map(drop);
                for result in [entries(&value).map(drop), rate(&value).map(drop), proxies] {
                    read.set(read.get() + u32::from(result.is_ok()));
                    let refusal = result.err().unwrap_or_default();
                    assert!(text.trim().len() < 20 || !refusal.contains(text.trim()), "{refusal}");
                }
            }
        });
        assert!(read.get() > 100, "hardly anything is read");
    }
}
