//! Ready parsers. Each returns the value, or what it expected.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use chrono_tz::Tz;

use crate::{Secret, Value};

/// Shorter secrets can be guessed.
const SECRET_BYTES_MIN: usize = 16;

/// A port; 0 lets the system choose one.
pub fn port(value: &Value) -> Result<u16, String> {
    parsed(value.number()).ok_or_else(|| "a port from 0 to 65535".to_owned())
}

/// A whole number in a range, of any integer type, `NonZero…` among them.
pub fn count<T>(range: RangeInclusive<T>) -> impl FnOnce(&Value) -> Result<T, String>
where
    T: FromStr + PartialOrd + Display,
{
    move |value| {
        let number = parsed(value.number()).filter(|number| range.contains(number));
        number.ok_or_else(|| format!("a whole number from {} to {}", range.start(), range.end()))
    }
}

/// Seconds in a range, with fractions if need be.
pub fn seconds(range: RangeInclusive<Duration>) -> impl FnOnce(&Value) -> Result<Duration, String> {
    move |value| {
        let duration = parsed(value.number()).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let expected = || format!("seconds from {} to {}", range.start().as_secs_f64(), range.end().as_secs_f64());
        duration.filter(|duration| range.contains(duration)).ok_or_else(expected)
    }
}

/// `true` or `false`, and the other words for them.
pub fn boolean(value: &Value) -> Result<bool, String> {
    if let Value::Flag(flag) = value {
        return Ok(*flag);
    }
    match value.number().map(str::to_ascii_lowercase).as_deref() {
        Some("true" | "yes" | "on" | "1") => Ok(true),
        Some("false" | "no" | "off" | "0") => Ok(false),
        Some(_) | None => Err("true or false".to_owned()),
    }
}

/// One of some words, each with what it stands for.
pub fn one_of<T: Copy>(words: &[(&str, T)]) -> impl FnOnce(&Value) -> Result<T, String> {
    move |value| {
        let text = value.text().map(str::trim);
        let found = words.iter().find(|(word, _)| text.is_some_and(|text| text.eq_ignore_ascii_case(word)));
        let expected = || format!("one of {}", words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", "));
        found.map(|(_, meaning)| *meaning).ok_or_else(expected)
    }
}

/// An address to listen on: `127.0.0.1`, `0.0.0.0`, `::`, `[::1]` or `localhost`.
pub fn host(value: &Value) -> Result<IpAddr, String> {
    let text = value.text().map(str::trim);
    if text == Some("localhost") {
        return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let text = text.map(|text| text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text));
    parsed(text).ok_or_else(|| "an IP address such as 127.0.0.1 or 0.0.0.0, or localhost".to_owned())
}

/// An address and a port to listen on, or `off`.
pub fn address_or_off(value: &Value) -> Result<Option<SocketAddr>, String> {
    let text = value.text().map(str::trim);
    if text.is_some_and(|text| text.eq_ignore_ascii_case("off")) || matches!(value, Value::Flag(false)) {
        return Ok(None);
    }
    let local = text.and_then(|text| text.strip_prefix("localhost:")).map(|port| format!("{}:{port}", Ipv4Addr::LOCALHOST));
    let address = parsed(local.as_deref().or(text));
    address.map(Some).ok_or_else(|| "an IP address and a port such as 127.0.0.1:4002, or off".to_owned())
}

/// A server that is reached over plain HTTP, without anything secret in its address.
pub fn http_url(value: &Value) -> Result<String, String> {
    let is_url = |text: &&str| {
        let rest = text.strip_prefix("http://").unwrap_or_default();
        let host = rest.split('/').next().unwrap_or_default();
        !host.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"@?#\\".contains(&byte))
    };
    let text = value.text().map(str::trim).filter(is_url);
    text.map(str::to_owned).ok_or_else(|| "a URL such as http://localhost:4318, without TLS and without a password".to_owned())
}

/// A part of the whole, from 0 to 1.
pub fn share(value: &Value) -> Result<f64, String> {
    let share = parsed(value.number()).filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a number from 0 to 1".to_owned())
}

/// A comma-separated list, or a list of texts in the file; empty items are left out.
pub fn list(value: &Value) -> Result<Vec<String>, String> {
    let items: Vec<&str> = match value {
        Value::Text(text) => text.split(',').collect(),
        Value::List(items) => items.iter().map(String::as_str).collect(),
        Value::Number(_) | Value::Flag(_) | Value::Other => return Err("a comma-separated list".to_owned()),
    };
    Ok(items.into_iter().map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect())
}

/// A time zone by its name in the tz database.
pub fn time_zone(value: &Value) -> Result<Tz, String> {
    parsed(value.text().map(str::trim)).ok_or_else(|| "a time zone such as UTC or Europe/Berlin".to_owned())
}

/// A text that is not blank.
pub fn text(value: &Value) -> Result<String, String> {
    let text = value.text().filter(|text| !text.trim().is_empty());
    text.map(str::to_owned).ok_or_else(|| "text".to_owned())
}

/// A path.
pub fn path(value: &Value) -> Result<PathBuf, String> {
    text(value).map(PathBuf::from).map_err(|_| "a path".to_owned())
}

/// A secret that can't be guessed, if it was drawn at random.
pub fn secret(value: &Value) -> Result<Secret, String> {
    let text = value.text().map(str::trim).filter(|text| text.len() >= SECRET_BYTES_MIN);
    text.map(Secret::new).ok_or_else(|| format!("a secret of at least {SECRET_BYTES_MIN} bytes (try `openssl rand -hex 32`)"))
}

/// The address of a PostgreSQL, as a URL or as `host=… user=…`. Its password makes it a secret.
pub fn database_url(value: &Value) -> Result<Secret, String> {
    let is_url = |text: &&str| ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
    let is_keys = |text: &&str| !text.contains("://") && text.contains("host") && text.contains('=');
    let text = value.text().map(str::trim).filter(|text| is_url(text) || is_keys(text));
    text.map(Secret::new).ok_or_else(|| "postgres://user:password@host:port/database, or host=… user=… dbname=…".to_owned())
}

fn parsed<T: FromStr>(text: Option<&str>) -> Option<T> {
    text.and_then(|text| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn text_of(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn number(text: &str) -> Value {
        Value::Number(text.to_owned())
    }

    #[test]
    fn numbers_are_read_from_text_and_from_numbers_within_bounds() {
        assert_eq!(port(&text_of(" 4000 ")), Ok(4000));
        assert_eq!(port(&number("0")), Ok(0));
        for wrong in [text_of("65536"), text_of("-1"), text_of("http"), number("1.5"), Value::Flag(true)] {
            assert_eq!(port(&wrong), Err("a port from 0 to 65535".to_owned()), "{wrong:?}");
        }
        assert_eq!(count(1..=9)(&number("9")), Ok(9));
        assert_eq!(count(1..=9)(&text_of("10")), Err("a whole number from 1 to 9".to_owned()));
        let (one, many) = (NonZeroU32::MIN, NonZeroU32::MAX);
        assert_eq!(count(one..=many)(&text_of("1")), Ok(one));
        assert!(count(one..=many)(&text_of("0")).is_err());
    }

    #[test]
    fn seconds_have_fractions_and_bounds() {
        let read = |value: Value| seconds(Duration::from_millis(10)..=Duration::from_mins(1))(&value);
        assert_eq!(read(text_of("0.25")), Ok(Duration::from_millis(250)));
        assert_eq!(read(number("60")), Ok(Duration::from_mins(1)));
        for wrong in ["60.001", "0", "-1", "NaN", "inf", "1e400", "1s", ""] {
            assert_eq!(read(text_of(wrong)), Err("seconds from 0.01 to 60".to_owned()), "{wrong}");
        }
    }

    #[test]
    fn booleans_are_words() {
        assert_eq!(boolean(&Value::Flag(false)), Ok(false));
        for (word, meaning) in [("true", true), ("YES", true), ("1", true), ("off", false), ("No", false)] {
            assert_eq!(boolean(&text_of(word)), Ok(meaning));
        }
        assert!(boolean(&text_of("maybe")).is_err());
    }

    #[test]
    fn a_word_stands_for_its_meaning() {
        let words = [("open", 1), ("guarded", 2)];
        assert_eq!(one_of(&words)(&text_of("Open")), Ok(1));
        assert_eq!(one_of(&words)(&text_of("ajar")), Err("one of open, guarded".to_owned()));
    }

    #[test]
    fn hosts_are_addresses_or_localhost() {
        for (host_text, address) in [("localhost", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("[::1]", "::1"), ("::", "::")] {
            assert_eq!(host(&text_of(host_text)).unwrap().to_string(), address);
        }
        for wrong in ["example.org", "127.0.0.1:80", ""] {
            assert!(host(&text_of(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_address_has_a_port_or_is_off() {
        for (text, address) in [
            ("127.0.0.1:4002", Some("127.0.0.1:4002")),
            ("localhost:0", Some("127.0.0.1:0")),
            ("[::]:9", Some("[::]:9")),
            ("off", None),
            ("OFF", None),
        ] {
            assert_eq!(address_or_off(&text_of(text)), Ok(address.map(|address| address.parse().unwrap())), "{text}");
        }
        assert_eq!(address_or_off(&Value::Flag(false)), Ok(None));
        for wrong in ["127.0.0.1", "4002", "localhost", "example.org:4002", "127.0.0.1:65536", "on", ""] {
            assert!(address_or_off(&text_of(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_collector_is_reached_over_plain_http_without_a_password() {
        for right in ["http://localhost:4318", "http://10.0.0.1/otlp/", "http://[::1]:4318"] {
            assert_eq!(http_url(&text_of(right)).as_deref(), Ok(right));
        }
        for wrong in ["https://c:4318", "localhost:4318", "http://", "http:///x", "http://me:pw@c", "http://c?k=v", "http://a b"]
        {
            assert!(http_url(&text_of(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_share_is_a_part_of_the_whole() {
        for (text, number) in [("0", 0.0), ("0.25", 0.25), ("1", 1.0)] {
            assert_eq!(share(&text_of(text)), Ok(number));
        }
        for wrong in ["-0.1", "1.1", "NaN", "inf", "half"] {
            assert!(share(&text_of(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lists_are_split_at_commas_and_trimmed() {
        let both = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(list(&text_of(" a, b ,,")), Ok(both.clone()));
        assert_eq!(list(&Value::List(both.clone())), Ok(both));
        assert!(list(&number("1")).is_err());
    }

    #[test]
    fn text_is_not_a_number_of_the_file() {
        assert_eq!(text(&text_of("5")), Ok("5".to_owned()));
        for wrong in [number("5"), Value::Flag(true), Value::Other, text_of(" ")] {
            assert!(text(&wrong).is_err() && path(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn time_zones_have_names() {
        assert_eq!(time_zone(&text_of("Europe/Berlin")), Ok(Tz::Europe__Berlin));
        assert!(time_zone(&text_of("+02:00")).is_err());
    }

    #[test]
    fn secrets_are_long() {
        assert!(secret(&text_of("fifteen bytes..")).is_err());
        assert_eq!(secret(&text_of("sixteen bytes...")).unwrap().expose(), "sixteen bytes...");
        assert!(secret(&number("12345678901234567")).is_err());
    }

    #[test]
    fn a_database_url_is_a_url_or_keys_and_values() {
        for right in ["postgres://me@db/x", "postgresql://db", "host=db user=me", "hostaddr=127.0.0.1"] {
            assert_eq!(database_url(&text_of(right)).unwrap().expose(), right);
        }
        for wrong in ["mysql://db", "db", "me:pw@db", "user=me"] {
            assert!(database_url(&text_of(wrong)).is_err(), "{wrong}");
        }
    }
}
