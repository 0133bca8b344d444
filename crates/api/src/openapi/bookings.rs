//! What [`crate::bookings`] takes and answers.

use domain::{CustomerId, PaymentReference};
use serde_json::{Value, json};

use super::call::{Call, House};
use super::describe::{Description, id_schema, name_pattern};
use crate::bookings::Done;
use crate::resources::BookingDetailsResource;

const GROUP: &str = "Bookings";

pub(crate) const BOOK: Call = Call::post("/book", |house| {
    Description::of("book", GROUP, "Hold seats", "All of the seats or none, for `HOLD_SECONDS`; then the hold is dead at once.")
        .takes(
            "NewBooking",
            new_booking(house),
            json!({"showId": 1, "seats": [1, 2], "userName": "Alice", "customerId": "loyalty-4711"}),
        )
        .answers::<Done>(
            201,
            "The seats are held.",
            json!({"message": "Booking created", "bookingId": 1, "status": "PENDING", "expiresAt": "2025-12-11T18:32:00.000Z"}),
        )
        .always(&["status", "expiresAt"])
        .leads_on()
        .refuses(&["no_seats", "too_many_seats", "duplicate_seats", "no_such_show", "seats_not_free"])
        .refuses_with(409, "too_many_seats")
        .refuses(&["not_on_sale", "show_cancelled", "customer_required", "customer_limit"])
        .goes_through_the_queue()
});

fn new_booking(house: &House) -> Value {
    let mut needed = seats(house, "Their numbers, each once.");
    needed["minItems"] = 1.into();
    json!({
        "type": "object",
        "required": ["showId", "seats"],
        "properties": {
            "showId": id_schema(),
            "seats": needed,
            "userName": {
                "description": "Who it is for; without it, or empty, `guest`. At most 200 characters, no control characters; white space around it is dropped.",
                "type": ["string", "null"], "pattern": name_pattern(false),
            },
            "customerId": {
                "description": "To whom the seats count where a show limits customers; without it the address that a trusted proxy tells, which begins with `ip:`.",
                "type": ["string", "null"], "pattern": format!("^(?!ip:)[!-~]{{1,{}}}$", CustomerId::CHARS_MAX),
            },
        },
    })
}

pub(crate) const CONFIRM: Call = Call::post("/book/confirm", |house| {
    Description::of(
        "confirm",
        GROUP,
        "Confirm a hold",
        "Turns a live hold into a sale, of all its seats or of some. If it comes too late, and names a payment, that is to be paid back.",
    )
        .by_booker()
        .takes("Confirmation", confirmation(house), json!({"bookingId": 1, "paymentReference": "pi_3MtwBwLkdIwHu7ix28a3tqPa"}))
        .answers::<Done>(200, "The seats are sold.", json!({"message": "Booking confirmed", "bookingId": 1}))
        .leads_on()
        .refuses(&["booking_not_pending", "hold_expired", "payment_used", "seats_not_free"])
        .refuses(&["no_seats", "too_many_seats", "duplicate_seats"])
        .goes_through_the_queue()
});

fn confirmation(house: &House) -> Value {
    let mut confirmation = of_a_booking();
    let mut some = seats(house, "Those to sell, if not all; the others are free again.");
    some["minItems"] = 1.into();
    some["type"] = json!(["array", "null"]);
    confirmation["properties"]["seats"] = some;
    confirmation["properties"]["paymentReference"] = json!({
        "description": "What paid for it. Recorded once; the same again for the same booking is answered alike.",
        "type": ["string", "null"], "pattern": format!("^[!-~]{{1,{}}}$", PaymentReference::CHARS_MAX),
    });
    confirmation
}

pub(crate) const CANCEL: Call = Call::post("/book/cancel", |_| {
    Description::of(
        "cancel",
        GROUP,
        "Cancel a booking",
        "Its seats are free at once. A sale only where the show allows it, or by an admin.",
    )
    .by_booker()
    .takes("Cancellation", of_a_booking(), json!({"bookingId": 1}))
    .answers::<Done>(200, "The booking is FAILED.", cancelled())
    .always(&["status", "refundDue"])
    .leads_to_the_end()
    .refuses(&["booking_not_pending", "hold_expired", "sale_is_final"])
    .goes_through_the_queue()
});

/// An example of an answer.
pub(super) fn cancelled() -> Value {
    json!({"message": "Booking cancelled", "bookingId": 1, "status": "FAILED", "refundDue": false})
}

pub(crate) const EXTEND: Call = Call::post("/book/extend", |_| {
    Description::of("extend", GROUP, "Extend a hold", "By `HOLD_SECONDS` from now, up to a limit counted from when it was made.")
        .by_booker()
        .takes("Extension", of_a_booking(), json!({"bookingId": 1}))
        .answers::<Done>(
            200,
            "The hold lives longer.",
            json!({"message": "Booking extended", "bookingId": 1, "status": "PENDING", "expiresAt": "2025-12-11T18:33:00.000Z"}),
        )
        .always(&["status", "expiresAt"])
        .leads_on()
        .refuses(&["booking_not_pending", "hold_expired", "hold_limit_reached"])
        .goes_through_the_queue()
});

pub(crate) const CHANGE: Call = Call::post("/book/change", |house| {
    Description::of("change", GROUP, "Change the seats of a hold", "All of the change or none of it; the deadline stays.")
        .by_booker()
        .takes("Change", change(house), json!({"bookingId": 1, "remove": [2]}))
        .answers::<Done>(
            200,
            "It has these seats now.",
            json!({
                "message": "Booking changed", "bookingId": 1, "status": "PENDING", "seats": [1],
                "expiresAt": "2025-12-11T18:32:00.000Z",
            }),
        )
        .always(&["status", "seats", "expiresAt"])
        .leads_on()
        .refuses(&["no_seats", "too_many_seats", "duplicate_seats"])
        .refuses(&["booking_not_pending", "hold_expired", "seats_not_free", "no_seat_left"])
        .refuses_with(409, "too_many_seats")
        .refuses(&["not_on_sale", "customer_limit"])
        .goes_through_the_queue()
});

fn change(house: &House) -> Value {
    let mut schema = of_a_booking();
    for (member, says) in [("add", "Seats that it shall have."), ("remove", "Seats that it shall not have any more.")] {
        schema["properties"][member] = seats(house, says);
        schema["properties"][member]["type"] = json!(["array", "null"]);
    }
    // One seat at least, in the one or the other.
    schema["anyOf"] = json!([
        {"required": ["add"], "properties": {"add": {"type": "array", "minItems": 1}}},
        {"required": ["remove"], "properties": {"remove": {"type": "array", "minItems": 1}}},
    ]);
    schema
}

/// A list of seats.
fn seats(house: &House, says: &str) -> Value {
    seats_up_to(house.seats_per_booking_max, says)
}

/// Numbers of seats, none twice.
pub(super) fn seats_up_to(max: usize, says: &str) -> Value {
    json!({
        "description": says, "type": "array", "maxItems": max, "uniqueItems": true,
        "items": {"type": "integer", "format": "int64", "minimum": 1, "maximum": i64::MAX},
    })
}

/// The members of a body that is about a booking.
fn of_a_booking() -> Value {
    json!({
        "type": "object",
        "required": ["bookingId"],
        "properties": {
            "bookingId": id_schema(),
            "bookingToken": {"description": "Instead of `Authorization`.", "type": ["string", "null"]},
        },
    })
}

fn of_this_id() -> Value {
    json!({"parameters": {"id": "$response.body#/bookingId"}})
}

impl Description {
    /// What can follow an answer that names a booking.
    fn leads_on(self) -> Self {
        let body = json!({"requestBody": {"bookingId": "$response.body#/bookingId"}});
        let mut other_seats = body.clone();
        other_seats["requestBody"]["add"] = json!([3]);
        self.leads_to("confirm", "Turn the hold into a sale.", body.clone())
            .leads_to("extend", "Hold the seats longer.", body.clone())
            .leads_to("change", "Hold other seats.", other_seats)
            .leads_to("cancel", "Let them go.", body)
            .leads_to("cancelBooking", "The same, for the house.", of_this_id())
            .leads_to_the_end()
    }

    /// What can follow when nothing can be done any more.
    pub(super) fn leads_to_the_end(self) -> Self {
        self.leads_to("booking", "See it.", of_this_id()).leads_to("history", "See what happened to it.", of_this_id())
    }
}

pub(crate) const BOOKING: Call = Call::get("/book/{id}", |_| {
    Description::of("booking", GROUP, "See a booking", "Its seats stay listed when it has FAILED, as they are now.")
        .by_booker()
        .path_id("The booking.")
        .answers::<BookingDetailsResource>(
            200,
            "The booking and its seats.",
            json!({
                "booking": {
                    "id": 1, "show_id": 1, "user_name": "Alice", "status": "PENDING", "created_at": "2025-12-11T18:30:00.000Z",
                    "updated_at": "2025-12-11T18:30:00.000Z", "expires_at": "2025-12-11T18:32:00.000Z", "failure_reason": null,
                    "refund_due": false, "seat_numbers": [1, 2], "customer_id": "loyalty-4711", "payment_reference": null,
                    "reclaimed": false, "blocked_for": null,
                },
                "seats": [{"seat_number": 1, "status": "PENDING"}, {"seat_number": 2, "status": "PENDING"}],
            }),
        )
        .asks_the_store()
});
