//! The kinds of violation.

use std::fmt;

use serde::Serialize;

/// What kind of violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An answer that the contract does not foresee: a 500, a 503 without `Retry-After`, a body that makes no sense.
    Unforeseen,
    /// An answer to another question, or one that contradicts itself or what its booking was made with.
    DoesNotFit,
    /// A deadline that is not as long after the decision as the servers hold a seat.
    DeadlineWrong,
    /// Two holds were given one booking.
    IdGivenTwice,
    /// A booking that no hold explains.
    NobodysBooking,
    /// Something that was there is not found.
    Missing,
    /// A booking that was CONFIRMED or FAILED is something else.
    FinalStateChanged,
    /// The answers about a seat, or about a booking, can't be told as one story.
    NotLinearizable,
    /// There are too many stories to try them all.
    Undecided,
    /// A hold was answered with 201, and is not in the books.
    HoldLost,
    /// A booking is in the books with other seats, another name or another deadline than it was made with.
    HoldAltered,
    /// A confirm was answered with 200, and its booking is not CONFIRMED in the books.
    ConfirmLost,
    /// Something happened of which was said that it had not.
    NotDoneButDone,
    /// Something happened that nobody had asked for.
    AskedByNobody,
    /// One hold made two bookings.
    HeldTwice,
    /// The books say that a call was decided before it began or after it was answered.
    OutsideItsCall,
    /// Confirmed at the deadline or after it.
    ConfirmedTooLate,
    /// A cancel, an extend or a change was answered with 200, and is not in the books.
    AmendmentLost,
    /// Cancelled, extended or changed at the deadline or after it.
    AmendedTooLate,
    /// Two answers to one request under one key.
    RepeatAnsweredOtherwise,
    /// The answer to a repeat does not say that it is one, or another says that.
    NotReplayed,
    /// Another request under a used key was served.
    KeyServedTwo,
    /// Confirmed after its deadline when it was not to be: its show takes no late confirm, or it had not run out, or not only that.
    ReclaimedWrongly,
    /// Refused as too late where its show takes late confirms and nobody had any of its seats.
    RefusedThoughFree,
    /// Money is to be given back for nothing, or not where it is, or nobody was told.
    RefundWrong,
    /// A customer had more of a show than that allows, or was refused what it allows.
    LimitWrong,
    /// Something was sold of a cancelled show, or something of it is not cancelled, or it is not.
    ShowNotCancelled,
    /// A show is called otherwise than it was answered to be.
    EditLost,
    /// Two bookings had a seat at the same time.
    DoubleBooking,
    /// A payment in the books is not what was answered to the confirm that named it, or nobody has named it.
    PaymentWrong,
    /// The seats in the books do not add up, or contradict their bookings.
    SeatsWrong,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 31] = [
        Self::Unforeseen,
        Self::DoesNotFit,
        Self::DeadlineWrong,
        Self::IdGivenTwice,
        Self::NobodysBooking,
        Self::Missing,
        Self::FinalStateChanged,
        Self::NotLinearizable,
        Self::Undecided,
        Self::HoldLost,
        Self::HoldAltered,
        Self::ConfirmLost,
        Self::NotDoneButDone,
        Self::AskedByNobody,
        Self::HeldTwice,
        Self::OutsideItsCall,
        Self::ConfirmedTooLate,
        Self::AmendmentLost,
        Self::AmendedTooLate,
        Self::RepeatAnsweredOtherwise,
        Self::NotReplayed,
        Self::KeyServedTwo,
        Self::ReclaimedWrongly,
        Self::RefusedThoughFree,
        Self::RefundWrong,
        Self::LimitWrong,
        Self::ShowNotCancelled,
        Self::EditLost,
        Self::DoubleBooking,
        Self::PaymentWrong,
        Self::SeatsWrong,
    ];

    /// In a word, which does not change from version to version.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unforeseen => "unforeseen",
            Self::DoesNotFit => "does-not-fit",
            Self::DeadlineWrong => "deadline-wrong",
            Self::IdGivenTwice => "id-given-twice",
            Self::NobodysBooking => "nobodys-booking",
            Self::Missing => "missing",
            Self::FinalStateChanged => "final-state-changed",
            Self::NotLinearizable => "not-linearizable",
            Self::Undecided => "undecided",
            Self::HoldLost => "hold-lost",
            Self::HoldAltered => "hold-altered",
            Self::ConfirmLost => "confirm-lost",
            Self::NotDoneButDone => "not-done-but-done",
            Self::AskedByNobody => "asked-by-nobody",
            Self::HeldTwice => "held-twice",
            Self::OutsideItsCall => "outside-its-call",
            Self::ConfirmedTooLate => "confirmed-too-late",
            Self::AmendmentLost => "amendment-lost",
            Self::AmendedTooLate => "amended-too-late",
            Self::RepeatAnsweredOtherwise => "repeat-answered-otherwise",
            Self::NotReplayed => "not-replayed",
            Self::KeyServedTwo => "key-served-two",
            Self::ReclaimedWrongly => "reclaimed-wrongly",
            Self::RefusedThoughFree => "refused-though-free",
            Self::RefundWrong => "refund-wrong",
            Self::LimitWrong => "limit-wrong",
            Self::ShowNotCancelled => "show-not-cancelled",
            Self::EditLost => "edit-lost",
            Self::DoubleBooking => "double-booking",
            Self::PaymentWrong => "payment-wrong",
            Self::SeatsWrong => "seats-wrong",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
