//! What can be looked at.

use loadgen::chaos::books::BookingRow;
use loadgen::chaos::history::{BookingStatus, SeatStatus};
use serde_json::{Value, json};

use super::{Cheat, Ledger, shown};

impl Ledger {
    pub(super) fn find(&self, id: i64) -> (u16, Value) {
        let Some(row) = self.bookings.get(&id) else { return (404, json!({ "code": "no_such_booking" })) };
        let seats = row.seats.iter().map(|number| {
            let status = match self.holder(row.show_id, *number).map(|row| row.status) {
                None | Some(BookingStatus::Failed) => SeatStatus::Available,
                Some(BookingStatus::Pending) => SeatStatus::Pending,
                Some(BookingStatus::Confirmed) => SeatStatus::Confirmed,
            };
            json!({ "seat_number": number, "status": status })
        });
        let seats: Vec<Value> = seats.collect();
        let BookingRow { show_id, status, expires_at, .. } = row;
        let user_name = if row.is_block { "house" } else { &row.user_name };
        let booking =
            json!({ "id": id, "show_id": show_id, "user_name": user_name, "status": status, "expires_at": shown(*expires_at) });
        (200, json!({ "booking": booking, "seats": seats }))
    }

    pub(super) fn list(&self, query: &str) -> Value {
        let value = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        let limit = value("limit").unwrap().parse().unwrap();
        let rows = self.bookings.values().rev().map(|row| json!({ "id": row.id, "status": row.status }));
        rows.filter(|row| value("status").is_none_or(|status| row["status"] == status)).take(limit).collect()
    }

    pub(super) fn seat_map(&mut self, show_id: i64) -> Value {
        let seats = 1..=self.shows[usize::try_from(show_id).unwrap() - 1].0;
        let seats = seats.map(|number| {
            let row = self.holder(show_id, number);
            let status = match row.map(|row| row.status) {
                None => "AVAILABLE",
                Some(BookingStatus::Confirmed) => "CONFIRMED",
                Some(_) => "PENDING",
            };
            json!({ "id": number, "seat_number": number, "status": status, "booking_id": row.map(|row| row.id) })
        });
        let seats: Value = seats.collect();
        let now_is = seats.clone();
        let was = std::mem::replace(&mut self.old_seats[usize::try_from(show_id).unwrap() - 1], seats);
        if !was.is_null() && was != now_is && self.gives_in(Cheat::ShowsOldSeats) { was } else { now_is }
    }
}
