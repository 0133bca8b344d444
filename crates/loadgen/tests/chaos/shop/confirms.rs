//! Confirms: in time, late, or refused, and what becomes of the money.

use loadgen::chaos::books::{PaymentRow, Step, StepKind};
use loadgen::chaos::history::{BookingStatus, Micros};
use serde_json::{Value, json};

use super::{Cheat, Ledger, is_cancelled, numbers, shown};

impl Ledger {
    pub(super) fn confirm(&mut self, body: &Value, now: Micros) -> (u16, Value) {
        let id = body["bookingId"].as_i64().unwrap();
        let Some(row) = self.bookings.get(&id) else { return (404, json!({ "code": "no_such_booking" })) };
        let wanted = if body["seats"].is_null() { row.seats.clone() } else { numbers(&body["seats"]) };
        let not_had = wanted.iter().filter(|seat| !row.seats.contains(seat));
        let not_had: Vec<Value> = not_had.map(|seat| json!({ "seat_number": seat, "reason": "not_had" })).collect();
        if row.status != BookingStatus::Confirmed && !not_had.is_empty() {
            return (409, json!({ "code": "seats_not_free", "seats": not_had }));
        }
        let (paid, is_block, status) = (body["paymentReference"].as_str(), row.is_block, row.status);
        let ran_out = status == BookingStatus::Failed && !is_cancelled(row);
        let takes_late = ran_out && self.shows[usize::try_from(row.show_id).unwrap() - 1].1["late_confirm"] == true;
        let is_played = !self.cancelled_shows.contains_key(&row.show_id);
        let is_free = is_played && !row.refund_due && wanted.iter().all(|seat| self.holder(row.show_id, *seat).is_none());
        let refusal = if ran_out {
            json!({ "code": "hold_expired", "expired_at": shown(row.expires_at) })
        } else {
            json!({ "code": "booking_not_pending", "status_now": status })
        };
        let is_lenient = ran_out && self.gives_in(Cheat::ConfirmsTooLate);
        let reclaims = takes_late
            && if is_free { !self.gives_in(Cheat::RefusesWhatIsFree) } else { self.gives_in(Cheat::ReclaimsWhatIsTaken) };
        if status == BookingStatus::Pending || is_lenient || reclaims {
            let event = if reclaims { StepKind::Reclaimed } else { StepKind::Confirmed };
            self.sell(id, event, wanted, now);
            self.pay(id, paid, false, now);
            let answer = if reclaims { json!({ "bookingId": id, "reclaimed": true }) } else { json!({ "bookingId": id }) };
            return (200, answer);
        }
        if is_block || (paid.is_none() && !takes_late) {
            return (409, refusal);
        }
        self.owe(id, paid, now);
        let mut refusal = refusal;
        refusal["refundDue"] = true.into();
        (409, refusal)
    }

    fn sell(&mut self, id: i64, event: StepKind, seats: Vec<u32>, now: Micros) {
        let sells_all = self.bookings[&id].seats != seats && self.gives_in(Cheat::SellsTheRest);
        let row = self.bookings.get_mut(&id).unwrap();
        if !sells_all {
            row.seats = seats;
        }
        row.steps.push(Step { number: 0, at: now, event, was_sold: false, seats: row.seats.clone() });
        (row.status, row.confirmed_at) = (BookingStatus::Confirmed, Some(now));
    }

    /// Puts down that money has to be given back, once for each payment, and once without any.
    fn owe(&mut self, id: i64, paid: Option<&str>, now: Micros) {
        let row = self.bookings.get_mut(&id).unwrap();
        let (was_sold, seats) = (row.status == BookingStatus::Confirmed, row.seats.clone());
        let ended = [StepKind::Expired, StepKind::RefundDue, StepKind::Cancelled, StepKind::ShowCancelled];
        if !was_sold && !row.steps.last().is_some_and(|step| ended.contains(&step.event)) {
            row.steps.push(Step { number: 0, at: now, event: StepKind::Expired, was_sold, seats: seats.clone() });
        }
        if paid.is_some() || !row.refund_due {
            row.steps.push(Step { number: 0, at: now, event: StepKind::RefundDue, was_sold, seats });
        }
        row.refund_due = !was_sold;
        self.pay(id, paid, true, now);
    }

    /// Keeps the payment of a confirm.
    fn pay(&mut self, booking_id: i64, reference: Option<&str>, in_vain: bool, now: Micros) {
        let Some(reference) = reference.map(str::to_owned) else { return };
        if !self.gives_in(Cheat::ForgetsPayments) {
            self.payments.push(PaymentRow { reference, booking_id, in_vain, recorded_at: now });
        }
    }
}
