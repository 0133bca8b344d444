//! A hold is about to die. At its deadline meet: the confirm of whoever has paid for it, the sweep, and a rival who wants the same
//! seat; each through an instance of its own. Whatever comes of it, one of them has the seat, or nobody, and what is owed to
//! whom has been put down once.
//!
//! A round follows a script: in which order they begin, and who waits until the one before has ended. The others are at it at the same
//! time, and PostgreSQL's locks decide. `RACE_ROUNDS=10000` plays more rounds.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has to fail")]

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    BookingId, BookingRepository, Command, Confirm, Hold, ManualTime, NewShow, Outcome, PaymentReference, Refusal, SeatSelection,
    ShowId, ShowRepository, StoreError, Terms, TimeSource, Timestamp, UserName,
};
use postgres_adapter::{Foresee, PgSettings, PgStore, migrate};
use throwaway_postgres::Cluster;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls, Row};

/// Enough for each script: 24 orders, who waits for whom in 8 ways, two shows.
const ROUNDS: usize = 384;
const HOLD_FOR: TimeDelta = TimeDelta::seconds(10);
/// The rival's does not die in a round.
const RIVAL_HOLDS_FOR: TimeDelta = TimeDelta::hours(1);

/// What happens at the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// The deadline comes.
    Tick,
    Confirm,
    Sweep,
    Rival,
}

/// What came of a part.
enum Done {
    Nothing,
    Confirmed(Outcome),
    /// The rival's booking, if it has got the seat.
    Rivalled(Option<BookingId>),
}

/// Who had the seat in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Winner {
    ConfirmInTime,
    Reclaim,
    /// And what the other one has paid is owed.
    Rival,
    Nobody,
}

/// A round that has been played.
#[derive(Debug)]
struct Round {
    show_id: ShowId,
    seat: i64,
    takes_late: bool,
    booking_id: BookingId,
    confirm: Outcome,
    rival: Option<BookingId>,
}

/// A database, and three programs on it.
struct Stage {
    clock: Arc<ManualTime>,
    customer: Arc<dyn BookingRepository>,
    rival: Arc<dyn BookingRepository>,
    worker: Arc<dyn BookingRepository>,
    /// One that takes no late confirms, and one that does.
    shows: [ShowId; 2],
    watcher: Client,
}

impl Stage {
    async fn set_up(foresee: Foresee, rounds: usize) -> Self {
        let url = tokio::task::spawn_blocking(|| Cluster::shared().fresh_database()).await.unwrap();
        let settings = PgSettings { foresee, ..PgSettings::new(&url) };
        migrate(&settings).await.unwrap();
        let clock = Arc::new(ManualTime::starting_at(Timestamp::UNIX_EPOCH));
        let open = || PgStore::new(&settings, TimeSource::Manual(Arc::clone(&clock))).unwrap();
        let create = async |late_confirm| {
            let seats = rounds.try_into().unwrap();
            let new = NewShow::new("Hamlet", Timestamp::UNIX_EPOCH, seats).unwrap();
            let new = new.on(Terms { late_confirm, ..Terms::default() }).unwrap();
            match open().shows().create(&new, None).await.unwrap() {
                domain::Creation::Created(show) => show.id,
                other => panic!("{other:?}"),
            }
        };
        let shows = [create(false).await, create(true).await];
        let (watcher, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let [customer, rival, worker] = [open(), open(), open()].map(|store| store.bookings());
        Self { clock, customer, rival, worker, shows, watcher }
    }

    async fn play(&self, number: usize) -> Round {
        let (takes_late, script) = (number % 2 == 1, number / 2);
        let (show_id, seat) = (self.shows[usize::from(takes_late)], i64::try_from(number).unwrap() + 1);
        let booking_id = match decide(&*self.customer, hold(show_id, seat, HOLD_FOR)).await {
            Outcome::Held { booking_id, .. } => booking_id,
            other => panic!("{other:?}"),
        };
        // The last moment of its life.
        self.clock.advance(HOLD_FOR - TimeDelta::microseconds(1));
        let (mut confirm, mut rival) = (None, None);
        for group in groups(script) {
            let mut parts = JoinSet::new();
            for part in group {
                parts.spawn(self.part(part, booking_id, (show_id, seat)));
            }
            for done in parts.join_all().await {
                match done {
                    Done::Nothing => {}
                    Done::Confirmed(outcome) => confirm = Some(outcome),
                    Done::Rivalled(booking_id) => rival = booking_id,
                }
            }
        }
        let confirm = confirm.unwrap();
        // Who asks again, here or there, is told the same, and changes nothing.
        for bookings in [&self.customer, &self.rival] {
            assert_eq!(decide(&**bookings, pay(booking_id)).await, confirm, "round {number}");
        }
        Round { show_id, seat, takes_late, booking_id, confirm, rival }
    }

    fn part(&self, part: Part, booking_id: BookingId, (show_id, seat): (ShowId, i64)) -> impl Future<Output = Done> + use<> {
        let clock = Arc::clone(&self.clock);
        let bookings = Arc::clone(match part {
            Part::Tick | Part::Confirm => &self.customer,
            Part::Sweep => &self.worker,
            Part::Rival => &self.rival,
        });
        async move {
            match part {
                Part::Tick => {
                    clock.advance(TimeDelta::microseconds(1));
                    Done::Nothing
                }
                Part::Confirm => Done::Confirmed(decide(&*bookings, pay(booking_id)).await),
                Part::Sweep => {
                    while happened(bookings.expire_due(NonZeroU32::new(10).unwrap()).await).is_none() {}
                    Done::Nothing
                }
                Part::Rival => match decide(&*bookings, hold(show_id, seat, RIVAL_HOLDS_FOR)).await {
                    Outcome::Held { booking_id, .. } => {
                        assert_eq!(decide(&*bookings, pay(booking_id)).await, Outcome::Confirmed { booking_id });
                        Done::Rivalled(Some(booking_id))
                    }
                    Outcome::Refused(Refusal::SeatsNotFree { .. }) => Done::Rivalled(None),
                    other => panic!("{other:?}"),
                },
            }
        }
    }

    /// A booking as its rows say, with its payments and its history in words.
    async fn rows(&self) -> BTreeMap<i64, String> {
        let rows = self.watcher.query(
            "SELECT b.id, concat_ws(' ', b.status, b.failure_reason, CASE WHEN b.refund_due THEN 'refund' END,
                        CASE WHEN b.reclaimed THEN 'reclaimed' END, 'names', b.payment_reference,
                        (SELECT string_agg(concat('paid ', p.reference, CASE WHEN p.in_vain THEN ' in vain' END), ' ')
                         FROM payments p WHERE p.booking_id = b.id),
                        (SELECT string_agg(h.event, ', ' ORDER BY h.number) FROM booking_history h WHERE h.booking_id = b.id))
             FROM bookings b",
            &[],
        );
        rows.await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// Whose each seat is, of those that are somebody's.
    async fn owners(&self) -> BTreeMap<(i64, i64), i64> {
        let rows = self
            .watcher
            .query("SELECT show_id, seat_number::bigint, booking_id, status FROM seats WHERE status <> 'AVAILABLE'", &[]);
        let owner = |row: &Row| {
            assert_eq!(row.get::<_, &str>(3), "CONFIRMED");
            ((row.get(0), row.get(1)), row.get(2))
        };
        rows.await.unwrap().iter().map(owner).collect()
    }
}

impl Round {
    /// Who has won, by what was answered.
    fn winner(&self) -> Winner {
        let booking_id = self.booking_id;
        match (&self.confirm, self.rival) {
            (Outcome::Confirmed { booking_id: id }, None) if *id == booking_id => Winner::ConfirmInTime,
            (Outcome::Reclaimed { booking_id: id }, None) if *id == booking_id && self.takes_late => Winner::Reclaim,
            (Outcome::Refused(Refusal::RefundDue { because }), rival) if matches!(**because, Refusal::HoldExpired { booking_id: id, .. } if id == booking_id) =>
            {
                // Who may have the seat late must have it if nobody else does.
                assert!(rival.is_some() || !self.takes_late, "{self:?}");
                if rival.is_some() { Winner::Rival } else { Winner::Nobody }
            }
            _ => panic!("two winners, or no reason: {self:?}"),
        }
    }

    fn judge(&self, rows: &BTreeMap<i64, String>, owners: &BTreeMap<(i64, i64), i64>) -> Winner {
        let (winner, id) = (self.winner(), self.booking_id.get());
        let found = &rows[&id];
        let expected = match winner {
            Winner::ConfirmInTime => vec![format!("CONFIRMED names pay-{id} paid pay-{id} held, confirmed")],
            Winner::Reclaim => ["held, reclaimed", "held, expired, reclaimed"]
                .map(|story| format!("CONFIRMED reclaimed names pay-{id} paid pay-{id} {story}"))
                .to_vec(),
            Winner::Rival | Winner::Nobody => {
                vec![format!("FAILED expired refund names pay-{id} paid pay-{id} in vain held, expired, refund_due")]
            }
        };
        assert!(expected.contains(found), "{found}: {self:?}");
        if let Some(rival) = self.rival.map(BookingId::get) {
            assert_eq!(rows[&rival], format!("CONFIRMED names pay-{rival} paid pay-{rival} held, confirmed"), "{self:?}");
        }
        let owner = match winner {
            Winner::ConfirmInTime | Winner::Reclaim => Some(id),
            Winner::Rival => self.rival.map(BookingId::get),
            Winner::Nobody => None,
        };
        assert_eq!(owners.get(&(self.show_id.get(), self.seat)).copied(), owner, "{self:?}");
        winner
    }
}

/// The parts in the order of a script. Those of a group begin together, when the group before has ended.
fn groups(script: usize) -> Vec<Vec<Part>> {
    let (mut order, waits) = (script % 24, script / 24 % 8);
    let mut left = vec![Part::Tick, Part::Confirm, Part::Sweep, Part::Rival];
    let mut groups = vec![Vec::new()];
    for place in 0..4 {
        let part = left.remove(order % left.len());
        order /= left.len() + 1;
        if place > 0 && waits >> (place - 1) & 1 == 1 {
            groups.push(Vec::new());
        }
        groups.last_mut().unwrap().push(part);
    }
    groups
}

fn hold(show_id: ShowId, seat: i64, hold_for: TimeDelta) -> Command {
    let seats = SeatSelection::new(&[seat], 50).unwrap();
    Command::Hold(Hold { show_id, seats, user_name: UserName::new("Ada").unwrap(), customer: None, hold_for })
}

/// The confirm of a booking with a payment of its own.
fn pay(booking_id: BookingId) -> Command {
    let payment = PaymentReference::new(&format!("pay-{}", booking_id.get())).ok();
    Command::Confirm(Confirm { payment, ..Confirm::of(booking_id) })
}

async fn decide(bookings: &dyn BookingRepository, command: Command) -> Outcome {
    let requests = [command.into()];
    loop {
        if let Some(mut outcomes) = happened(bookings.execute(&requests).await) {
            return outcomes.remove(0);
        }
    }
}

/// What was answered; `None` if nothing has happened, as somebody else had the locks. The box office asks again then.
fn happened<T>(answer: Result<T, StoreError>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(StoreError::Contended(_) | StoreError::Unavailable(_)) => None,
        Err(error) => panic!("{error:?}"),
    }
}

async fn race(foresee: Foresee) {
    let rounds = std::env::var("RACE_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let stage = Stage::set_up(foresee, rounds).await;
    let mut played = Vec::with_capacity(rounds);
    for number in 0..rounds {
        played.push(stage.play(number).await);
    }
    let (rows, owners) = (stage.rows().await, stage.owners().await);
    let mut counts = BTreeMap::new();
    for round in &played {
        *counts.entry((round.takes_late, round.judge(&rows, &owners))).or_insert(0) += 1;
    }
    println!("{foresee:?}, {rounds} rounds: (takes late confirms, winner) {counts:?}");
    let bookings = rounds + played.iter().filter(|round| round.rival.is_some()).count();
    assert_eq!(rows.len(), bookings, "nobody has a booking that was not told so");
    // Each of these happens in some script by its order alone.
    for (takes_late, kinds) in [
        (false, [Winner::ConfirmInTime, Winner::Rival, Winner::Nobody]),
        (true, [Winner::ConfirmInTime, Winner::Reclaim, Winner::Rival]),
    ] {
        assert!(kinds.iter().all(|kind| counts.contains_key(&(takes_late, *kind))), "{counts:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_last_moment_there_is_one_winner_in_one_trip() {
    race(Foresee::Always).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_last_moment_there_is_one_winner_in_two_trips() {
    race(Foresee::Never).await;
}

#[test]
fn scripts_are_all_orders_in_all_ways() {
    let scripts: std::collections::BTreeSet<Vec<Vec<Part>>> = (0..192).map(groups).collect();
    assert_eq!(scripts.len(), 192);
    assert!(scripts.iter().all(|groups| groups.iter().flatten().count() == 4));
}
