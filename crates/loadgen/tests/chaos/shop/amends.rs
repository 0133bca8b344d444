//! What becomes of a hold: it is given up, lives longer, or has other seats.

use loadgen::chaos::books::{BookingRow, Step, StepKind};
use loadgen::chaos::history::{BookingStatus, Micros};
use serde_json::{Value, json};

use super::{Cheat, Ledger, is_cancelled, numbers, shown};

impl Ledger {
    pub(super) fn cancel_show(&mut self, id: i64, now: Micros) -> (u16, Value) {
        self.cancelled_shows.entry(id).or_insert(now);
        let live = self.bookings.values_mut().filter(|row| row.show_id == id && row.status != BookingStatus::Failed);
        for row in live {
            let was_sold = row.status == BookingStatus::Confirmed;
            (row.status, row.confirmed_at, row.refund_due) = (BookingStatus::Failed, None, was_sold && !row.is_block);
            row.steps.push(Step { number: 0, at: now, event: StepKind::ShowCancelled, was_sold, seats: row.seats.clone() });
        }
        (200, json!({ "message": "Show cancelled", "showId": id }))
    }

    pub(super) fn cancel(&mut self, id: i64, now: Micros, by_house: bool) -> (u16, Value) {
        let forgets = self.gives_in(Cheat::ForgetsCancels);
        let Some(row) = self.bookings.get_mut(&id) else { return (404, json!({ "code": "no_such_booking" })) };
        let was_sold = match row.status {
            BookingStatus::Failed if is_cancelled(row) => {
                return (200, json!({ "bookingId": id, "refundDue": row.refund_due }));
            }
            BookingStatus::Failed => return (409, json!({ "code": "hold_expired", "expired_at": shown(row.expires_at) })),
            BookingStatus::Confirmed if !by_house => return (409, json!({ "code": "sale_is_final" })),
            status => status == BookingStatus::Confirmed,
        };
        if !forgets {
            (row.status, row.confirmed_at, row.refund_due) = (BookingStatus::Failed, None, was_sold && !row.is_block);
            row.steps.push(Step { number: 0, at: now, event: StepKind::Cancelled, was_sold, seats: row.seats.clone() });
        }
        (200, json!({ "bookingId": id, "refundDue": was_sold && !row.is_block }))
    }

    /// The booking if it can be amended, or why it can't.
    fn amendable(&self, id: i64) -> Result<BookingRow, (u16, Value)> {
        let row = self.bookings.get(&id).ok_or((404, json!({ "code": "no_such_booking" })))?;
        match row.status {
            BookingStatus::Pending => Ok(row.clone()),
            BookingStatus::Confirmed => Err((409, json!({ "code": "booking_not_pending", "status_now": "CONFIRMED" }))),
            BookingStatus::Failed if is_cancelled(row) => {
                Err((409, json!({ "code": "booking_not_pending", "status_now": "FAILED" })))
            }
            BookingStatus::Failed => Err((409, json!({ "code": "hold_expired", "expired_at": shown(row.expires_at) }))),
        }
    }

    pub(super) fn extend(&mut self, id: i64, now: Micros) -> (u16, Value) {
        let mut row = match self.amendable(id) {
            Ok(row) => row,
            Err(refusal) => return refusal,
        };
        let longer = (now + self.hold_for).min(row.created_at + 2 * self.hold_for);
        if longer <= row.expires_at {
            return (409, json!({ "code": "hold_limit_reached", "expires_at": shown(row.expires_at) }));
        }
        row.expires_at = longer;
        row.steps.push(Step { number: 0, at: now, event: StepKind::Extended, was_sold: false, seats: row.seats.clone() });
        if !self.gives_in(Cheat::ForgetsExtensions) {
            self.bookings.insert(id, row);
        }
        (200, json!({ "bookingId": id, "expiresAt": shown(longer) }))
    }

    pub(super) fn change(&mut self, body: &Value, now: Micros) -> (u16, Value) {
        let (id, add, remove) = (body["bookingId"].as_i64().unwrap(), numbers(&body["add"]), numbers(&body["remove"]));
        let mut row = match self.amendable(id) {
            Ok(row) => row,
            Err(refusal) => return refusal,
        };
        let had = |seat: &u32| row.seats.contains(seat);
        let had_already = add.iter().filter(|seat| had(seat)).map(|seat| json!({ "seat_number": seat, "reason": "had_already" }));
        let not_had = remove.iter().filter(|seat| !had(seat)).map(|seat| json!({ "seat_number": seat, "reason": "not_had" }));
        let new: Vec<u32> = add.iter().copied().filter(|seat| !had(seat)).collect();
        let offending: Vec<Value> = had_already.chain(not_had).chain(self.offending(row.show_id, &new)).collect();
        if !offending.is_empty() {
            return (409, json!({ "code": "seats_not_free", "seats": offending }));
        }
        let more = add.len().saturating_sub(remove.len());
        if !add.is_empty()
            && let Some(refusal) = self.customer_limit(row.show_id, row.customer.as_deref(), (more, 0))
        {
            return refusal;
        }
        row.seats.retain(|seat| !remove.contains(seat));
        row.seats.extend(add);
        row.seats.sort_unstable();
        row.steps.push(Step { number: 0, at: now, event: StepKind::Changed, was_sold: false, seats: row.seats.clone() });
        let answer = json!({ "bookingId": id, "seats": row.seats, "expiresAt": shown(row.expires_at) });
        self.bookings.insert(id, row);
        (200, answer)
    }
}
