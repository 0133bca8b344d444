//! The ledger: a batch is decided as if its commands ran one by one, and whatever it decides, the books are in order.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has to fail")]

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::{
    Block, BlockReason, Booking, BookingId, BookingState, BookingStatus, Change, Changes, Command, Confirm, CustomerId, Deadline,
    Extend, Hold, Holding, Keys, Ledger, LedgerError, Life, LockedRows, LockedSeat, LockedShow, Outcome, Owner, Payment,
    PaymentReference, Refusal, Request, SeatExchange, SeatKey, SeatNumber, SeatRefusalReason, SeatSelection, SeatState, ShowId,
    Terms, Timestamp, UserName,
};
use proptest::prelude::*;

const SEATS: i64 = 6;

/// Tables as a store has them, without a store.
#[derive(Clone, Debug, PartialEq)]
struct Tables {
    now: Timestamp,
    seats: BTreeMap<SeatKey, SeatState>,
    bookings: BTreeMap<BookingId, Booking>,
    payments: Vec<Payment>,
    show: LockedShow,
}

fn show() -> ShowId {
    ShowId::new(1).unwrap()
}

fn seat(number: i64) -> SeatKey {
    SeatKey { show_id: show(), number: SeatNumber::new(number).unwrap() }
}

impl Tables {
    fn new() -> Self {
        let seats = (1..=SEATS).map(|number| (seat(number), SeatState::Available)).collect();
        let show = LockedShow { id: show(), terms: Terms::default(), cancelled: false, revision: 0 };
        Self { now: Timestamp::UNIX_EPOCH, seats, bookings: BTreeMap::new(), payments: Vec::new(), show }
    }

    /// What the ports ask a store to lock for these commands.
    fn lock(&self, commands: &[Command]) -> LockedRows {
        let keys = Keys::of(&commands.iter().cloned().map(Request::from).collect::<Vec<_>>());
        let mut bookings: BTreeSet<BookingId> = keys.bookings.iter().copied().collect();
        let had = keys.bookings.iter().filter_map(|id| self.bookings.get(id));
        let had = had.filter(|booking| booking.state.status() == BookingStatus::Failed).flat_map(|booking| &booking.seats);
        let added = keys.additions.iter().map(|(_, number)| number);
        let wanted: Vec<SeatKey> = keys.seats.iter().copied().chain(added.chain(had).map(|number| seat(number.get()))).collect();
        for key in &wanted {
            if let Some(SeatState::Held { by, until }) = self.seats.get(key)
                && until.life(self.now) == Life::Dead
            {
                bookings.insert(*by);
            }
        }
        let bookings: Vec<Booking> = bookings.iter().filter_map(|id| self.bookings.get(id)).cloned().collect();
        let theirs = bookings.iter().flat_map(|booking| booking.seats.iter().map(|number| seat(number.get())));
        let seats: BTreeSet<SeatKey> = wanted.into_iter().chain(theirs).collect();
        let seats = seats.into_iter().filter_map(|key| self.seats.get(&key).map(|&state| LockedSeat { key, state }));
        LockedRows {
            now: self.now,
            shows: vec![self.show],
            seats: seats.collect(),
            bookings,
            holdings: self.holdings(),
            payments: self.payments.clone(),
            used_keys: Vec::new(),
        }
    }

    /// What customers have: every booking that is not FAILED.
    fn holdings(&self) -> Vec<Holding> {
        let live = self.bookings.values().filter(|booking| booking.state.status() != BookingStatus::Failed);
        let holding = |booking: &Booking| {
            Some(Holding {
                booking_id: booking.id,
                show_id: booking.show_id,
                customer: booking.customer.clone()?,
                seats: booking.seats.len(),
                held_until: (booking.state == BookingState::Pending).then_some(booking.deadline),
            })
        };
        live.filter_map(holding).collect()
    }

    fn save(&mut self, changes: &Changes) -> Vec<BookingId> {
        let mut ids = Vec::new();
        for new in &changes.new_bookings {
            let id = BookingId::new(i64::try_from(self.bookings.len()).unwrap() + 1).unwrap();
            let booking = Booking {
                id,
                show_id: new.show_id,
                user_name: new.user_name.clone(),
                customer: new.customer.clone(),
                blocked_for: new.blocked_for.clone(),
                payment: None,
                seats: new.seats.clone(),
                deadline: new.deadline,
                state: match new.blocked_for {
                    None => BookingState::Pending,
                    Some(_) => BookingState::Confirmed { at: changes.now, reclaimed: false },
                },
                created_at: changes.now,
                updated_at: changes.now,
            };
            self.bookings.insert(id, booking);
            ids.push(id);
        }
        for change in &changes.bookings {
            let booking = self.bookings.get_mut(&change.id).unwrap();
            (booking.state, booking.deadline) = (change.state, change.deadline);
            booking.seats.clone_from(&change.seats);
            booking.payment.clone_from(&change.payment);
        }
        self.payments.extend(changes.payments.iter().cloned());
        let id = |owner| match owner {
            Owner::Stored(id) => id,
            Owner::New(index) => ids[index],
        };
        for change in &changes.seats {
            let state = match change.state {
                SeatState::Available => SeatState::Available,
                SeatState::Held { by, until } => SeatState::Held { by: id(by), until },
                SeatState::Sold { to } => SeatState::Sold { to: id(to) },
            };
            self.seats.insert(change.key, state);
        }
        ids
    }

    fn execute(&mut self, commands: &[Command]) -> Vec<Outcome> {
        let mut ledger = Ledger::open(self.lock(commands));
        let decisions: Vec<_> = commands.iter().map(|command| ledger.apply(&command.clone().into()).unwrap()).collect();
        let ids = self.save(&ledger.into_changes());
        decisions.into_iter().map(|decision| decision.outcome(&ids).unwrap()).collect()
    }

    /// Seats and bookings agree: whoever is live owns exactly what it lists, and nobody else owns anything.
    fn check(&self) {
        for (key, state) in &self.seats {
            let Some(id) = state.booking_id() else { continue };
            let booking = &self.bookings[&id];
            assert!(booking.seats.contains(&key.number), "{key:?} is not listed by {booking:?}");
            let agrees = match (state, booking.state) {
                (SeatState::Held { until, .. }, BookingState::Pending) => *until == booking.deadline,
                (SeatState::Sold { .. }, BookingState::Confirmed { at, reclaimed }) => {
                    reclaimed == (at >= booking.deadline.instant())
                }
                _ => false,
            };
            assert!(agrees, "{state:?} {booking:?}");
        }
        for booking in self.bookings.values().filter(|booking| !matches!(booking.state, BookingState::Failed { .. })) {
            for number in &booking.seats {
                assert_eq!(self.seats[&seat(number.get())].booking_id(), Some(booking.id), "{booking:?}");
            }
        }
        self.check_money();
        self.check_limits();
    }

    /// Each payment is known once, and has either bought what its booking is, or has to be given back.
    fn check_money(&self) {
        let references: BTreeSet<_> = self.payments.iter().map(|payment| &payment.reference).collect();
        assert_eq!(references.len(), self.payments.len(), "{:?}", self.payments);
        for payment in &self.payments {
            let booking = &self.bookings[&payment.booking_id];
            let is_sold = matches!(booking.state, BookingState::Confirmed { .. });
            let bought = !payment.in_vain && booking.payment.as_ref() == Some(&payment.reference);
            assert!(if is_sold { bought || payment.in_vain } else { booking.state.refund_due() }, "{payment:?} {booking:?}");
        }
        for booking in self.bookings.values().filter(|booking| booking.blocked_for.is_some()) {
            assert!(booking.payment.is_none() && !booking.state.refund_due(), "{booking:?}");
        }
    }

    /// No customer has more than the show allows.
    fn check_limits(&self) {
        let Terms { seats_per_customer, holds_per_customer, seats_per_booking, .. } = self.show.terms;
        let mut had: BTreeMap<CustomerId, (usize, usize)> = BTreeMap::new();
        for holding in self.holdings().into_iter().filter(|h| h.held_until.is_none_or(|until| until.life(self.now) == Life::Live))
        {
            let (seats, holds) = had.entry(holding.customer).or_default();
            *seats += holding.seats;
            *holds += usize::from(holding.held_until.is_some());
        }
        for (customer, (seats, holds)) in had {
            assert!(seats_per_customer.is_none_or(|max| seats <= max as usize), "{customer} has {seats} seats");
            assert!(holds_per_customer.is_none_or(|max| holds <= max as usize), "{customer} has {holds} holds");
        }
        for booking in self.bookings.values().filter(|booking| booking.blocked_for.is_none()) {
            assert!(seats_per_booking.is_none_or(|max| booking.seats.len() <= max as usize), "{booking:?}");
        }
    }
}

fn hold(numbers: &[i64], seconds: i64) -> Command {
    hold_of(None, numbers, seconds)
}

fn hold_of(customer: Option<&str>, numbers: &[i64], seconds: i64) -> Command {
    let seats = SeatSelection::new(numbers, 50).unwrap();
    let user_name = UserName::new("Ada").unwrap();
    Command::Hold(Hold {
        show_id: show(),
        seats,
        user_name,
        customer: customer.map(|id| CustomerId::new(id).unwrap()),
        hold_for: TimeDelta::seconds(seconds),
    })
}

fn booking(id: i64) -> BookingId {
    BookingId::new(id).unwrap()
}

/// What can happen: a batch, or some seconds pass.
#[derive(Clone, Debug)]
enum Event {
    CancelShow,
    Batch(Vec<Command>),
    Wait(i64),
}

fn command() -> impl Strategy<Value = Command> {
    // One seat beyond the house.
    let seats = || proptest::collection::btree_set(1..=SEATS + 1, 1..4).prop_map(|seats| seats.into_iter().collect::<Vec<_>>());
    let customer = proptest::option::weighted(0.9, proptest::sample::select(vec!["ada", "bob"]));
    let payment = proptest::option::of((1..=6_i64).prop_map(|n| PaymentReference::new(&format!("payment-{n}")).unwrap()));
    let some = proptest::option::weighted(0.2, seats().prop_map(|seats| SeatSelection::new(&seats, 9).unwrap()));
    prop_oneof![
        4 => (customer, seats(), 1..4_i64).prop_map(|(customer, seats, seconds)| hold_of(customer, &seats, seconds)),
        4 => (1..=12_i64, some, payment).prop_map(|(id, seats, payment)| {
            Command::Confirm(Confirm { booking_id: booking(id), seats, payment })
        }),
        1 => seats().prop_map(|seats| Command::Block(Block {
            show_id: show(),
            seats: SeatSelection::new(&seats, 9).unwrap(),
            reason: BlockReason::new("wheelchairs").unwrap(),
        })),
        2 => (1..=12_i64).prop_map(|id| Command::Expire { booking_id: booking(id) }),
        1 => (1..=12_i64).prop_map(|id| Command::Cancel { booking_id: booking(id) }),
        1 => (1..=12_i64, 1..4_i64).prop_map(|(id, seconds)| {
            let (hold_for, hold_limit) = (TimeDelta::seconds(seconds), TimeDelta::seconds(5));
            Command::Extend(Extend { booking_id: booking(id), hold_for, hold_limit })
        }),
        2 => (1..=12_i64, proptest::sample::subsequence((1..=SEATS).collect::<Vec<_>>(), 1..4), 0..4_usize).prop_map(
            |(id, seats, added)| {
                let (add, remove) = seats.split_at(added.min(seats.len()));
                Command::Change(Change { booking_id: booking(id), seats: SeatExchange::new(add, remove, 9).unwrap(), seats_max: 4 })
            }
        ),
    ]
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let batch = proptest::collection::vec(command(), 1..8).prop_map(Event::Batch);
    let event = prop_oneof![30 => batch, 10 => (1..4_i64).prop_map(Event::Wait), 1 => Just(Event::CancelShow)];
    proptest::collection::vec(event, 1..12)
}

fn terms() -> impl Strategy<Value = Terms> {
    let limit = |max: u32| proptest::option::of(1..=max);
    let instant =
        || proptest::option::weighted(0.2, (0..6_i64).prop_map(|second| Timestamp::UNIX_EPOCH + TimeDelta::seconds(second)));
    (any::<[bool; 2]>(), limit(3), limit(5), limit(3), instant(), instant()).prop_map(
        |([late_confirm, customers_may_cancel], per_booking, per_customer, holds_per_customer, on_sale_at, off_sale_at)| Terms {
            late_confirm,
            customers_may_cancel,
            seats_per_booking: per_booking,
            seats_per_customer: per_customer,
            holds_per_customer,
            on_sale_at,
            off_sale_at,
            ..Terms::default()
        },
    )
}

/// Without the commands that name a booking which this very batch makes: nobody has heard of it yet.
fn nameable(commands: Vec<Command>, known: usize) -> Vec<Command> {
    let is_known = |command: &Command| match command {
        Command::Hold(_) | Command::Block(_) => true,
        other => other.booking_id().is_some_and(|id| usize::try_from(id.get()).unwrap() <= known),
    };
    commands.into_iter().filter(is_known).collect()
}

proptest! {
    #[test]
    fn a_batch_is_decided_as_if_its_commands_ran_one_by_one(terms in terms(), events in events()) {
        let (mut together, mut alone) = (Tables::new(), Tables::new());
        (together.show.terms, alone.show.terms) = (terms, terms);
        for event in events {
            match event {
                Event::CancelShow => (together.show.cancelled, alone.show.cancelled) = (true, true),
                Event::Wait(seconds) => {
                    together.now += TimeDelta::seconds(seconds);
                    alone.now = together.now;
                }
                Event::Batch(commands) => {
                    let commands = nameable(commands, together.bookings.len());
                    let expected: Vec<Outcome> =
                        commands.iter().flat_map(|command| alone.execute(std::slice::from_ref(command))).collect();
                    prop_assert_eq!(together.execute(&commands), expected);
                }
            }
            prop_assert_eq!(&together, &alone);
            together.check();
        }
    }
}

#[test]
fn a_refusal_names_every_seat_and_saves_nothing() {
    let mut tables = Tables::new();
    tables.execute(&[hold(&[1], 60), hold(&[2], 120)]);
    tables.execute(&[Command::Confirm(domain::Confirm::of(booking(1)))]);
    let before = tables.clone();
    let outcomes = tables.execute(&[hold(&[7, 3, 2, 1], 60)]);
    let [Outcome::Refused(Refusal::SeatsNotFree { seats })] = &outcomes[..] else { panic!("{outcomes:?}") };
    let free_at = Deadline::after(Timestamp::UNIX_EPOCH, TimeDelta::seconds(120));
    let reasons: Vec<_> = seats.iter().map(|seat| (seat.number.get(), seat.reason)).collect();
    assert_eq!(
        reasons,
        [(1, SeatRefusalReason::Sold), (2, SeatRefusalReason::Held { free_at }), (7, SeatRefusalReason::Unknown)]
    );
    assert_eq!(tables, before);
}

#[test]
fn a_dead_hold_gives_way_as_a_whole_even_within_one_batch() {
    let mut tables = Tables::new();
    tables.execute(&[hold(&[1, 2, 3], 1)]);
    tables.now += TimeDelta::seconds(1);
    let outcomes = tables.execute(&[hold(&[2], 60), hold(&[3, 4], 60), Command::Confirm(domain::Confirm::of(booking(1)))]);
    assert!(matches!(outcomes[..2], [Outcome::Held { .. }, Outcome::Held { .. }]), "{outcomes:?}");
    assert!(matches!(outcomes[2], Outcome::Refused(Refusal::HoldExpired { .. })), "{outcomes:?}");
    assert_eq!(tables.seats[&seat(1)], SeatState::Available);
    tables.check();
}

#[test]
fn it_decides_nothing_on_rows_that_are_missing_or_contradict_each_other() {
    let mut tables = Tables::new();
    tables.execute(&[hold(&[1, 2], 1)]);
    tables.now += TimeDelta::seconds(1);
    let rival = [hold(&[1], 60)];
    let whole = tables.lock(&rival);

    let without_the_booking = LockedRows { bookings: Vec::new(), ..whole.clone() };
    assert_eq!(Ledger::open(without_the_booking).apply(&rival[0].clone().into()), Err(LedgerError::RowsMissing));

    let mut without_its_other_seat = whole.clone();
    without_its_other_seat.seats.retain(|locked| locked.key == seat(1));
    assert_eq!(Ledger::open(without_its_other_seat).apply(&rival[0].clone().into()), Err(LedgerError::RowsMissing));

    let mut contradicting = whole.clone();
    contradicting.seats.iter_mut().find(|locked| locked.key == seat(2)).unwrap().state = SeatState::Available;
    let corrupt = Err(LedgerError::Corrupt { key: seat(2), booking_id: booking(1) });
    assert_eq!(Ledger::open(contradicting).apply(&rival[0].clone().into()), corrupt);

    let mut ended = whole;
    ended.bookings[0].state = BookingState::Failed { reason: domain::FailureReason::Expired, refund_due: false };
    let corrupt = Err(LedgerError::Corrupt { key: seat(1), booking_id: booking(1) });
    assert_eq!(Ledger::open(ended).apply(&rival[0].clone().into()), corrupt);
}

/// The payment comes after a confirm that named none: it is to be given back, and stays so however often it is named.
#[test]
fn a_payment_for_what_was_sold_without_one_is_in_vain_for_good() {
    let mut tables = Tables::new();
    tables.execute(&[hold(&[1], 60)]);
    tables.execute(&[Command::Confirm(Confirm::of(booking(1)))]);
    let pay = Confirm { payment: PaymentReference::new("p").ok(), ..Confirm::of(booking(1)) };
    for _ in 0..2 {
        let outcomes = tables.execute(&[Command::Confirm(pay.clone()), Command::Confirm(pay.clone())]);
        let is_owed = |outcome: &Outcome| matches!(outcome, Outcome::Refused(Refusal::RefundDue { .. }));
        assert!(outcomes.iter().all(is_owed), "{outcomes:?}");
    }
    assert!(tables.payments.len() == 1 && tables.payments[0].in_vain, "{:?}", tables.payments);
}
