//! Start times: whatever is read is printed as RFC 3339, and read again as the same instant, in any zone.
#![no_main]

#[path = "../../crates/api/src/start_time.rs"]
#[expect(dead_code, reason = "a part of the server")]
mod start_time;

use chrono::SecondsFormat;
use chrono_tz::Tz;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for zone in [Tz::UTC, Tz::Europe__Berlin, Tz::Pacific__Apia] {
        let Some(time) = start_time::parse(text, zone) else { continue };
        let printed = time.to_rfc3339_opts(SecondsFormat::Micros, true);
        // Years of five digits are refused later, by the domain.
        assert!(start_time::parse(&printed, zone).is_none_or(|again| again == time), "{text:?} is {printed}");
    }
});
