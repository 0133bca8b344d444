//! Payments, as far as bookings know of them: what names one, and which booking it was for.

use std::fmt;

use thiserror::Error;

use crate::deadline::Timestamp;
use crate::ids::{BookingId, ShowId};
use crate::lifecycle::FailureReason;

/// What a payment provider, or whoever takes the money, calls a payment. It pays for one booking.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentReference(String);

/// Why a text is no reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be 1 to {} visible ASCII characters", PaymentReference::CHARS_MAX)]
pub struct InvalidReference;

impl PaymentReference {
    /// Longest reference, in characters.
    pub const CHARS_MAX: usize = 255;

    /// A reference of 1 to [`Self::CHARS_MAX`] visible ASCII characters.
    ///
    /// # Errors
    /// [`InvalidReference`].
    pub fn new(reference: &str) -> Result<Self, InvalidReference> {
        let is_visible =
            (1..=Self::CHARS_MAX).contains(&reference.len()) && reference.bytes().all(|byte| byte.is_ascii_graphic());
        if is_visible { Ok(Self(reference.to_owned())) } else { Err(InvalidReference) }
    }

    /// The reference.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PaymentReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A payment that came with a confirm, kept for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// What names it.
    pub reference: PaymentReference,
    /// What it was meant to pay for.
    pub booking_id: BookingId,
    /// The show.
    pub show_id: ShowId,
    /// Whether it bought nothing, so that it has to be given back. One that bought something has to be given back if its booking
    /// says so.
    pub in_vain: bool,
}

/// Money that has to be given back, each payment once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// What it was paid for.
    pub booking_id: BookingId,
    /// The show.
    pub show_id: ShowId,
    /// What names it; `None` if nobody has said how the booking was paid.
    pub payment: Option<PaymentReference>,
    /// Why.
    pub reason: RefundReason,
    /// Since when, as far as is known: when the booking last changed, or the payment was put down.
    pub since: Timestamp,
}

/// Why money has to be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundReason {
    /// The booking that it was paid for has failed.
    Failed(FailureReason),
    /// It came in vain, for a booking that another payment had been named for, or that was sold without one.
    PaidAgain,
}

/// What tells one refund from another, for good. A booking's own comes first, then what was paid again for it, by its reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundKey {
    /// The booking.
    pub booking_id: BookingId,
    /// What was paid again; `None` for the booking's own.
    pub paid_again: Option<PaymentReference>,
}

impl Refund {
    /// What tells it from others.
    pub fn key(&self) -> RefundKey {
        let paid_again = match self.reason {
            RefundReason::Failed(_) => None,
            RefundReason::PaidAgain => self.payment.clone(),
        };
        RefundKey { booking_id: self.booking_id, paid_again }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_visible_and_bounded() {
        assert!(PaymentReference::new("pi_3MtwBwLkdIwHu7ix28a3tqPa").is_ok());
        assert!(PaymentReference::new(&"p".repeat(255)).is_ok());
        for bad in ["", " ", "a b", "a\0", "é", &"p".repeat(256)] {
            assert_eq!(PaymentReference::new(bad), Err(InvalidReference), "{bad:?}");
        }
    }
}
