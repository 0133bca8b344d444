//! What [`crate::admin`] takes and answers.

use domain::{NewShow, Terms};
use serde_json::{Value, json};

use super::bookings::cancelled;
use super::call::Call;
use super::describe::{Description, name_pattern};
use crate::access::Scope;
use crate::admin::ShowCreated;
use crate::bookings::Done;
use crate::resources::CountsResource;

pub(super) const GROUP: &str = "Administration";

pub(crate) const CREATE_SHOW: Call = Call::post("/admin/shows", |_| {
    Description::of("createShow", GROUP, "Create a show", "With all of its seats, numbered from 1.")
        .takes("NewShow", new_show(), json!({"name": "Avengers Movie", "start_time": "2025-12-11 19:00", "total_seats": 2}))
        .answers::<ShowCreated>(201, "The show can be booked.", json!({"message": "Show created", "showId": 1}))
        .leads_to("show", "See it.", json!({"parameters": {"id": "$response.body#/showId"}}))
        .leads_to("counts", "Count its seats.", json!({"parameters": {"id": "$response.body#/showId"}}))
        .leads_to("seats", "See its seats.", json!({"parameters": {"id": "$response.body#/showId"}}))
        .leads_to("book", "Hold seats of it.", json!({"requestBody": {"showId": "$response.body#/showId", "seats": [1]}}))
        .asks_the_store()
})
.needing(Scope::Manage);

/// A time on a day that every year has, in any shape that is taken.
pub(super) const TIME: &str = concat!(
    "^[1-9][0-9]{3}-",
    "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))",
    "([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?",
    "|T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))$",
);

fn new_show() -> Value {
    let mut show = json!({
        "type": "object",
        "required": ["name", "start_time", "total_seats"],
        "properties": {
            "name": {
                "description": "What is played. At most 200 characters, no control characters; white space around it is dropped.",
                "type": "string", "pattern": name_pattern(true),
            },
            "start_time": {
                "description": "`YYYY-MM-DD HH:MM`, with seconds, with a `T`, or RFC 3339; without an offset in the house's `TIME_ZONE`.",
                "type": "string", "pattern": TIME,
            },
            "total_seats": {"type": "integer", "minimum": 1, "maximum": NewShow::TOTAL_SEATS_MAX},
        },
    });
    if let (Some(members), Value::Object(terms)) = (show["properties"].as_object_mut(), terms()) {
        members.extend(terms);
    }
    show
}

/// The members that say on what terms seats are sold.
pub(super) fn terms() -> Value {
    json!({
        "hold_seconds": seconds("How long a hold lives; without it as the server has it."),
        "hold_limit_seconds": seconds("How long it can live with all of its extensions; not less than `hold_seconds`."),
        "customers_may_cancel": flag("Whether customers may cancel what they have bought; without it they may not."),
        "late_confirm": flag("Whether a confirm that comes too late gets the same seats, if all of them can be had still."),
        "seats_per_booking": limit("Most seats of a booking; without it as the server has it."),
        "seats_per_customer": limit("Most seats that a customer may hold and have bought; then every hold needs a `customerId`."),
        "holds_per_customer": limit("Most live holds of a customer; then every hold needs a `customerId`."),
        "on_sale_at": time("From when on seats are sold."),
        "off_sale_at": time("From when on seats are sold no longer; what is held by then can be confirmed."),
    })
}

fn flag(says: &str) -> Value {
    json!({"description": says, "type": ["boolean", "null"]})
}

fn limit(says: &str) -> Value {
    json!({"description": says, "type": ["integer", "null"], "minimum": 1, "maximum": Terms::LIMIT_MAX})
}

fn time(says: &str) -> Value {
    json!({"description": says, "type": ["string", "null"], "pattern": TIME})
}

fn seconds(says: &str) -> Value {
    json!({"description": says, "type": ["integer", "null"], "minimum": 1, "maximum": Terms::HOLD_MAX.num_seconds()})
}

pub(crate) const COUNTS: Call = Call::get("/admin/shows/{id}/counts", |_| {
    Description::of("counts", GROUP, "Count seats and bookings of a show", "By state, as they are now.")
        .path_id("The show.")
        .answers::<CountsResource>(
            200,
            "The counts.",
            json!({
                "show_id": 1, "seats": {"AVAILABLE": 0, "PENDING": 2, "CONFIRMED": 0, "BLOCKED": 0},
                "bookings": {"PENDING": 1, "CONFIRMED": 0, "FAILED": 0}, "refunds_due": 0,
            }),
        )
        .refuses(&["no_such_show"])
        .asks_the_store()
})
.needing(Scope::Read);

pub(crate) const CANCEL: Call = Call::post("/admin/bookings/{id}/cancel", |_| {
    Description::of("cancelBooking", GROUP, "Cancel anyone's booking", "A hold, or a sale, which is then to be refunded.")
        .path_id("The booking.")
        .takes("Nothing", json!({"type": "object"}), json!({}))
        .answers::<Done>(200, "The booking is FAILED.", cancelled())
        .always(&["status", "refundDue"])
        .leads_to_the_end()
        .refuses(&["no_such_booking", "booking_not_pending", "hold_expired"])
        .goes_through_the_queue()
})
.needing(Scope::Sell);
