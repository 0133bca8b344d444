//! The settings about who may do what.

use std::net::IpAddr;

use settings::{Reader, Secret, Setting, Value, parse};

use super::setting;
use crate::access::{Access, Admin, Admins, BookingTokens, Rule};

pub(super) const TABLE: [Setting; 4] = [
    setting("ACCESS", None, "open or guarded; default: open on loopback, guarded elsewhere"),
    secret("ADMIN_TOKEN", "what the admin routes are asked with, as Authorization: Bearer; opens everything"),
    secret(
        "ADMIN_TOKENS",
        "more such tokens, as name:scopes:SHA-256, comma-separated; scopes are read, sell, manage, joined by +",
    ),
    secret("BOOKING_SECRET", "what booking tokens are made with; share it between all servers of one store"),
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
