//! Start times.

use serde_json::json;

use super::{CASES, House, corpus, get, judge, post};
use crate::support::{Kind, on_both_stores};

on_both_stores! {
    a_start_time_is_nasty
}

/// Makes a show that begins at this time: what the server prints as its time, if it takes it.
fn printed(house: &House, time: &str) -> Option<String> {
    let show = json!({"name": "Hamlet", "start_time": time, "total_seats": 1}).to_string();
    let reply = post(house.port(), "/admin/shows", "", show.as_bytes());
    judge(&reply);
    if reply.status != 201 {
        assert!(house.is_unchanged(), "refused, and yet: {reply:?}");
        return None;
    }
    assert!(!house.is_unchanged());
    let shows = get(house.port(), "/shows?limit=1").expect(200);
    shows[0]["start_time"].as_str().map(str::to_owned)
}

fn numbers(text: &str) -> Vec<u32> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

async fn a_start_time_is_nasty(kind: Kind) {
    let house = House::open(kind).await;
    corpus("start_time").check(CASES, |bytes| {
        let Ok(time) = std::str::from_utf8(bytes) else { return };
        let Some(first) = printed(&house, time) else { return };
        // RFC 3339 in UTC, to the millisecond, in a year of four digits.
        let shape: String = first.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{first}");
        assert_eq!(printed(&house, &first).as_ref(), Some(&first), "a time that the server prints is that time");
        // What has no offset is in UTC here, where it is printed as it was written: the same numbers.
        let is_local = !time.contains(['+', 'z', 'Z', '.']) && time.matches('-').count() == 2;
        assert!(!is_local || numbers(&first).starts_with(&numbers(time)), "{time:?} became {first}");
    });
    house.close().await;
}
