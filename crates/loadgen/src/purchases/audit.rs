//! What customers were told, against what the server says afterwards, and against what is in its store.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context;
use serde_json::Value;

use super::Purchase;
use super::books::{BookingRow, Books, PaymentRow};
use crate::client::Method;
use crate::target::Target;

/// Asks the server for every booking, on a good line: whatever differs.
pub(super) async fn read_back(target: &Target, purchases: &[Purchase]) -> anyhow::Result<Vec<String>> {
    let mut connection = target.connect().await.with_context(|| format!("can't connect to {}", target.url))?;
    let mut wrong = Vec::new();
    for Purchase { user_name, show_id, seats, booking_id, token, .. } in purchases {
        let bearer = token.as_ref().map(|token| format!("Bearer {token}"));
        let headers: Vec<(&str, &str)> = bearer.as_deref().map(|bearer| ("authorization", bearer)).into_iter().collect();
        let path = format!("/book/{booking_id}");
        let answer = connection.call(Method::GET, &path, None, &headers).await.with_context(|| format!("can't read {path}"))?;
        let shown: Value = answer.success().and_then(|answer| answer.json()).with_context(|| format!("can't read {path}"))?;
        let booking = &shown["booking"];
        let has: Vec<u64> =
            shown["seats"].as_array().into_iter().flatten().filter_map(|seat| seat["seat_number"].as_u64()).collect();
        let is_sold = |seat: &Value| seat["status"] == "CONFIRMED";
        if booking["status"] != "CONFIRMED"
            || booking["show_id"] != *show_id
            || booking["user_name"] != **user_name
            || !has.iter().copied().eq(seats.iter().map(|&seat| u64::from(seat)))
            || !shown["seats"].as_array().into_iter().flatten().all(is_sold)
        {
            wrong.push(format!("{user_name} asked for seats {seats:?} of show {show_id}, and is shown {shown}"));
        }
    }
    Ok(wrong)
}

/// Whatever is in the store that no customer knows of, or is not as it was told.
pub(super) fn judge(purchases: &[Purchase], books: &Books) -> Vec<String> {
    let mut bookings: HashMap<i64, &BookingRow> = books.bookings.iter().map(|booking| (booking.id, booking)).collect();
    let mut payments: BTreeMap<i64, Vec<&PaymentRow>> = BTreeMap::new();
    for payment in &books.payments {
        payments.entry(payment.booking_id).or_default().push(payment);
    }
    let mut wrong = Vec::new();
    for purchase in purchases {
        let booking_id = purchase.booking_id;
        match bookings.remove(&booking_id) {
            Some(booking) if !agrees(purchase, booking) => wrong.push(format!("{purchase:?} has {booking:?}")),
            Some(_) => {}
            None => wrong.push(format!("{purchase:?} has no booking, or the one of somebody else")),
        }
        let paid = payments.remove(&booking_id).unwrap_or_default();
        if !matches!(paid[..], [payment] if payment.reference == purchase.payment && !payment.in_vain) {
            wrong.push(format!("{purchase:?} was paid by {paid:?}"));
        }
    }
    wrong.extend(bookings.values().map(|booking| format!("nobody knows of {booking:?}")));
    wrong.extend(payments.values().map(|paid| format!("nobody has paid by {paid:?}")));
    wrong
}

fn agrees(purchase: &Purchase, booking: &BookingRow) -> bool {
    booking.status == "CONFIRMED"
        && !booking.refund_due
        && (booking.show_id, &booking.user_name) == (purchase.show_id, &purchase.user_name)
        && booking.payment.as_ref() == Some(&purchase.payment)
        && booking.seats == purchase.seats
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purchase(booking_id: i64) -> Purchase {
        let (user_name, payment) = (format!("ada-{booking_id}"), format!("pay-{booking_id}"));
        Purchase { user_name, payment, show_id: 1, seats: vec![1, 2], booking_id, token: None }
    }

    fn books() -> Books {
        let booking = |id| BookingRow {
            id,
            show_id: 1,
            user_name: format!("ada-{id}"),
            status: "CONFIRMED".to_owned(),
            refund_due: false,
            payment: Some(format!("pay-{id}")),
            seats: vec![1, 2],
        };
        let payment = |booking_id| PaymentRow { reference: format!("pay-{booking_id}"), booking_id, in_vain: false };
        Books { bookings: vec![booking(1), booking(2)], payments: vec![payment(1), payment(2)] }
    }

    fn wrong(falsify: impl Fn(&mut Books)) -> usize {
        let mut books = books();
        falsify(&mut books);
        judge(&[purchase(1), purchase(2)], &books).len()
    }

    #[test]
    fn what_is_in_order_passes_and_whatever_is_not_is_told() {
        assert_eq!(wrong(|_| {}), 0);
        let falsifications: [fn(&mut Books); 12] = [
            |books| books.bookings[0].status = "PENDING".to_owned(),
            |books| books.bookings[0].refund_due = true,
            |books| books.bookings[0].show_id = 2,
            |books| books.bookings[0].user_name = "ben".to_owned(),
            |books| books.bookings[0].payment = None,
            |books| books.bookings[0].seats = vec![1],
            |books| drop(books.bookings.pop()),
            |books| books.bookings.push(BookingRow { id: 3, status: "PENDING".to_owned(), ..books.bookings[0].clone() }),
            |books| books.payments[0].in_vain = true,
            |books| books.payments[0].reference = "another".to_owned(),
            |books| drop(books.payments.pop()),
            |books| books.payments.push(PaymentRow { booking_id: 3, ..books.payments[0].clone() }),
        ];
        for (i, falsify) in falsifications.iter().enumerate() {
            assert_eq!(wrong(falsify), 1, "{i}");
        }
        assert_eq!(wrong(|books| books.payments.push(books.payments[0].clone())), 1);
        assert_eq!(judge(&[purchase(1), purchase(1)], &books()).len(), 4, "two customers who were told the same booking");
    }
}
