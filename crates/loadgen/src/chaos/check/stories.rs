//! The story of each seat, and of each booking.

use std::collections::{BTreeMap, HashMap};

use super::super::history::{
    Answer, BookingStatus, Call, FoundBooking, History, MapSeat, OffendingReason, OffendingSeat, Operation, Refusal, SeatStatus,
};
use super::super::linear::{Claim, DeadEnd, Event, SeatHistory, Sight, Verdict};
use super::bookings::{Booking, Bookings, Sighting, sightings};
use super::tenures::SeatChange;
use super::{Kind, Violation, at, named};

/// Looks for the story of each seat and of each booking.
pub(super) fn check(history: &History, bookings: &Bookings<'_>, violations: &mut Vec<Violation>) {
    let mut judge = |what: String, story: &SeatHistory| match story.verdict() {
        Verdict::Possible => {}
        Verdict::Impossible(end) => violations.push(impossible(&what, story, end, history)),
        Verdict::Undecided => {
            let says = format!("{what}: too many stories to try them all");
            violations.push(Violation::new(Kind::Undecided, says).about(story.holds.iter().map(|hold| hold.booking_id)));
        }
    };
    for ((show_id, seat), story) in seat_stories(history, bookings) {
        judge(format!("seat {seat} of show {show_id}"), &story);
    }
    for (id, story) in booking_stories(history, bookings) {
        judge(format!("booking {id}"), &story);
    }
}

fn booking_stories(history: &History, bookings: &Bookings<'_>) -> BTreeMap<i64, SeatHistory> {
    let alone = |booking: &Booking<'_>| {
        let events = booking.changes().filter(|change| change.is_whole).map(|change| change.event(0)).collect();
        SeatHistory { holds: booking.as_holds(), events }
    };
    let mut stories: BTreeMap<i64, SeatHistory> = bookings.all().map(|booking| (booking.id, alone(booking))).collect();
    for operation in &history.operations {
        for sighting in sightings(operation) {
            let claim = match (sighting.status, &operation.answer) {
                (_, Answer::Confirmed { reclaimed: false, .. }) => Claim::Confirms(0),
                (BookingStatus::Pending, _) => Claim::HeldBy(0),
                (BookingStatus::Confirmed, _) => Claim::SoldTo(0),
                (BookingStatus::Failed, _) => Claim::Lost(0, sighting.sight),
            };
            if let Some(story) = stories.get_mut(&sighting.booking_id) {
                story.tell(operation, claim);
            }
        }
    }
    stories.values_mut().for_each(SeatHistory::sort_events);
    stories
}

fn seat_stories(history: &History, bookings: &Bookings<'_>) -> BTreeMap<(i64, u32), SeatHistory> {
    let mut seats = Seats::of(bookings);
    for operation in &history.operations {
        match (&operation.call, &operation.answer) {
            (
                Call::Hold { show_id, seats: asked } | Call::Block { show_id, seats: asked },
                Answer::Refused(Refusal::SeatsNotFree(named)),
            ) => {
                for seat in asked {
                    if let Some(claim) = refused(*seat, named) {
                        seats.tell((*show_id, *seat), operation, claim);
                    }
                }
            }
            // The seats are looked at first.
            (
                Call::Hold { show_id, seats: asked } | Call::Block { show_id, seats: asked },
                Answer::Refused(Refusal::CustomerLimit { .. } | Refusal::ShowCancelled),
            ) => {
                for seat in asked {
                    seats.tell((*show_id, *seat), operation, Claim::Free(Sight::Sharp));
                }
            }
            (_, Answer::Confirmed { booking_id, reclaimed: false }) => {
                seats.tell_of(*booking_id, bookings, operation, Claim::Confirms);
            }
            // That it got its seats again is in their stories already.
            (_, Answer::Confirmed { booking_id, reclaimed: true }) => {
                seats.tell_of(*booking_id, bookings, operation, Claim::SoldTo);
            }
            (call, Answer::Refused(refusal)) => {
                if let (Call::Change { booking_id, add, .. }, Refusal::SeatsNotFree(named)) = (call, refusal)
                    && let Some(booking) = bookings.get(*booking_id)
                {
                    for seat in add {
                        if let Some(claim) = refused(*seat, named) {
                            seats.tell((booking.show_id, *seat), operation, claim);
                        }
                    }
                }
                for sighting in sightings(operation) {
                    seats.tell_sighting(&sighting, bookings, operation);
                }
            }
            (_, Answer::Cancelled { booking_id, .. }) => {
                seats.tell_of(*booking_id, bookings, operation, |hold| Claim::Lost(hold, Sight::Sharp));
            }
            (_, Answer::Found(found)) => seats.tell_found(found, bookings, operation),
            (Call::SeatMap { show_id }, Answer::SeatMap(map)) => {
                for seat in map {
                    seats.tell_shown(*show_id, seat, operation);
                }
            }
            _ => {}
        }
    }
    let mut stories = seats.stories;
    stories.values_mut().for_each(SeatHistory::sort_events);
    stories
}

/// What a refused hold says of a seat that it asked for.
fn refused(seat: u32, named: &[OffendingSeat]) -> Option<Claim> {
    match named.iter().find(|offending| offending.number == seat).map(|offending| offending.reason) {
        None => Some(Claim::Free(Sight::Sharp)),
        Some(OffendingReason::Held { free_at }) => Some(Claim::HeldUntil(free_at)),
        Some(OffendingReason::Sold) => Some(Claim::Sold),
        Some(OffendingReason::Unknown | OffendingReason::HadAlready | OffendingReason::NotHad) => None,
    }
}

/// The seats' stories while they are put together.
struct Seats {
    stories: BTreeMap<(i64, u32), SeatHistory>,
    /// Which of a seat's holds is a booking's.
    indices: HashMap<(i64, u32, i64), usize>,
}

impl Seats {
    fn of(bookings: &Bookings<'_>) -> Self {
        let mut stories: BTreeMap<(i64, u32), SeatHistory> = BTreeMap::new();
        for booking in bookings.all() {
            for (seat, hold) in booking.tenures() {
                stories.entry((booking.show_id, seat)).or_default().holds.push(hold);
            }
        }
        stories.values_mut().for_each(SeatHistory::sort_holds);
        let indices = stories.iter().flat_map(|((show_id, seat), story)| {
            story.holds.iter().enumerate().map(|(index, hold)| ((*show_id, *seat, hold.booking_id), index))
        });
        let indices = indices.collect();
        let mut seats = Self { stories, indices };
        for booking in bookings.all() {
            for change in booking.changes() {
                for seat in &change.seats {
                    seats.tell_change((booking.show_id, *seat), booking.id, &change);
                }
            }
        }
        seats
    }

    fn tell(&mut self, seat: (i64, u32), operation: &Operation, claim: Claim) {
        self.stories.entry(seat).or_default().tell(operation, claim);
    }

    fn tell_change(&mut self, (show_id, seat): (i64, u32), booking_id: i64, change: &SeatChange) {
        if let Some(hold) = self.indices.get(&(show_id, seat, booking_id)) {
            self.stories.entry((show_id, seat)).or_default().events.push(change.event(*hold));
        }
    }

    /// Tells what a refusal says of the booking that it is about.
    fn tell_sighting(&mut self, sighting: &Sighting, bookings: &Bookings<'_>, operation: &Operation) {
        let Some(booking) = bookings.get(sighting.booking_id) else { return };
        match sighting.status {
            BookingStatus::Failed => self.tell_of(booking.id, bookings, operation, |hold| Claim::Lost(hold, Sight::Sharp)),
            BookingStatus::Confirmed => self.tell_of(booking.id, bookings, operation, Claim::SoldTo),
            // Which seats it had at that instant is known only of those that it always had.
            BookingStatus::Pending => {
                for seat in booking.steady_seats() {
                    if let Some(hold) = self.indices.get(&(booking.show_id, seat, booking.id)) {
                        self.tell((booking.show_id, seat), operation, Claim::HeldBy(*hold));
                    }
                }
            }
        }
    }

    /// Tells something of each seat that a booking had in the end.
    fn tell_of(&mut self, id: i64, bookings: &Bookings<'_>, operation: &Operation, claim: impl Fn(usize) -> Claim) {
        let Some(booking) = bookings.get(id) else { return };
        for seat in booking.last_seats() {
            if let Some(hold) = self.indices.get(&(booking.show_id, *seat, id)) {
                self.tell((booking.show_id, *seat), operation, claim(*hold));
            }
        }
    }

    fn tell_found(&mut self, found: &FoundBooking, bookings: &Bookings<'_>, operation: &Operation) {
        match found.status {
            BookingStatus::Pending => {
                for (seat, _) in &found.seats {
                    if let Some(hold) = self.indices.get(&(found.show_id, *seat, found.id)) {
                        self.tell((found.show_id, *seat), operation, Claim::HeldBy(*hold));
                    }
                }
            }
            BookingStatus::Confirmed => self.tell_of(found.id, bookings, operation, Claim::SoldTo),
            BookingStatus::Failed => {
                self.tell_of(found.id, bookings, operation, |hold| Claim::Lost(hold, Sight::Sharp));
                for (seat, status) in &found.seats {
                    let claim = match status {
                        // Only the booking itself is waited for.
                        SeatStatus::Available => Claim::Free(Sight::Blurred),
                        SeatStatus::Pending => Claim::Held,
                        SeatStatus::Confirmed => Claim::Sold,
                    };
                    self.tell((found.show_id, *seat), operation, claim);
                }
            }
        }
    }

    fn tell_shown(&mut self, show_id: i64, seat: &MapSeat, operation: &Operation) {
        let hold = seat.booking_id.and_then(|id| self.indices.get(&(show_id, seat.number, id)).copied());
        let claim = match (seat.status, hold) {
            (SeatStatus::Available, _) => Claim::Free(Sight::Blurred),
            (SeatStatus::Pending, Some(hold)) => Claim::HeldBy(hold),
            (SeatStatus::Confirmed, Some(hold)) => Claim::SoldTo(hold),
            // Reported already: nobody's booking, or not this seat's.
            (SeatStatus::Pending | SeatStatus::Confirmed, None) => return,
        };
        self.tell((show_id, seat.number), operation, claim);
    }
}

impl SeatHistory {
    fn tell(&mut self, operation: &Operation, claim: Claim) {
        let Operation { id, began, ended, .. } = *operation;
        self.events.push(Event { operation: id, began, ended, claim });
    }
}

fn impossible(what: &str, story: &SeatHistory, end: DeadEnd, history: &History) -> Violation {
    let DeadEnd { operation, claim, phase } = end;
    let who = history.operation(operation).map_or_else(|| format!("operation {operation}"), named);
    let booking = |hold: usize| story.holds.get(hold).map_or(0, |hold| hold.booking_id);
    let told = match claim {
        None => "was given it".to_owned(),
        Some(Claim::Confirms(hold)) => format!("confirmed booking {}", booking(hold)),
        Some(Claim::Extends(hold, _, to)) => format!("gave booking {} time until {}", booking(hold), at(to.earliest)),
        Some(Claim::GivesUp(hold, _)) => format!("had booking {} give it up", booking(hold)),
        Some(Claim::Free(_)) => "was told that nobody has it".to_owned(),
        Some(Claim::Held) => "was told that somebody holds it".to_owned(),
        Some(Claim::HeldUntil(instant)) => format!("was told that somebody holds it until {}", at(instant)),
        Some(Claim::HeldBy(hold)) => format!("was told that booking {} holds it", booking(hold)),
        Some(Claim::Sold) => "was told that it is sold".to_owned(),
        Some(Claim::SoldTo(hold)) => format!("was told that it is sold to booking {}", booking(hold)),
        Some(Claim::Lost(hold, _)) => format!("was told that booking {} has failed", booking(hold)),
    };
    let last = phase.holds.checked_sub(1).and_then(|last| story.holds.get(last));
    let stands = match last {
        None => "nobody has had it yet".to_owned(),
        Some(hold) if phase.gone => format!("booking {} has given it up", hold.booking_id),
        Some(hold) if phase.sold => format!("it is sold to booking {}", hold.booking_id),
        Some(hold) => format!("booking {} holds it until {}", hold.booking_id, at(hold.deadline.earliest)),
    };
    let when =
        history.operation(operation).map_or_else(String::new, |o| format!(", between {} and {}", at(o.began), at(o.ended)));
    let says =
        format!("{what}: {who} {told}{when}; no order of the calls allows for that: in the one that goes farthest {stands}");
    let holds = last.into_iter();
    Violation::new(Kind::NotLinearizable, says)
        .by([operation].into_iter().chain(holds.clone().map(|hold| hold.operation)))
        .about(holds.map(|hold| hold.booking_id))
}
