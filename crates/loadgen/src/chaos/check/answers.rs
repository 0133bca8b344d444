//! Each answer by itself.

use std::collections::{BTreeSet, HashMap};

use super::super::history::{
    Answer, BookingStatus, Call, FoundBooking, History, MapSeat, NotDone, OffendingReason, OffendingSeat, Operation, Refusal,
    SeatStatus, Show, Unknown,
};
use super::bookings::{Booking, Bookings};
use super::{Kind, Violation, at, named};

/// Looks for answers that the contract does not foresee.
pub(super) fn are_foreseen(history: &History, violations: &mut Vec<Violation>) {
    for operation in &history.operations {
        if let Answer::NotDone(NotDone::Unforeseen(what)) | Answer::Unknown(Unknown::Unforeseen(what)) = &operation.answer {
            let says = format!("{} was answered {what}", named(operation));
            violations.push(Violation::new(Kind::Unforeseen, says).by([operation.id]));
        }
    }
}

/// Checks every answer.
pub(super) fn check(history: &History, bookings: &Bookings<'_>, violations: &mut Vec<Violation>) {
    let shows: HashMap<i64, &Show> = history.shows.iter().map(|show| (show.id, show)).collect();
    for operation in &history.operations {
        let fault = match &operation.answer {
            Answer::NotDone(_) | Answer::Unknown(_) => None,
            Answer::Refused(refusal) => {
                let owed = refund_fault(operation, refusal, bookings, &shows);
                owed.or_else(|| refusal_fault(operation, refusal, bookings, &shows))
            }
            _ => success_fault(operation, bookings, &shows),
        };
        if let Some((kind, says)) = fault {
            violations.push(Violation::new(kind, format!("{} {says}", named(operation))).by([operation.id]));
        }
    }
}

type Fault = (Kind, String);

fn does_not_fit(says: impl Into<String>) -> Fault {
    (Kind::DoesNotFit, says.into())
}

fn answers_something_else(operation: &Operation) -> Fault {
    does_not_fit(format!("was answered something else: {:?}", operation.answer))
}

type Shows<'a> = HashMap<i64, &'a Show>;

fn success_fault(operation: &Operation, bookings: &Bookings<'_>, shows: &Shows<'_>) -> Option<Fault> {
    match (&operation.call, &operation.answer) {
        (Call::Hold { .. }, Answer::Held { booking_id, .. }) => deadline_fault(operation, bookings.get(*booking_id)?),
        (Call::Confirm { booking_id, .. }, Answer::Confirmed { booking_id: answered, .. })
        | (Call::Cancel { booking_id, .. }, Answer::Cancelled { booking_id: answered, .. })
        | (Call::Extend { booking_id }, Answer::Extended { booking_id: answered, .. })
        | (Call::Change { booking_id, .. }, Answer::Changed { booking_id: answered, .. })
            if booking_id == answered =>
        {
            None
        }
        (Call::Find { booking_id }, Answer::Found(found)) if *booking_id == found.id => {
            found_fault(operation, found, bookings.get(found.id)?)
        }
        (Call::SeatMap { show_id }, Answer::SeatMap(map)) => map_fault(map, *show_id, shows.get(show_id)?.seats, bookings),
        // Looked at with all other lists, and in the books.
        (Call::List { .. }, Answer::Bookings(_))
        | (Call::Block { .. }, Answer::Blocked { .. })
        | (Call::EditShow { .. }, Answer::ShowEdited)
        | (Call::CancelShow { .. }, Answer::ShowCancelled) => None,
        _ => Some(answers_something_else(operation)),
    }
}

/// What was paid for nothing has to be given back. Where late confirms are taken, one that is refused was paid for, whether or not it says
/// how.
fn refund_fault(operation: &Operation, refusal: &Refusal, bookings: &Bookings<'_>, shows: &Shows<'_>) -> Option<Fault> {
    let (told, ran_out) = match refusal {
        Refusal::HoldExpired { refund_due, .. } => (*refund_due, true),
        Refusal::NotPending { refund_due, .. } => (*refund_due, false),
        _ => return None,
    };
    let due = if let Call::Confirm { booking_id, pays, .. } = operation.call {
        let booking = bookings.get(booking_id)?;
        !booking.is_block && (pays || ran_out && shows.get(&booking.show_id)?.late_confirm)
    } else {
        false
    };
    (told != due).then(|| (Kind::RefundWrong, format!("was refused with refund due {told}, instead of {due}")))
}

fn refusal_fault(operation: &Operation, refusal: &Refusal, bookings: &Bookings<'_>, shows: &Shows<'_>) -> Option<Fault> {
    match (&operation.call, refusal) {
        (Call::Hold { show_id, seats: asked } | Call::Block { show_id, seats: asked }, Refusal::SeatsNotFree(named)) => {
            refused_seats_fault(asked, named, shows.get(show_id)?.seats)
        }
        (Call::Confirm { booking_id, seats: Some(asked), .. }, Refusal::SeatsNotFree(named)) => {
            let numbers: Vec<u32> = named.iter().map(|seat| seat.number).collect();
            let all_not_had = named.iter().all(|seat| seat.reason == OffendingReason::NotHad);
            let right = all_not_had && bookings.get(*booking_id)?.could_lack(asked, &numbers, operation);
            (!right).then(|| does_not_fit(format!("asked for seats {asked:?}, and was refused for {named:?}")))
        }
        (Call::Change { booking_id, add, remove }, Refusal::SeatsNotFree(named)) => {
            let asked: Vec<u32> = add.iter().chain(remove).copied().collect();
            let booking = bookings.get(*booking_id)?;
            let names = |reason| named.iter().filter(move |seat| seat.reason == reason).map(|seat| seat.number);
            if names(OffendingReason::HadAlready).any(|seat| !booking.ever_had(seat)) {
                return Some(does_not_fit("was told that its booking has a seat which it never had"));
            }
            // Who removes a seat that there is not is told that the booking has not got it.
            let wanted: Vec<OffendingSeat> = named.iter().filter(|seat| add.contains(&seat.number)).copied().collect();
            if wanted.is_empty() {
                let not_had = names(OffendingReason::NotHad).count() == named.len() && !named.is_empty();
                return (!not_had).then(|| does_not_fit(format!("asked for seats {asked:?}, and was refused {named:?}")));
            }
            refused_seats_fault(add, &wanted, shows.get(&booking.show_id)?.seats)
        }
        (Call::Extend { booking_id }, Refusal::HoldLimit { expires_at }) => {
            let wrong = !bookings.get(*booking_id)?.could_end_at(*expires_at, operation);
            wrong.then(|| does_not_fit(format!("was told that the hold ends at {}, when it did not", at(*expires_at))))
        }
        // What its customer had is looked at in the books.
        (Call::Hold { .. } | Call::Change { .. }, Refusal::CustomerLimit { .. })
        | (Call::Hold { .. } | Call::Block { .. }, Refusal::ShowCancelled)
        | (Call::Change { .. }, Refusal::SeatCount)
        | (Call::Cancel { by_house: false, .. }, Refusal::SaleIsFinal)
        | (Call::Cancel { .. }, Refusal::NotPending { status: BookingStatus::Failed, .. })
        | (
            Call::Confirm { .. } | Call::Extend { .. } | Call::Change { .. },
            Refusal::NotPending { status: BookingStatus::Confirmed | BookingStatus::Failed, .. },
        ) => None,
        // Whether there was another request under the key is looked at with all repeats.
        (_, Refusal::KeyReused) if operation.key.is_some_and(|key| key != operation.id) => None,
        (
            Call::Confirm { booking_id, .. }
            | Call::Cancel { booking_id, .. }
            | Call::Extend { booking_id }
            | Call::Change { booking_id, .. },
            Refusal::HoldExpired { expired_at, .. },
        ) => {
            let deadline = bookings.get(*booking_id)?.last_deadline();
            let (told, real) = (at(*expired_at), at(deadline.earliest));
            let wrong = deadline.shown() != *expired_at;
            wrong.then(|| does_not_fit(format!("was told that the hold ended at {told}, but its deadline is {real}")))
        }
        (
            Call::Confirm { booking_id, .. }
            | Call::Cancel { booking_id, .. }
            | Call::Extend { booking_id }
            | Call::Change { booking_id, .. }
            | Call::Find { booking_id },
            Refusal::NoSuchBooking,
        ) => {
            let known = bookings.get(*booking_id).is_some_and(|booking| booking.known < operation.began);
            known.then(|| (Kind::Missing, format!("was told that there is no booking {booking_id}, which was known before")))
        }
        (
            Call::Hold { show_id, .. }
            | Call::Block { show_id, .. }
            | Call::EditShow { show_id }
            | Call::CancelShow { show_id }
            | Call::SeatMap { show_id },
            Refusal::NoSuchShow,
        ) => Some((Kind::Missing, format!("was told that there is no show {show_id}"))),
        _ => Some(answers_something_else(operation)),
    }
}

/// The deadline tells when the hold was decided, which must have been during the call.
fn deadline_fault(operation: &Operation, booking: &Booking<'_>) -> Option<Fault> {
    let decided = booking.decided;
    let during = decided.latest >= operation.began && decided.earliest <= operation.ended;
    let says = || {
        let (began, ended, decided) = (at(operation.began), at(operation.ended), at(decided.earliest));
        format!("was given a deadline that belongs to a decision at {decided}, but it lasted from {began} to {ended}")
    };
    // The booking is another's if its identity was given twice, which is reported as such.
    (!during && booking.hold.id == operation.id).then(|| (Kind::DeadlineWrong, says()))
}

fn refused_seats_fault(asked: &[u32], named: &[OffendingSeat], seats: u32) -> Option<Fault> {
    let numbers: BTreeSet<u32> = named.iter().map(|seat| seat.number).collect();
    if named.is_empty() || numbers.len() < named.len() || !numbers.iter().all(|number| asked.contains(number)) {
        return Some(does_not_fit(format!("asked for seats {asked:?}, and was refused for seats {numbers:?}")));
    }
    let unknown: Vec<u32> = named.iter().filter(|s| s.reason == OffendingReason::Unknown).map(|s| s.number).collect();
    let beyond: Vec<u32> = asked.iter().copied().filter(|number| *number > seats).collect();
    (unknown != beyond).then(|| {
        (
            Kind::DoesNotFit,
            format!("was told that the show has no seats {unknown:?}; of those asked for, that is true of {beyond:?}"),
        )
    })
}

fn found_fault(operation: &Operation, found: &FoundBooking, booking: &Booking<'_>) -> Option<Fault> {
    let id = found.id;
    let user_name = booking.user_name();
    if found.user_name != user_name {
        return Some(does_not_fit(format!("was told that booking {id} is {}'s, but it is {user_name}'s", found.user_name)));
    }
    let numbers: Vec<u32> = found.seats.iter().map(|(number, _)| *number).collect();
    if found.show_id != booking.show_id || !booking.could_have(&numbers, operation) {
        let (show, seats) = (booking.show_id, booking.seats);
        return Some(does_not_fit(format!(
            "was told that booking {id} has seats {numbers:?} of show {}; it asked for {seats:?} of {show}",
            found.show_id
        )));
    }
    if !booking.could_end_at(found.expires_at, operation) {
        let (told, real) = (at(found.expires_at), at(booking.last_deadline().earliest));
        return Some(does_not_fit(format!("was told that booking {id} is held until {told}, but that is {real}")));
    }
    let expected = match found.status {
        BookingStatus::Pending => SeatStatus::Pending,
        BookingStatus::Confirmed => SeatStatus::Confirmed,
        // Its seats may be anyone's.
        BookingStatus::Failed => return None,
    };
    let all = found.seats.iter().all(|(_, status)| *status == expected);
    (!all).then(|| {
        (Kind::DoesNotFit, format!("was told that booking {id} is {:?}, and its seats are {:?}", found.status, found.seats))
    })
}

fn map_fault(map: &[MapSeat], show_id: i64, seats: u32, bookings: &Bookings<'_>) -> Option<Fault> {
    if !map.iter().map(|seat| seat.number).eq(1..=seats) {
        return Some(does_not_fit(format!("was shown other seats of show {show_id} than 1 to {seats}, or not in their order")));
    }
    let contradicts_itself = |seat: &MapSeat| (seat.status == SeatStatus::Available) != seat.booking_id.is_none();
    let is_not_its_bookings = |seat: &MapSeat| {
        let booking = seat.booking_id.and_then(|id| bookings.get(id));
        booking.is_some_and(|booking| booking.show_id != show_id || !booking.ever_had(seat.number))
    };
    let seat = map.iter().find(|seat| contradicts_itself(seat) || is_not_its_bookings(seat))?;
    Some(does_not_fit(format!(
        "was shown seat {} of show {show_id} as {:?}, with booking {:?}",
        seat.number, seat.status, seat.booking_id
    )))
}
