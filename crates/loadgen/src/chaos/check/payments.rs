//! The payments in the books against what was answered to the confirms that named them.

use std::collections::HashMap;

use super::super::books::{Books, PaymentRow};
use super::super::history::{Answer, Call, History, Micros, Operation, Refusal};
use super::{Kind, Violation, named};

/// Checks every confirm that names a payment, and every payment.
pub(super) fn check(history: &History, books: &Books, violations: &mut Vec<Violation>) {
    let mut rows: HashMap<&str, Vec<&PaymentRow>> = HashMap::new();
    for row in &books.payments {
        rows.entry(&row.reference).or_default().push(row);
    }
    for confirm in &history.operations {
        if let Call::Confirm { booking_id, pays: true, .. } = confirm.call {
            let kept = rows.remove(Operation::payment(confirm.id).as_str()).unwrap_or_default();
            let ended = if confirm.answer.is_definite() { confirm.ended } else { Micros::MAX };
            let during = kept.iter().all(|row| confirm.began <= row.recorded_at && row.recorded_at <= ended);
            if !during || !fits(&confirm.answer, booking_id, &kept) {
                let says = format!("{} was answered {:?}, and its payment is kept as {kept:?}", named(confirm), confirm.answer);
                violations.push(Violation::new(Kind::PaymentWrong, says).by([confirm.id]).about([booking_id]));
            }
        }
    }
    for row in rows.into_values().flatten() {
        let says = format!("nobody has named the payment that is kept as {row:?}");
        violations.push(Violation::new(Kind::PaymentWrong, says).about([row.booking_id]));
    }
}

/// Whether a confirm of this booking that was answered so leaves its payment like this.
fn fits(answer: &Answer, booking_id: i64, kept: &[&PaymentRow]) -> bool {
    let kept = match kept {
        [] => None,
        [row] if row.booking_id == booking_id => Some(row.in_vain),
        _ => return false,
    };
    match answer {
        Answer::Confirmed { .. } => kept == Some(false),
        Answer::Refused(Refusal::HoldExpired { refund_due: true, .. } | Refusal::NotPending { refund_due: true, .. }) => {
            kept == Some(true)
        }
        Answer::Unknown(_) => true,
        _ => kept.is_none(),
    }
}
