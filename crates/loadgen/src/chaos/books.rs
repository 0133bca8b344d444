//! What the database says when all is over, read by SQL of our own.

mod reading;

use std::collections::BTreeMap;

use serde::Serialize;

pub use reading::read;

use super::history::{BookingStatus, Micros, SeatStatus};

/// Every booking and every seat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Books {
    /// The bookings, by identity.
    pub bookings: Vec<BookingRow>,
    /// The seats, by show and number.
    pub seats: Vec<SeatRow>,
    /// The payments.
    pub payments: Vec<PaymentRow>,
    /// The shows that are cancelled, and since when.
    pub cancelled_shows: BTreeMap<i64, Micros>,
    /// What the shows are called.
    pub show_names: BTreeMap<i64, String>,
}

/// A row of `payments`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PaymentRow {
    /// What names it.
    pub reference: String,
    /// What it was for.
    pub booking_id: i64,
    /// Whether it has bought nothing.
    pub in_vain: bool,
    /// When it was put down.
    pub recorded_at: Micros,
}

/// A row of `bookings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BookingRow {
    /// Its identity.
    pub id: i64,
    /// The show.
    pub show_id: i64,
    /// For whom; or why, if the house keeps the seats.
    pub user_name: String,
    /// Whether the house keeps the seats.
    pub is_block: bool,
    /// To whom the seats count where they are limited.
    pub customer: Option<String>,
    /// The seats that it lists.
    pub seats: Vec<u32>,
    /// How it stands in its row.
    pub status: BookingStatus,
    /// Whether money has to be given back.
    pub refund_due: bool,
    /// Its deadline.
    pub expires_at: Micros,
    /// When it was confirmed.
    pub confirmed_at: Option<Micros>,
    /// When its seats were held.
    pub created_at: Micros,
    /// What its history says, oldest first.
    pub steps: Vec<Step>,
}

/// A row of `booking_history`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Counts the changes of its show.
    pub number: i64,
    /// When.
    pub at: Micros,
    /// What.
    pub event: StepKind,
    /// Whether the booking was sold before.
    pub was_sold: bool,
    /// The seats that the booking lists after it.
    pub seats: Vec<u32>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// It was made.
    Held,
    /// It got more time.
    Extended,
    /// It got other seats.
    Changed,
    /// It was made by the house.
    Blocked,
    /// It was sold.
    Confirmed,
    /// It was sold after it had run out.
    Reclaimed,
    /// It ran out.
    Expired,
    /// It was given up.
    Cancelled,
    /// Its show was cancelled.
    ShowCancelled,
    /// Money has to be given back. It stands as it stood.
    RefundDue,
}

impl StepKind {
    /// Whether a hold or a sale ended with it before its time.
    pub const fn gives_up(self) -> bool {
        matches!(self, Self::Cancelled | Self::ShowCancelled)
    }
}

impl BookingRow {
    /// The seats that it was made with.
    pub fn first_seats(&self) -> &[u32] {
        let made = |step: &&Step| matches!(step.event, StepKind::Held | StepKind::Blocked);
        self.steps.iter().find(made).map_or(&self.seats, |step| &step.seats)
    }

    /// When it was sold by a confirm, if it was, be it cancelled later.
    pub fn sold_at(&self) -> Option<Micros> {
        let step = || self.sale().filter(|_| self.sale_was_cancelled()).map(|step| step.at);
        self.confirmed_at.filter(|_| !self.is_block).or_else(step)
    }

    /// The step by which a confirm has sold it.
    pub fn sale(&self) -> Option<&Step> {
        self.steps.iter().find(|step| matches!(step.event, StepKind::Confirmed | StepKind::Reclaimed))
    }

    /// Whether it was sold after it had run out.
    pub fn was_reclaimed(&self) -> bool {
        self.steps.iter().any(|step| step.event == StepKind::Reclaimed)
    }

    /// Whether it was sold and then cancelled.
    pub fn sale_was_cancelled(&self) -> bool {
        self.steps.iter().any(|step| step.event.gives_up() && step.was_sold)
    }
}

/// A row of `seats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SeatRow {
    /// The show.
    pub show_id: i64,
    /// Its number.
    pub number: u32,
    /// How it stands in its row.
    pub status: SeatStatus,
    /// The booking that has it.
    pub booking_id: Option<i64>,
}
