//! Shows, seats and bookings as they stand in the rows: as the schedules find them, as the domain would leave them, and as they
//! are in the database afterwards.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::{
    Booking, BookingId, BookingState, Changes, Command, Deadline, DueHold, FailureReason, Ledger, Life, LockedRows, LockedSeat,
    LockedShow, Outcome, Owner, SeatKey, SeatNumber, SeatState, ShowId, Swept, Terms, Timestamp, UserName,
};
use tokio_postgres::{Client, Row};

use crate::operation::{Answer, Ask};

pub(crate) const SHOW: i64 = 1;
/// The seats that nobody has.
pub(crate) const FREE: [i64; 2] = [5, 6];
/// The booking that holds seats 1 and 2 until [`later`].
pub(crate) const LIVE: i64 = 1;
/// The booking that held seats 3 and 4 until [`start`].
pub(crate) const DEAD: i64 = 2;

/// When a schedule begins.
pub(crate) fn start() -> Timestamp {
    Timestamp::from_timestamp_micros(1_765_479_600_123_457).unwrap()
}

/// When the live hold is dead as well.
pub(crate) fn later() -> Timestamp {
    start() + TimeDelta::minutes(1)
}

pub(crate) fn id(booking: i64) -> BookingId {
    BookingId::new(booking).unwrap()
}

#[derive(Clone, Debug)]
pub(crate) struct Books {
    seats: BTreeMap<SeatKey, SeatState>,
    bookings: BTreeMap<BookingId, Booking>,
}

fn seat(number: i64) -> SeatKey {
    SeatKey { show_id: ShowId::new(SHOW).unwrap(), number: SeatNumber::new(number).unwrap() }
}

impl Books {
    pub(crate) fn at_start() -> Self {
        let mut books = Self { seats: (1..=6).map(|n| (seat(n), SeatState::Available)).collect(), bookings: BTreeMap::new() };
        for (id, name, seats, until) in [(id(LIVE), "live", [1, 2], later()), (id(DEAD), "dead", [3, 4], start())] {
            let deadline = Deadline::at(until);
            let made = until - TimeDelta::minutes(2);
            let booking = Booking {
                id,
                show_id: ShowId::new(SHOW).unwrap(),
                user_name: UserName::new(name).unwrap(),
                customer: None,
                blocked_for: None,
                payment: None,
                seats: seats.map(|n| SeatNumber::new(n).unwrap()).to_vec(),
                deadline,
                state: BookingState::Pending,
                created_at: made,
                updated_at: made,
            };
            books.bookings.insert(id, booking);
            books.seats.extend(seats.map(|n| (seat(n), SeatState::Held { by: id, until: deadline })));
        }
        books
    }

    pub(crate) fn seats_of(&self, booking: BookingId) -> BTreeSet<i64> {
        self.bookings[&booking].seats.iter().map(|number| number.get()).collect()
    }

    /// The holds that are dead.
    pub(crate) fn dead_at(&self, now: Timestamp) -> impl Iterator<Item = BookingId> {
        let is_dead =
            move |booking: &&Booking| booking.state == BookingState::Pending && booking.deadline.life(now) == Life::Dead;
        self.bookings.values().filter(is_dead).map(|booking| booking.id)
    }

    /// What the domain decides on a call that has these rows for itself; a sweep passes by some bookings.
    pub(crate) fn perform(&mut self, now: Timestamp, ask: Ask, user: &str, left_out: &BTreeSet<BookingId>) -> Answer {
        match ask {
            Ask::Hold(_) | Ask::Confirm(_) => self.execute(now, &ask.command(user).unwrap()),
            Ask::Sweep => self.sweep(now, left_out),
            Ask::Find(booking) => Answer::Found(self.bookings[&id(booking)].clone().as_of(now).state.status()),
        }
    }

    fn execute(&mut self, now: Timestamp, command: &Command) -> Answer {
        let mut ledger = Ledger::open(self.locked(now, self.bookings.values().cloned().collect()));
        let decision = ledger.apply(&command.clone().into()).unwrap();
        let ids = self.save(&ledger.into_changes());
        Answer::Decided(decision.outcome(&ids).unwrap())
    }

    fn sweep(&mut self, now: Timestamp, left_out: &BTreeSet<BookingId>) -> Answer {
        let due_hold = |id| {
            let Booking { show_id, deadline, ref seats, .. } = self.bookings[&id];
            let locked = seats.iter().map(|&number| (number, self.seats[&SeatKey { show_id, number }])).collect();
            DueHold { id, show_id, deadline, locked, seats: seats.clone() }
        };
        let swept = Swept::of(now, self.dead_at(now).filter(|id| !left_out.contains(id)).map(due_hold).collect());
        self.save(&swept.changes());
        Answer::Swept(swept.expired.iter().map(|hold| hold.id).collect())
    }

    fn locked(&self, now: Timestamp, bookings: Vec<Booking>) -> LockedRows {
        let seats = self.seats.iter().map(|(&key, &state)| LockedSeat { key, state }).collect();
        let show = LockedShow { id: ShowId::new(SHOW).unwrap(), terms: Terms::default(), cancelled: false, revision: 0 };
        LockedRows { now, shows: vec![show], seats, bookings, holdings: Vec::new(), payments: Vec::new(), used_keys: Vec::new() }
    }

    fn save(&mut self, changes: &Changes) -> Vec<BookingId> {
        let mut ids = Vec::new();
        for new in &changes.new_bookings {
            let id = id(self.bookings.keys().last().unwrap().get() + 1);
            let booking = Booking {
                id,
                show_id: new.show_id,
                user_name: new.user_name.clone(),
                customer: None,
                blocked_for: None,
                payment: None,
                seats: new.seats.clone(),
                deadline: new.deadline,
                state: BookingState::Pending,
                created_at: changes.now,
                updated_at: changes.now,
            };
            self.bookings.insert(id, booking);
            ids.push(id);
        }
        for change in &changes.bookings {
            let booking = self.bookings.get_mut(&change.id).unwrap();
            (booking.state, booking.updated_at) = (change.state, changes.now);
        }
        let owner = |owner| match owner {
            Owner::Stored(id) => id,
            Owner::New(index) => ids[index],
        };
        for change in &changes.seats {
            let state = with_owner(change.state, owner);
            self.seats.insert(change.key, state);
        }
        ids
    }

    /// All of it in words, with customers' names for the ids of their bookings: ids are the store's to give.
    pub(crate) fn lines(&self) -> Vec<String> {
        let name = |id| self.bookings.get(&id).map_or_else(|| format!("nobody ({id})"), |booking| booking.user_name.to_string());
        let seats = self.seats.iter().map(|(key, state)| format!("seat {}: {:?}", key.number, with_owner(*state, name)));
        let bookings = self.bookings.values().map(|booking| {
            let Booking { id: _, show_id, user_name, seats, deadline, state, created_at, updated_at, .. } = booking;
            let times = (deadline.instant(), created_at, updated_at);
            format!("booking of {user_name}: {seats:?} of show {show_id} {state:?} {times:?}")
        });
        let mut lines: Vec<String> = seats.chain(bookings).collect();
        lines.sort_unstable();
        lines
    }

    /// An answer in words, likewise.
    pub(crate) fn line(&self, answer: &Answer) -> String {
        match answer {
            Answer::Decided(Outcome::Held { booking_id, deadline }) => {
                let owner = self.bookings.get(booking_id).map(|booking| booking.user_name.as_str());
                format!("held by {owner:?} until {:?}", deadline.instant())
            }
            Answer::Decided(_) | Answer::Swept(_) | Answer::Found(_) => format!("{answer:?}"),
        }
    }

    /// Makes the database what it is at the start.
    pub(crate) async fn write_start(client: &Client) {
        let mut sql = "DELETE FROM seats; DELETE FROM bookings; TRUNCATE booking_history; SELECT setval('bookings_id_seq', 2);
                       INSERT INTO seats (show_id, seat_number) SELECT 1, generate_series(1, 6);"
            .to_owned();
        for booking in Self::at_start().bookings.values() {
            let seats: Vec<String> = booking.seats.iter().map(ToString::to_string).collect();
            let (id, name, seats) = (booking.id, &booking.user_name, seats.join(","));
            let (made, until) = (booking.created_at, booking.deadline.instant());
            let insert = format!(
                "INSERT INTO bookings (id, show_id, user_name, seat_numbers, status, created_at, updated_at, expires_at, last_change)
                 VALUES ({id}, {SHOW}, '{name}', '{{{seats}}}', 'PENDING', '{made}', '{made}', '{until}', {id});
                 INSERT INTO booking_history (show_id, number, booking_id, happened_at, event, actor, seat_numbers)
                 VALUES ({SHOW}, {id}, {id}, '{made}', 'held', 'customer', '{{{seats}}}');
                 UPDATE seats SET status = 'PENDING', booking_id = {id}, held_until = '{until}' WHERE seat_number IN ({seats});"
            );
            sql.push_str(&insert);
        }
        client.batch_execute(&sql).await.unwrap();
    }

    /// What is in the database, without the adapter that has written it.
    pub(crate) async fn read(client: &Client) -> Self {
        let seats = client.query("SELECT seat_number, status, booking_id, held_until FROM seats", &[]).await.unwrap();
        let bookings = "SELECT id, show_id, user_name, seat_numbers, status, refund_due, confirmed_at, expires_at, created_at, updated_at FROM bookings";
        let bookings =
            client.query(bookings, &[]).await.unwrap().iter().map(booking).map(|booking| (booking.id, booking)).collect();
        Self { seats: seats.iter().map(|row| (seat(row.get::<_, i32>(0).into()), seat_state(row))).collect(), bookings }
    }
}

fn with_owner<A, B>(state: SeatState<A>, owner: impl Fn(A) -> B) -> SeatState<B> {
    match state {
        SeatState::Available => SeatState::Available,
        SeatState::Held { by, until } => SeatState::Held { by: owner(by), until },
        SeatState::Sold { to } => SeatState::Sold { to: owner(to) },
    }
}

fn seat_state(row: &Row) -> SeatState {
    let booking = || id(row.get("booking_id"));
    match row.get("status") {
        "AVAILABLE" => SeatState::Available,
        "PENDING" => SeatState::Held { by: booking(), until: Deadline::at(row.get("held_until")) },
        "CONFIRMED" => SeatState::Sold { to: booking() },
        other => panic!("{other}"),
    }
}

fn booking(row: &Row) -> Booking {
    let numbers: Vec<i32> = row.get("seat_numbers");
    Booking {
        id: id(row.get("id")),
        show_id: ShowId::new(row.get("show_id")).unwrap(),
        user_name: UserName::new(row.get("user_name")).unwrap(),
        customer: None,
        blocked_for: None,
        payment: None,
        seats: numbers.into_iter().map(|number| SeatNumber::new(number.into()).unwrap()).collect(),
        deadline: Deadline::at(row.get("expires_at")),
        state: match row.get("status") {
            "PENDING" => BookingState::Pending,
            "CONFIRMED" => BookingState::Confirmed { at: row.get("confirmed_at"), reclaimed: false },
            "FAILED" => BookingState::Failed { reason: FailureReason::Expired, refund_due: row.get("refund_due") },
            other => panic!("{other}"),
        },
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
    }
}
