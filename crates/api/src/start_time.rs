//! The times that the contract accepts.

use chrono::{DateTime, NaiveDateTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use domain::Timestamp;

/// What a time may look like, for people.
pub(crate) const EXPECTED: &str = "must be a time like 2025-12-11 19:00, 2025-12-11 19:00:00, 2025-12-11T19:00 or RFC 3339";

/// Shapes without an offset.
const LOCAL: [&str; 4] = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];

/// The instant that the text means; one without an offset is read in `zone`. `None` if it means none, or a time that the zone's
/// clocks never show. Of a time that they show twice, the first.
pub(crate) fn parse(text: &str, zone: Tz) -> Option<Timestamp> {
    let text = text.trim();
    // The parser takes signs, numbers of other lengths, and any white space or none for a blank.
    let (minutes, rest) = text.split_at_checked(16)?;
    let is_minutes = ["0000-00-00 00:00", "0000-00-00T00:00", "0000-00-00t00:00"].iter().any(|shape| has_shape(minutes, shape));
    if !is_minutes || !(rest.is_empty() || rest.starts_with(['Z', 'z', '+', '-']) || has_shape(rest.get(..3)?, ":00")) {
        return None;
    }
    let instant = DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc)).ok().or_else(|| {
        let local = LOCAL.iter().find_map(|shape| NaiveDateTime::parse_from_str(text, shape).ok())?;
        zone.from_local_datetime(&local).earliest().map(|time| time.with_timezone(&Utc))
    })?;
    // A leap second, which not every store can keep.
    if instant.nanosecond() >= 1_000_000_000 {
        return None;
    }
    // Stores keep microseconds.
    Timestamp::from_timestamp_micros(instant.timestamp_micros())
}

/// Whether the text is the shape with any digits for its zeros.
fn has_shape(text: &str, shape: &str) -> bool {
    let alike = |(byte, wanted): (u8, u8)| if wanted == b'0' { byte.is_ascii_digit() } else { byte == wanted };
    text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(alike)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::rfc3339;

    fn utc(text: &str) -> Option<String> {
        parse(text, Tz::UTC).map(rfc3339)
    }

    #[test]
    fn every_shape_of_the_contract_is_read() {
        let evening = Some("2025-12-11T19:00:00.000Z".to_owned());
        for text in [
            "2025-12-11 19:00",
            "2025-12-11 19:00:00",
            "2025-12-11T19:00",
            "2025-12-11T19:00:00",
            "2025-12-11T19:00:00Z",
            "2025-12-11T20:30:00.000+01:30",
        ] {
            assert_eq!(utc(text), evening, "{text}");
        }
    }

    #[test]
    fn anything_else_is_not() {
        for text in [
            "",
            "tomorrow",
            "2025-12-11",
            "19:00",
            "2025-13-11 19:00",
            "2025-02-30 19:00",
            "2025-12-11 25:00",
            "+2025-12-11 19:00",
            "12025-12-11 19:00",
            "2025-12-11 19:00 PM",
            "2025-1-1 19:00",
            "2025-12-11 23:59:60",
            "2025-12-130:30",
            "2025-12-0119:0",
            "2025-12-11\t19:00",
            "2025-12-11 9:00",
            "2025-12-11 19:00:0",
            "2025-12-11 19:00: 1",
            "2025-12-11 19:0é",
            "２０２５-12-11 19:00",
            "0",
        ] {
            assert_eq!(utc(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_without_an_offset_is_read_in_the_configured_zone() {
        let berlin: Tz = "Europe/Berlin".parse().unwrap();
        let read = |text| parse(text, berlin).map(rfc3339);
        assert_eq!(read("2025-07-01 19:00").as_deref(), Some("2025-07-01T17:00:00.000Z"));
        assert_eq!(read("2025-07-01T19:00:00Z").as_deref(), Some("2025-07-01T19:00:00.000Z"));
        assert_eq!(read("2025-03-30 02:30"), None, "the clocks skip it");
        assert_eq!(read("2025-10-26 02:30").as_deref(), Some("2025-10-26T00:30:00.000Z"), "the clocks show it twice");
    }
}
