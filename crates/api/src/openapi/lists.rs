//! What [`crate::lists`] takes and answers.

use domain::{CustomerId, PaymentReference};
use serde_json::{Value, json};

use super::admin::{GROUP, TIME};
use super::call::Call;
use super::describe::{Description, id_schema};
use crate::access::Scope;
use crate::bookings_csv::{COLUMNS, CSV};
use crate::lists::{HISTORY_LIMIT_MAX, LiveHoldResource, RefundResource};
use crate::page::LIMIT_MAX;
use crate::resources::{BOOKING_STATUSES, BookingResource, TransitionResource, booking_status};

pub(crate) const BOOKINGS: Call = Call::get("/admin/bookings", |_| {
    let statuses = json!({"type": "string", "enum": BOOKING_STATUSES.map(booking_status)});
    let customers = json!({"type": "string", "pattern": format!("^[!-~]{{1,{}}}$", CustomerId::CHARS_MAX)});
    let text = "Newest first; those that pass all that is said. Who accepts `text/csv` gets all of them at once, unless there is a \
        `limit`: a text there that a spreadsheet would calculate (it begins with `=`, `+`, `-` or `@`) has an apostrophe in front, and \
        a body that ends before its end, its connection being cut, is not all of it.";
    Description::of("bookings", GROUP, "List bookings", text)
        .query("status", "Only those.", &statuses)
        .query("show", "Only those of this show.", &id_schema())
        .query("customer", "Only those with this `customer_id`.", &customers)
        .query("from", "Only those made then or later; a time like `start_time`.", &time())
        .query("to", "Only those made earlier.", &time())
        .query("refund_due", "Only those whose money has to be given back, or all others.", &json!({"type": "boolean"}))
        .pages()
        .answers::<Vec<BookingResource>>(
            200,
            "The bookings.",
            json!([{
                "id": 1, "show_id": 1, "user_name": "Alice", "status": "PENDING", "created_at": "2025-12-11T18:30:00.000Z",
                "updated_at": "2025-12-11T18:30:00.000Z", "expires_at": "2025-12-11T18:32:00.000Z", "failure_reason": null,
                "refund_due": false, "seat_numbers": [1, 2], "customer_id": "loyalty-4711", "payment_reference": null, "reclaimed": false,
                "blocked_for": null,
            }]),
        )
        .answers_header("Vary", "`Accept`.")
        .answers_as(CSV, json!({"type": "string", "pattern": format!("^{}\r\n", COLUMNS.join(","))}))
        .asks_the_store()
})
.needing(Scope::Read);

fn time() -> Value {
    json!({"type": "string", "pattern": TIME})
}

pub(crate) const HOLDS: Call = Call::get("/admin/holds", |_| {
    Description::of("holds", GROUP, "List live holds", "With their ages, as of now; those made first first.")
        .query("show", "Only those of this show.", &id_schema())
        .pages_on("after", LIMIT_MAX, "Only those of bookings with a greater id.", &id_schema())
        .answers::<Vec<LiveHoldResource>>(
            200,
            "The holds.",
            json!([{
                "booking_id": 1, "show_id": 1, "user_name": "Alice", "customer_id": "loyalty-4711", "seat_numbers": [1, 2],
                "created_at": "2025-12-11T18:30:00.000Z", "expires_at": "2025-12-11T18:32:00.000Z", "age_seconds": 12.5,
                "remaining_seconds": 107.5,
            }]),
        )
        .asks_the_store()
})
.needing(Scope::Read);

pub(crate) const REFUNDS: Call = Call::get("/admin/refunds", |_| {
    let text = "Each payment once, for the newest bookings first: what was paid for bookings that failed, and what was paid again for \
        those that had been paid for, failed or not.";
    let ids = format!("^[1-9][0-9]{{0,17}}(:[!-~]{{1,{}}})?$", PaymentReference::CHARS_MAX);
    Description::of("refunds", GROUP, "List money to give back", text)
        .pages_on("after", LIMIT_MAX, "Only what stands behind the refund with this `id`.", &json!({"type": "string", "pattern": ids}))
        .answers::<Vec<RefundResource>>(
            200,
            "The refunds.",
            json!([]),
        )
        .asks_the_store()
})
.needing(Scope::Read);

pub(crate) const HISTORY: Call = Call::get("/admin/bookings/{id}/history", |_| {
    Description::of("history", GROUP, "See what happened to a booking", "Every step of it, oldest first.")
        .path_id("The booking.")
        .pages_on("after", HISTORY_LIMIT_MAX, "Only steps with a greater `number`.", &id_schema())
        .answers::<Vec<TransitionResource>>(
            200,
            "The steps.",
            json!([{
                "show_id": 1, "number": 1, "booking_id": 1, "event": "held", "from": null, "to": "PENDING", "reason": null,
                "seat_numbers": [1, 2], "by": "customer", "at": "2025-12-11T18:30:00.000Z",
            }]),
        )
        .refuses(&["no_such_booking"])
        .asks_the_store()
})
.needing(Scope::Read);
