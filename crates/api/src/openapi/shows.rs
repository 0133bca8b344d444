//! What [`crate::shows`] takes and answers.

use serde_json::{Value, json};

use super::call::Call;
use super::describe::Description;
use crate::resources::{SeatResource, ShowResource};

const GROUP: &str = "Shows";

pub(crate) const SHOWS: Call = Call::get("/shows", |_| {
    Description::of("shows", GROUP, "List shows", "Newest first.")
        .pages()
        .answers::<Vec<ShowResource>>(200, "The shows.", json!([example()]))
        .asks_the_store()
});

/// An example of a show.
fn example() -> Value {
    json!({
        "id": 1, "name": "Avengers Movie", "start_time": "2025-12-11T19:00:00.000Z", "total_seats": 2,
        "created_at": "2025-12-01T09:00:00.000Z", "hold_seconds": null, "hold_limit_seconds": null, "customers_may_cancel": false, "late_confirm": false,
        "seats_per_booking": null, "seats_per_customer": null, "holds_per_customer": null, "on_sale_at": null, "off_sale_at": null,
        "cancelled_at": null,
    })
}

pub(crate) const SHOW: Call = Call::get("/shows/{id}", |_| {
    Description::of("show", GROUP, "See a show", "As the list has it.")
        .path_id("The show.")
        .answers::<ShowResource>(200, "The show.", example())
        .refuses(&["no_such_show"])
        .asks_the_store()
});

pub(crate) const SEATS: Call = Call::get("/shows/{id}/seats", |_| {
    Description::of("seats", GROUP, "See every seat", "By number. Ask for gzip: it is a twelfth of the size.")
        .path_id("The show.")
        .answers::<Vec<SeatResource>>(
            200,
            "The seats.",
            json!([
                {"id": 1, "seat_number": 1, "status": "PENDING", "booking_id": 1},
                {"id": 2, "seat_number": 2, "status": "PENDING", "booking_id": 1},
            ]),
        )
        .refuses(&["no_such_show"])
        .asks_the_store()
});
