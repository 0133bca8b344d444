//! Every problem that can be answered: its code, its status, and what it means. [`crate::refusals`] and [`crate::problem`] write
//! them; a test compares.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// A kind of problem.
pub(super) struct Kind {
    pub(super) code: &'static str,
    pub(super) status: u16,
    pub(super) means: &'static str,
}

const fn kind(status: u16, code: &'static str, means: &'static str) -> Kind {
    Kind { code, status, means }
}

pub(super) const OF_BODIES: [&str; 5] = ["invalid_json", "unreadable_body", "too_slow", "body_too_large", "not_json"];
pub(super) const OF_THE_STORE: [&str; 4] = ["store_unavailable", "contended", "outcome_unknown", "internal"];
pub(super) const OF_THE_QUEUE: [&str; 3] = ["busy", "timed_out", "closing"];

pub(super) const KINDS: [Kind; 45] = [
    kind(400, "invalid_json", "The body is no JSON object."),
    kind(400, "invalid_request", "A member is missing or wrong; `mistakes` names each that is."),
    kind(400, "unreadable_body", "The body broke off."),
    kind(400, "invalid_id", "The id in the address is not a number."),
    kind(400, "invalid_query", "A query parameter is wrong, or given twice."),
    kind(400, "invalid_idempotency_key", "`Idempotency-Key` is not what it should be."),
    kind(400, "no_seats", "No seat is named."),
    kind(400, "too_many_seats", "More seats than a booking can have: `max`."),
    kind(400, "duplicate_seats", "A seat is named twice; `seats` names each that is."),
    kind(400, "cors_refused", "A page of this origin may not call (`CORS_ALLOWED_ORIGINS`)."),
    kind(400, "refused", "The request makes no sense as HTTP."),
    kind(401, "unauthorized", "A token is needed; see `WWW-Authenticate`."),
    kind(403, "forbidden", "This token may not do this."),
    kind(403, "insufficient_scope", "This admin's token lacks the scope `scope`."),
    kind(404, "unknown_route", "There is nothing at this address."),
    kind(404, "no_such_show", "There is no such show."),
    kind(404, "no_such_booking", "There is no such booking, or the token is another booking's."),
    kind(405, "method_not_allowed", "Not by this method; see `Allow`."),
    kind(408, "too_slow", "The body did not arrive within 10 seconds."),
    kind(409, "seats_not_free", "`seats` names every seat that stands in the way, and why. Nothing was held."),
    kind(
        409,
        "booking_not_pending",
        "The booking has come to its end before: `status_now`. With `refundDue`, what was paid is owed.",
    ),
    kind(409, "hold_expired", "The hold ran out at `expired_at`. With `refundDue`, what was paid is owed."),
    kind(409, "hold_limit_reached", "The hold, which ends at `expires_at`, can't last longer than it does."),
    kind(409, "sale_is_final", "Customers can't cancel what they have bought for this show."),
    kind(409, "too_many_seats", "The booking would have more seats than it can: `max`."),
    kind(409, "no_seat_left", "The booking would have no seat left: cancel it instead."),
    kind(400, "customer_required", "This show limits what a customer may have: `customerId` has to say who it is."),
    kind(409, "customer_limit", "The customer would have more than this show allows: `max`."),
    kind(409, "not_on_sale", "The sale has not begun (`on_sale_at`), or is over (`off_sale_at`)."),
    kind(409, "show_cancelled", "The show is cancelled."),
    kind(409, "payment_used", "The payment was for another booking."),
    kind(409, "hold_live", "The hold has not run out yet: `expires_at`."),
    kind(413, "body_too_large", "The body has more than 64 KiB."),
    kind(415, "not_json", "The body is not announced as plain `application/json`."),
    kind(422, "idempotency_key_reused", "Another request was made under this `Idempotency-Key`; nothing has changed."),
    kind(429, "rate_limited", "Too many requests from this address; see `Retry-After`."),
    kind(500, "internal", "Something is wrong on our side. The log has it, by `request_id`."),
    kind(503, "store_unavailable", "The store can't be reached; nothing has changed."),
    kind(503, "contended", "Others are working on the same seats; nothing has changed."),
    kind(503, "outcome_unknown", "The store was lost before it could say whether it was done: look before trying again."),
    kind(503, "busy", "Too many requests are waiting; nothing has changed."),
    kind(503, "timed_out", "It waited too long and was not begun; nothing has changed."),
    kind(503, "closing", "The server is shutting down; nothing has changed."),
    kind(503, "migrations_pending", "The store's migrations are pending."),
    kind(503, "store_too_new", "The store is newer than this server."),
];

/// The kind with this code.
pub(super) fn find(code: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.code == code)
}

/// The kind with this code and status, where one code has two.
pub(super) fn find_with(status: u16, code: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.code == code && kind.status == status)
}

/// The body of each: RFC 9457, with the contract's `error`, and the facts of some.
pub(super) fn schema() -> Value {
    let codes: BTreeSet<&str> = KINDS.iter().map(|kind| kind.code).collect();
    let time = json!({"type": "string", "format": "date-time"});
    json!({
        "type": "object",
        "description": "Why nothing was done, as `application/problem+json` (RFC 9457).",
        "required": ["type", "title", "status", "code", "error", "detail", "retryable"],
        "properties": {
            "type": {"type": "string", "format": "uri", "description": "`urn:rowlock:problem:` and the code."},
            "title": {"type": "string", "description": "The status in words."},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "code": {"type": "string", "enum": codes, "description": "Stable, for programs."},
            "error": {"type": "string", "description": "A sentence for a person."},
            "detail": {"type": "string", "description": "The same sentence."},
            "retryable": {"type": "boolean", "description": "Whether the same request may succeed later."},
            "request_id": {"type": "string", "description": "Of a failure of ours: what its line in the log is found by."},
            "mistakes": {"type": "array", "items": {
                "type": "object", "required": ["member", "expected"],
                "properties": {"member": {"type": "string"}, "expected": {"type": "string"}},
            }},
            "seats": {"type": "array", "items": {
                "type": "object", "required": ["seat_number", "reason"],
                "properties": {
                    "seat_number": {"type": "integer", "format": "int64"},
                    "reason": {"type": "string", "enum": ["held", "sold", "unknown", "duplicate", "had_already", "not_had"]},
                    "free_at": {"type": "string", "format": "date-time", "description": "When a held one comes free at the latest."},
                },
            }},
            "max": {"type": "integer"},
            "has": {"type": "integer", "description": "How many seats the customer has."},
            "refundDue": {"type": "boolean", "description": "Whether what was paid is to be paid back: that has been put down."},
            "on_sale_at": time,
            "off_sale_at": time,
            "scope": {"type": "string"},
            "status_now": {"type": "string", "enum": crate::resources::BOOKING_STATUSES.map(crate::resources::booking_status)},
            "expired_at": time,
            "expires_at": time,
        },
    })
}
