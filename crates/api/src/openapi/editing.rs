//! What [`crate::editing`] takes and answers.

use serde_json::{Value, json};

use super::admin::{TIME, terms};
use super::bookings::seats_up_to;
use super::call::Call;
use super::describe::{Description, name_pattern};
use crate::access::Scope;
use crate::bookings::Done;
use crate::editing::{BLOCK_SEATS_MAX, ShowDone};

const GROUP: &str = "Administration";

pub(crate) const EDIT: Call = Call::post("/admin/shows/{id}/edit", |_| {
    Description::of(
        "editShow",
        GROUP,
        "Edit a show",
        "What is missing stays as it is, and null leaves open what a new show may leave open.",
    )
    .path_id("The show.")
    .takes("ShowEdit", edit(), json!({"name": "Avengers Movie, late", "seats_per_customer": 4}))
    .answers::<ShowDone>(200, "Seats are sold on the new terms.", json!({"message": "Show edited", "showId": 1}))
    .refuses(&["no_such_show", "invalid_request"])
    .asks_the_store()
})
.needing(Scope::Manage);

fn edit() -> Value {
    let mut members = terms();
    members["name"] = json!({"description": "What is played.", "type": "string", "pattern": name_pattern(true)});
    members["start_time"] = json!({"description": "As of a new show.", "type": "string", "pattern": TIME});
    json!({"type": "object", "properties": members})
}

pub(crate) const CANCEL: Call = Call::post("/admin/shows/{id}/cancel", |_| {
    Description::of("cancelShow", GROUP, "Cancel a show", "Its bookings fail, and what was paid is to be paid back.")
        .path_id("The show.")
        .takes("Nothing", json!({"type": "object"}), json!({}))
        .answers::<ShowDone>(200, "Nothing of it is sold any more.", json!({"message": "Show cancelled", "showId": 1}))
        .refuses(&["no_such_show"])
        .asks_the_store()
})
.needing(Scope::Manage);

pub(crate) const BLOCK: Call = Call::post("/admin/shows/{id}/blocks", |_| {
    Description::of(
        "blockSeats",
        GROUP,
        "Keep seats from sale",
        "All of them or none. They are CONFIRMED for a booking of the house's; cancel that to let them go.",
    )
    .path_id("The show.")
    .takes("NewBlock", block(), json!({"seats": [1, 2], "reason": "Wheelchairs"}))
    .answers::<Done>(201, "The house has them.", json!({"message": "Seats blocked", "bookingId": 1, "status": "CONFIRMED"}))
    .always(&["status"])
    .leads_to("cancelBooking", "Let them go.", json!({"parameters": {"id": "$response.body#/bookingId"}, "requestBody": {}}))
    .refuses(&["no_seats", "too_many_seats", "duplicate_seats", "no_such_show", "seats_not_free", "show_cancelled"])
    .goes_through_the_queue()
})
.needing(Scope::Sell);

fn block() -> Value {
    let mut seats = seats_up_to(BLOCK_SEATS_MAX, "Their numbers, each once.");
    seats["minItems"] = 1.into();
    json!({
        "type": "object",
        "required": ["seats", "reason"],
        "properties": {
            "seats": seats,
            "reason": {"description": "Why, in at most 200 characters.", "type": "string", "pattern": name_pattern(true)},
        },
    })
}
