//! What [`crate::lists`] takes and answers.

use domain::CustomerId;
use serde_json::{Value, json};

use super::admin::{GROUP, TIME};
use super::call::Call;
use super::describe::{Description, id_schema};
use crate::access::Scope;
use crate::bookings_csv::{COLUMNS, CSV};
use crate::resources::{BOOKING_STATUSES, BookingResource, booking_status};

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
                "refund_due": false, "seat_numbers": [1, 2],
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
