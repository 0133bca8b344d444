//! Request bodies: read member by member, as the handlers do, then by the domain.
#![no_main]

#[path = "../../crates/api/src/body.rs"]
mod body;
#[path = "../../crates/api/src/problem.rs"]
#[expect(dead_code, reason = "a part of the server")]
mod problem;

use domain::{SeatSelection, UserName};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut body) = body::Body::parse(bytes) else { return };
    let (_, seats) = (body.integer("showId"), body.integers("seats"));
    let name = body.optional_text("userName").unwrap_or_default();
    let _ = (body.integer("bookingId"), body.text("name"), body.optional_text("bookingToken"));
    if let Err(problem) = body.finish() {
        assert!(problem.status.is_client_error());
        drop(problem.respond(None));
    }
    if let Ok(selection) = SeatSelection::new(&seats, 50) {
        assert!((1..=50).contains(&seats.len()), "{selection:?}");
    }
    if let Ok(name) = UserName::new(&name) {
        assert_eq!(UserName::new(&name.to_string()), Ok(name));
    }
});
