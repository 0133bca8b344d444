//! Which seats a booking had from when on, until when, and what it did with them: its part in their stories.

use super::super::books::StepKind;
use super::super::history::{Micros, Operation};
use super::super::linear::{Claim, Event, Given, Hold, Span};
use super::bookings::Booking;

/// Something that a booking did with seats that it had.
pub(super) struct SeatChange {
    /// With which.
    pub(super) seats: Vec<u32>,
    /// Whether it was with all of them.
    pub(super) is_whole: bool,
    what: What,
    /// The call that was answered so; without one, the hold.
    operation: u64,
    at: Micros,
    known: Micros,
}

#[derive(Clone, Copy)]
enum What {
    Extends(Span, Span),
    GivesUp(Given),
}

/// The same, sold from the beginning. Nobody has seen it end.
fn sold(hold: Hold) -> Hold {
    Hold { sold: true, unknown_confirm: None, known_sold: Micros::MIN, ..hold }
}

impl SeatChange {
    /// It, as an event in the story of a seat of which the booking has this hold.
    pub(super) const fn event(&self, hold: usize) -> Event {
        let claim = match self.what {
            What::Extends(from, to) => Claim::Extends(hold, from, to),
            What::GivesUp(given) => Claim::GivesUp(hold, given),
        };
        Event { operation: self.operation, began: self.at, ended: self.known, claim }
    }
}

impl Booking<'_> {
    /// Its seats and its deadline, from when on it could be seen with them and until when.
    fn states(&self) -> impl Iterator<Item = (Micros, Micros, &[u32], Span)> {
        let known = self.amendments.iter().map(|amendment| amendment.known).chain([Micros::MAX]);
        let mut deadline = self.deadline;
        let later = self.amendments.iter().map(move |amendment| {
            if amendment.event == StepKind::Extended {
                deadline = Span::exactly(amendment.deadline);
            }
            (amendment.at, amendment.seats.as_slice(), deadline)
        });
        let states = [(Micros::MIN, self.seats, self.deadline)].into_iter().chain(later);
        states.zip(known).map(|((from, seats, deadline), until)| (from, until, seats, deadline))
    }

    fn states_during(&self, call: &Operation) -> impl Iterator<Item = (&[u32], Span)> {
        let (began, ended) = (call.began, call.ended);
        let seen = self.states().filter(move |(from, until, _, _)| *from <= ended && began <= *until);
        seen.map(|(_, _, seats, deadline)| (seats, deadline))
    }

    /// Whether it could be seen by this call with these seats.
    pub(super) fn could_have(&self, seats: &[u32], call: &Operation) -> bool {
        self.states_during(call).any(|(had, _)| had == seats)
    }

    /// Whether this call, which wants these seats, could be told that it has all but those.
    pub(super) fn could_lack(&self, wanted: &[u32], lacking: &[u32], call: &Operation) -> bool {
        let lacks = |had: &[u32]| wanted.iter().filter(|seat| !had.contains(seat)).eq(lacking);
        !lacking.is_empty() && self.states_during(call).any(|(had, _)| lacks(had))
    }

    /// Whether this call could be told that it ends then.
    pub(super) fn could_end_at(&self, instant: Micros, call: &Operation) -> bool {
        self.states_during(call).any(|(_, deadline)| deadline.shown() == instant)
    }

    /// Whether it ever had this seat.
    pub(super) fn ever_had(&self, seat: u32) -> bool {
        self.states().any(|(_, _, seats, _)| seats.contains(&seat))
    }

    /// The seats that it had all the time.
    pub(super) fn steady_seats(&self) -> impl Iterator<Item = u32> {
        let all_along = |seat: &u32| self.states().all(|(_, _, seats, _)| seats.contains(seat));
        self.seats.iter().copied().filter(all_along)
    }

    /// The seats that it had in the end.
    pub(super) fn last_seats(&self) -> &[u32] {
        self.amendments.last().map_or(self.seats, |amendment| &amendment.seats)
    }

    /// When it ends after all.
    pub(super) fn last_deadline(&self) -> Span {
        self.states().last().map_or(self.deadline, |(_, _, _, deadline)| deadline)
    }

    /// Whether it was sold and then cancelled.
    pub(super) fn sale_was_cancelled(&self) -> bool {
        self.amendments.iter().any(|amendment| amendment.was_sold)
    }

    /// Each seat that it got, as often as it got it.
    pub(super) fn tenures(&self) -> Vec<(u32, Hold)> {
        let mut tenures: Vec<(u32, Hold)> = self.seats.iter().map(|seat| (*seat, self.as_hold())).collect();
        let (mut before, mut deadline) = (self.seats, self.deadline);
        for amendment in &self.amendments {
            if amendment.event == StepKind::Extended {
                deadline = Span::exactly(amendment.deadline);
            }
            let hold = Hold {
                operation: amendment.told.unwrap_or(self.hold.id),
                decided: Span::exactly(amendment.at),
                deadline,
                ended: amendment.told.map(|_| amendment.known),
                ..self.as_hold()
            };
            // What has run out is had again from then on.
            let (hold, had) = if amendment.event == StepKind::Reclaimed { (sold(hold), &[][..]) } else { (hold, before) };
            tenures.extend(amendment.seats.iter().filter(|seat| !had.contains(seat)).map(|seat| (*seat, hold)));
            before = &amendment.seats;
        }
        tenures
    }

    /// It, as if it were a seat: when it was had.
    pub(super) fn as_holds(&self) -> Vec<Hold> {
        let reclaim = self.amendments.iter().find(|amendment| amendment.event == StepKind::Reclaimed);
        let reclaimed = reclaim.map(|amendment| Hold {
            operation: amendment.told.unwrap_or(self.hold.id),
            decided: Span::exactly(amendment.at),
            ended: amendment.told.map(|_| amendment.known),
            ..self.as_hold()
        });
        [self.as_hold()].into_iter().chain(reclaimed.map(sold)).collect()
    }

    /// What it did with its seats, in order.
    pub(super) fn changes(&self) -> impl Iterator<Item = SeatChange> {
        let (mut before, mut deadline) = (self.seats, self.deadline);
        self.amendments.iter().filter_map(move |amendment| {
            let had = std::mem::replace(&mut before, &amendment.seats);
            let (seats, what): (Vec<u32>, What) = match amendment.event {
                StepKind::Extended => {
                    let from = std::mem::replace(&mut deadline, Span::exactly(amendment.deadline));
                    (had.to_vec(), What::Extends(from, deadline))
                }
                // A confirm of some seats gives up the others.
                StepKind::Changed | StepKind::Confirmed => {
                    let given_up = had.iter().filter(|seat| !amendment.seats.contains(seat)).copied().collect();
                    (given_up, What::GivesUp(Given::Hold))
                }
                StepKind::Cancelled | StepKind::ShowCancelled => {
                    let given = if amendment.was_sold { Given::Sale } else { Given::Hold };
                    (had.to_vec(), What::GivesUp(given))
                }
                StepKind::Held | StepKind::Blocked | StepKind::Reclaimed | StepKind::Expired | StepKind::RefundDue => {
                    return None;
                }
            };
            let operation = amendment.told.unwrap_or(self.hold.id);
            let is_whole = amendment.event == StepKind::Extended || amendment.event.gives_up();
            Some(SeatChange { seats, is_whole, what, operation, at: amendment.at, known: amendment.known })
        })
    }
}
