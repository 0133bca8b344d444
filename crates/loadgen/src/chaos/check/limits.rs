//! What customers had of the shows that limit them, at every instant.

use std::collections::HashMap;

use super::super::books::{BookingRow, Books, StepKind};
use super::super::history::{Answer, Call, History, Limits, Micros, Operation, Refusal};
use super::{Kind, Violation, at, named};

/// Checks every customer of every show that limits them, and every refusal for that.
pub(super) fn check(history: &History, books: &Books, violations: &mut Vec<Violation>) {
    let limits: HashMap<i64, Limits> = history.shows.iter().filter_map(|show| Some((show.id, show.limits?))).collect();
    let mut customers: HashMap<(i64, String), Having> = HashMap::new();
    for row in books.bookings.iter().filter(|row| limits.contains_key(&row.show_id)) {
        if let Some(customer) = &row.customer {
            customers.entry((row.show_id, customer.clone())).or_default().add(row);
        }
    }
    for ((show_id, customer), having) in &mut customers {
        having.sum_up();
        if let Some(limits) = limits.get(show_id).copied() {
            violations.extend(having.too_much(limits).map(|says| {
                Violation::new(Kind::LimitWrong, format!("{customer} had {says} of show {show_id}, which allows for {limits:?}"))
            }));
        }
    }
    let rows: HashMap<i64, &BookingRow> = books.bookings.iter().map(|row| (row.id, row)).collect();
    let nothing = Having::default();
    for operation in &history.operations {
        let Answer::Refused(Refusal::CustomerLimit { max, has }) = operation.answer else { continue };
        let Some(Wish { show_id, customer, more, holds }) = wish(operation, &rows) else { continue };
        let having = customers.get(&(show_id, customer)).unwrap_or(&nothing);
        let allowed = limits.get(&show_id);
        let explains = |state: &State| match has {
            Some(has) => state.seats == has && has + more > max,
            None => state.holds + holds > max,
        };
        let limit = allowed.map(|limits| if has.is_some() { limits.seats } else { limits.holds });
        if limit != Some(max) || !having.during(operation).any(explains) {
            let states: Vec<&State> = having.during(operation).collect();
            let says = format!("{} was answered {:?}, but had {states:?} of {allowed:?}", named(operation), operation.answer);
            violations.push(Violation::new(Kind::LimitWrong, says).by([operation.id]));
        }
    }
}

/// How many seats and holds more a call wants, for whom.
struct Wish {
    show_id: i64,
    customer: String,
    more: u32,
    holds: u32,
}

/// A hold is for who calls, a change for who has the booking, whoever calls.
fn wish(operation: &Operation, rows: &HashMap<i64, &BookingRow>) -> Option<Wish> {
    let count = |seats: usize| u32::try_from(seats).unwrap_or(u32::MAX);
    match &operation.call {
        Call::Hold { show_id, seats } => {
            let customer = Operation::customer_id(operation.customer);
            Some(Wish { show_id: *show_id, customer, more: count(seats.len()), holds: 1 })
        }
        Call::Change { booking_id, add, remove } => {
            let row = rows.get(booking_id)?;
            let more = count(add.len().saturating_sub(remove.len()));
            Some(Wish { show_id: row.show_id, customer: row.customer.clone()?, more, holds: 0 })
        }
        _ => None,
    }
}

/// What a customer had of a show from an instant on.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    from: Micros,
    seats: u32,
    holds: u32,
}

/// What a customer had of a show.
#[derive(Default)]
struct Having {
    /// When there were more seats or holds, or fewer; with the number that orders what happened at one instant.
    changes: Vec<(Micros, i64, i64, i64)>,
    states: Vec<State>,
}

impl Having {
    fn add(&mut self, row: &BookingRow) {
        let (mut seats, mut holds) = (0_i64, 0_i64);
        let mut has = |at, number, now_seats, now_holds| {
            self.changes.push((at, number, now_seats - seats, now_holds - holds));
            (seats, holds) = (now_seats, now_holds);
        };
        let mut is_held = false;
        for step in &row.steps {
            if is_held && step.at >= row.expires_at {
                // Before whatever happens at the deadline.
                has(row.expires_at, 0, 0, 0);
            }
            let listed = i64::try_from(step.seats.len()).unwrap_or(i64::MAX);
            match step.event {
                StepKind::Held | StepKind::Extended | StepKind::Changed => has(step.at, step.number, listed, 1),
                StepKind::Blocked | StepKind::Confirmed | StepKind::Reclaimed => has(step.at, step.number, listed, 0),
                StepKind::Expired | StepKind::Cancelled | StepKind::ShowCancelled => has(step.at, step.number, 0, 0),
                StepKind::RefundDue => continue,
            }
            is_held = matches!(step.event, StepKind::Held | StepKind::Extended | StepKind::Changed);
        }
        if is_held {
            has(row.expires_at, 0, 0, 0);
        }
    }

    fn sum_up(&mut self) {
        self.changes.sort_unstable();
        let (mut seats, mut holds) = (0, 0);
        self.states = std::iter::once(State { from: Micros::MIN, ..State::default() })
            .chain(self.changes.iter().map(|(from, _, more_seats, more_holds)| {
                (seats, holds) = (seats + more_seats, holds + more_holds);
                let count = |count: i64| u32::try_from(count).unwrap_or(0);
                State { from: *from, seats: count(seats), holds: count(holds) }
            }))
            .collect();
    }

    fn too_much(&self, limits: Limits) -> Option<String> {
        let state = self.states.iter().find(|state| state.seats > limits.seats || state.holds > limits.holds)?;
        Some(format!("{} seats by {} holds and more at {}", state.seats, state.holds, at(state.from)))
    }

    /// Everything that was so while this call lasted.
    fn during(&self, call: &Operation) -> impl Iterator<Item = &State> {
        let first = self.states.partition_point(|state| state.from < call.began).saturating_sub(1);
        self.states[first.min(self.states.len())..].iter().take_while(|state| state.from <= call.ended)
    }
}
