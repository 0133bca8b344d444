//! Money that has to be given back, in the books: for each payment that has bought nothing, and for nothing else.

use std::collections::HashMap;

use super::super::books::{BookingRow, Books, PaymentRow, Step, StepKind};
use super::super::history::{Answer, BookingStatus, Call, History, Operation, Refusal};
use super::{Kind, Violation, at};

/// Checks every booking with its payments.
pub(super) fn check(history: &History, books: &Books, violations: &mut Vec<Violation>) {
    let mut payments: HashMap<i64, Vec<&PaymentRow>> = HashMap::new();
    for payment in &books.payments {
        payments.entry(payment.booking_id).or_default().push(payment);
    }
    let mut unpaid: HashMap<i64, Vec<&Operation>> = HashMap::new();
    for operation in &history.operations {
        if let Call::Confirm { booking_id, pays: false, .. } = operation.call {
            unpaid.entry(booking_id).or_default().push(operation);
        }
    }
    for row in &books.bookings {
        let payments = payments.get(&row.id).map_or(&[][..], Vec::as_slice);
        let unpaid = unpaid.get(&row.id).map_or(&[][..], Vec::as_slice);
        let faults = [owed(row), put_down(row, payments, unpaid), bought(row, payments), promised(row, unpaid)];
        violations.extend(faults.into_iter().flatten());
    }
}

fn wrong(row: &BookingRow, says: impl AsRef<str>) -> Violation {
    Violation::new(Kind::RefundWrong, format!("booking {} {}", row.id, says.as_ref())).about([row.id])
}

fn refunds(row: &BookingRow) -> impl Iterator<Item = &Step> {
    row.steps.iter().filter(|step| step.event == StepKind::RefundDue)
}

/// A booking says that money has to be given back if it failed, and its history says so.
fn owed(row: &BookingRow) -> Option<Violation> {
    let sale_given_up = row.sale_was_cancelled() && !row.is_block;
    let due = row.status == BookingStatus::Failed && (sale_given_up || refunds(row).any(|step| !step.was_sold));
    (row.refund_due != due).then(|| wrong(row, format!("has refund due {}, instead of {due}: {:?}", row.refund_due, row.steps)))
}

/// Each payment in vain has put down a refund, and an unpaid confirm that came too late has at most once.
fn put_down(row: &BookingRow, payments: &[&PaymentRow], unpaid: &[&Operation]) -> Option<Violation> {
    let mut steps: Vec<&Step> = refunds(row).collect();
    for payment in payments.iter().filter(|payment| payment.in_vain) {
        let Some(index) = steps.iter().position(|step| step.at == payment.recorded_at) else {
            return Some(wrong(row, format!("got {payment:?}, and no refund was put down then")));
        };
        steps.remove(index);
    }
    let explains = |step: &Step| {
        let could = |confirm: &&&Operation| match confirm.answer {
            Answer::Unknown(_) => confirm.began <= step.at,
            Answer::Refused(Refusal::HoldExpired { refund_due: true, .. }) => {
                confirm.began <= step.at && step.at <= confirm.ended
            }
            _ => false,
        };
        !step.was_sold && unpaid.iter().any(|confirm| could(&confirm))
    };
    match steps.as_slice() {
        [] => None,
        [step] if explains(step) => None,
        others => Some(wrong(row, format!("has refunds put down that nobody has paid for: {others:?}"))),
    }
}

/// A payment that bought something did so when the booking was sold, and only one did.
fn bought(row: &BookingRow, payments: &[&PaymentRow]) -> Option<Violation> {
    let mut spent = payments.iter().filter(|payment| !payment.in_vain);
    let first = spent.next()?;
    if spent.next().is_some() {
        return Some(wrong(row, format!("was paid for twice: {payments:?}")));
    }
    let sold_at = row.sold_at();
    let says = || {
        let sold = sold_at.map_or_else(|| "never".to_owned(), at);
        format!("was sold {sold}, and paid for by {first:?}")
    };
    (sold_at != Some(first.recorded_at)).then(|| wrong(row, says()))
}

/// Who was told that money is due without having named a payment finds that put down.
fn promised(row: &BookingRow, unpaid: &[&Operation]) -> Option<Violation> {
    let told = |confirm: &&&Operation| {
        matches!(confirm.answer, Answer::Refused(Refusal::HoldExpired { refund_due: true, .. }))
            && !refunds(row).any(|step| !step.was_sold && step.at <= confirm.ended)
    };
    let confirm = unpaid.iter().find(|confirm| told(confirm))?;
    Some(wrong(row, "owes money, and has not put it down").by([confirm.id]))
}
