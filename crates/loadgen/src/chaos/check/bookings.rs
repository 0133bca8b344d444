//! What is known of each booking, from all that was answered about it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::super::books::{BookingRow, Books};
use super::super::history::{Answer, BookingStatus, Call, History, Micros, Operation, Refusal, SeatStatus};
use super::super::linear::{Hold, Sight, Span};
use super::amendments::{Amendment, Amendments};
use super::{Kind, Violation, named};

/// A booking and the hold or the block that made it.
pub(super) struct Booking<'a> {
    /// Its identity.
    pub(super) id: i64,
    /// The hold, or the block.
    pub(super) hold: &'a Operation,
    /// Whether the house keeps its seats from sale.
    pub(super) is_block: bool,
    /// The show, as the hold asked.
    pub(super) show_id: i64,
    /// The seats, as the hold asked.
    pub(super) seats: &'a [u32],
    /// When the hold was decided.
    pub(super) decided: Span,
    /// When it ends, unless it gets more time. What the house keeps does not end by itself.
    pub(super) deadline: Span,
    /// What became of it then.
    pub(super) amendments: Vec<Amendment>,
    /// When somebody had been told of it.
    pub(super) known: Micros,
    /// When somebody had been told that it is CONFIRMED.
    pub(super) known_sold: Micros,
    /// Who was told so first.
    pub(super) sold_seen_by: Option<u64>,
    /// Who was told, by a call that looks closely, that it has FAILED.
    pub(super) failed_seen_by: Option<u64>,
    /// When the first confirm of it began that nobody knows the outcome of.
    pub(super) unknown_confirm: Option<Micros>,
}

/// All bookings that a hold or a block explains, by identity.
pub(super) struct Bookings<'a>(BTreeMap<i64, Booking<'a>>);

/// What an answer says of a booking.
pub(super) struct Sighting {
    /// Which.
    pub(super) booking_id: i64,
    /// How it stands.
    pub(super) status: BookingStatus,
    /// How closely the call looked.
    pub(super) sight: Sight,
}

impl<'a> Bookings<'a> {
    /// Those that were answered; and those that nobody was told the identity of, from the books.
    pub(super) fn of(history: &'a History, books: &Books, mut amendments: Amendments, violations: &mut Vec<Violation>) -> Self {
        let mut bookings = Self(BTreeMap::new());
        let made: BTreeMap<i64, Micros> = books.bookings.iter().map(|row| (row.id, row.created_at)).collect();
        for operation in &history.operations {
            if let Some(booking) = answered(operation, &made, history.hold_for) {
                bookings.add(booking, violations);
            }
        }
        for row in &books.bookings {
            let hold = Operation::of_user(&row.user_name).and_then(|id| history.operation(id));
            if let Some(booking) = hold.and_then(|hold| unanswered(hold, row, history.hold_for)) {
                bookings.add(booking, violations);
            }
        }
        for booking in bookings.0.values_mut() {
            booking.amendments = amendments.remove(&booking.id).unwrap_or_default();
        }
        bookings.see(history, violations);
        bookings
    }

    pub(super) fn get(&self, id: i64) -> Option<&Booking<'a>> {
        self.0.get(&id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Booking<'a>> {
        self.0.values()
    }

    /// Those with this identity or a higher one.
    pub(super) fn from(&self, id: i64) -> impl Iterator<Item = &Booking<'a>> {
        self.0.range(id..).map(|(_, booking)| booking)
    }

    fn add(&mut self, booking: Booking<'a>, violations: &mut Vec<Violation>) {
        match self.0.entry(booking.id) {
            Entry::Vacant(place) => {
                place.insert(booking);
            }
            Entry::Occupied(place) => {
                let (id, first, second) = (booking.id, place.get().hold, booking.hold);
                let says = format!("booking {id} was given to {} and to {}", named(first), named(second));
                violations.push(Violation::new(Kind::IdGivenTwice, says).by([first.id, second.id]).about([id]));
            }
        }
    }

    fn see(&mut self, history: &'a History, violations: &mut Vec<Violation>) {
        for operation in &history.operations {
            if let (Call::Confirm { booking_id, .. }, Answer::Unknown(_)) = (&operation.call, &operation.answer)
                && let Some(booking) = self.0.get_mut(booking_id)
            {
                let earlier = booking.unknown_confirm.unwrap_or(Micros::MAX);
                booking.unknown_confirm = Some(operation.began.min(earlier));
            }
            for sighting in sightings(operation) {
                match self.0.get_mut(&sighting.booking_id) {
                    Some(booking) => booking.see(&sighting, operation),
                    None => violations.push(nobodys(&sighting, operation)),
                }
            }
        }
    }
}

/// The booking that a call was told it has made. Answers are cut to the millisecond, or tell no time; if the books fit them, they
/// tell the rest.
fn answered<'a>(hold: &'a Operation, made: &BTreeMap<i64, Micros>, hold_for: Micros) -> Option<Booking<'a>> {
    let told = match hold.answer {
        Answer::Held { expires_at, .. } => Span::cut(expires_at).minus(hold_for),
        _ => Span { earliest: hold.began, latest: hold.ended },
    };
    let id = hold.answer.made()?;
    let exact = made.get(&id).filter(|exact| told.earliest <= **exact && **exact <= told.latest);
    Booking::new(id, hold, exact.map_or(told, |exact| Span::exactly(*exact)), hold_for)
}

/// The booking that a call made which was not answered so.
fn unanswered<'a>(hold: &'a Operation, row: &BookingRow, hold_for: Micros) -> Option<Booking<'a>> {
    if hold.answer.made().is_some() {
        return None;
    }
    Booking::new(row.id, hold, Span::exactly(row.created_at), hold_for)
}

fn nobodys(sighting: &Sighting, operation: &Operation) -> Violation {
    let id = sighting.booking_id;
    let says = format!(
        "{} was told of booking {id}, which no hold explains: none was answered so, and the books have none",
        named(operation)
    );
    Violation::new(Kind::NobodysBooking, says).by([operation.id]).about([id])
}

impl<'a> Booking<'a> {
    fn new(id: i64, hold: &'a Operation, decided: Span, hold_for: Micros) -> Option<Self> {
        let (show_id, seats) = hold.call.takes()?;
        let is_block = matches!(hold.call, Call::Block { .. });
        let was_answered = hold.answer.made().is_some();
        Some(Self {
            id,
            hold,
            is_block,
            show_id,
            seats,
            decided,
            // The least that a row can say, of what is not held for a while.
            deadline: decided.minus(if is_block { -1 } else { -hold_for }),
            amendments: Vec::new(),
            known: if was_answered { hold.ended } else { Micros::MAX },
            known_sold: Micros::MAX,
            sold_seen_by: (is_block && was_answered).then_some(hold.id),
            failed_seen_by: None,
            unknown_confirm: None,
        })
    }

    fn see(&mut self, sighting: &Sighting, operation: &Operation) {
        self.known = self.known.min(operation.ended);
        match (sighting.status, sighting.sight) {
            (BookingStatus::Confirmed, _) if operation.ended < self.known_sold => {
                (self.known_sold, self.sold_seen_by) = (operation.ended, Some(operation.id));
            }
            (BookingStatus::Failed, Sight::Sharp) => self.failed_seen_by = Some(operation.id),
            (BookingStatus::Pending | BookingStatus::Confirmed | BookingStatus::Failed, _) => {}
        }
    }

    /// Whether the hold was answered with this booking.
    pub(super) const fn was_answered(&self) -> bool {
        self.hold.answer.made().is_some()
    }

    /// For whom it is shown to be.
    pub(super) fn user_name(&self) -> String {
        if self.is_block { "house".to_owned() } else { Operation::user_name(self.hold.id) }
    }

    /// Its part in the story of a seat.
    pub(super) fn as_hold(&self) -> Hold {
        Hold {
            operation: self.hold.id,
            booking_id: self.id,
            decided: self.decided,
            deadline: self.deadline,
            sold: self.is_block,
            ended: self.was_answered().then_some(self.hold.ended),
            unknown_confirm: self.unknown_confirm,
            // What is sold from the beginning never looked as if it ended.
            known_sold: if self.is_block { Micros::MIN } else { self.known_sold },
        }
    }
}

/// What a call was told of bookings. (A 201 is not here: it makes its booking.)
pub(super) fn sightings(operation: &Operation) -> Vec<Sighting> {
    let sharp = |booking_id, status| vec![Sighting { booking_id, status, sight: Sight::Sharp }];
    match (&operation.call, &operation.answer) {
        (_, Answer::Confirmed { booking_id, .. }) => sharp(*booking_id, BookingStatus::Confirmed),
        (_, Answer::Found(found)) => sharp(found.id, found.status),
        (_, Answer::Cancelled { booking_id, .. }) => sharp(*booking_id, BookingStatus::Failed),
        (_, Answer::Extended { booking_id, .. } | Answer::Changed { booking_id, .. }) => {
            sharp(*booking_id, BookingStatus::Pending)
        }
        (call, Answer::Refused(refusal)) => {
            let status = match refusal {
                Refusal::HoldExpired { .. } => Some(BookingStatus::Failed),
                Refusal::NotPending { status, .. } => Some(*status),
                // Which seats it has is looked at first.
                Refusal::SeatsNotFree(_) if matches!(call, Call::Confirm { .. }) => None,
                Refusal::SaleIsFinal => Some(BookingStatus::Confirmed),
                // Only a hold can be changed, or not be.
                Refusal::SeatsNotFree(_) | Refusal::SeatCount | Refusal::HoldLimit { .. } | Refusal::CustomerLimit { .. } => {
                    Some(BookingStatus::Pending)
                }
                Refusal::KeyReused | Refusal::ShowCancelled | Refusal::NoSuchBooking | Refusal::NoSuchShow => None,
            };
            let sighting = call.booking_id().zip(status);
            sighting.map_or_else(Vec::new, |(booking_id, status)| sharp(booking_id, status))
        }
        (_, Answer::SeatMap(seats)) => {
            let status = |status| match status {
                SeatStatus::Confirmed => BookingStatus::Confirmed,
                SeatStatus::Pending | SeatStatus::Available => BookingStatus::Pending,
            };
            let seats = seats.iter().filter_map(|seat| Some((seat.booking_id?, status(seat.status))));
            seats.map(|(booking_id, status)| Sighting { booking_id, status, sight: Sight::Blurred }).collect()
        }
        (_, Answer::Bookings(listed)) => {
            let sighting = |row: &super::super::history::ListedBooking| Sighting {
                booking_id: row.id,
                status: row.status,
                sight: Sight::Blurred,
            };
            listed.iter().map(sighting).collect()
        }
        (
            _,
            Answer::Held { .. }
            | Answer::Blocked { .. }
            | Answer::ShowEdited
            | Answer::ShowCancelled
            | Answer::NotDone(_)
            | Answer::Unknown(_),
        ) => Vec::new(),
    }
}
