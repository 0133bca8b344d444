//! The window: a hold that is likely to be refused is looked at before it may queue.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has to fail")]

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use box_office::{BoxOffice, Declined, Plan};
use chrono::TimeDelta;
use domain::{
    Booking, BookingDetails, BookingFilter, BookingId, BookingRepository, Command, Deadline, Hold, LiveHold, Outcome, Page,
    Refund, RefundKey, Refusal, Request, SeatNumber, SeatRefusal, SeatRefusalReason, SeatSelection, ShowId, StoreError, Sweep,
    Timestamp, Transition, UserName,
};
use tokio::sync::Semaphore;

/// What a look comes to.
type LookScript = fn(&[&Hold]) -> Result<Vec<Option<Refusal>>, StoreError>;

/// A store that gives everyone every seat, looks as it is told, and keeps a diary.
struct ScriptedStore {
    look: LookScript,
    gate: Semaphore,
    diary: Mutex<Vec<&'static str>>,
}

#[async_trait]
impl BookingRepository for ScriptedStore {
    async fn execute(&self, requests: &[Request]) -> Result<Vec<Outcome>, StoreError> {
        self.diary.lock().unwrap().push("execute");
        Ok(requests.iter().map(|_| held()).collect())
    }

    async fn look(&self, holds: &[&Hold]) -> Result<Vec<Option<Refusal>>, StoreError> {
        self.diary.lock().unwrap().push("look");
        self.gate.acquire().await.unwrap().forget();
        (self.look)(holds)
    }

    async fn expire_due(&self, _: NonZeroU32) -> Result<Sweep, StoreError> {
        unreachable!("the box office does not sweep")
    }

    async fn find(&self, _: BookingId) -> Result<Option<BookingDetails>, StoreError> {
        unreachable!("the box office does not read bookings")
    }

    async fn history(&self, _: BookingId) -> Result<Option<Vec<Transition>>, StoreError> {
        unreachable!("the box office does not read bookings")
    }

    async fn forget_keys(&self, _: NonZeroU32) -> Result<u32, StoreError> {
        unreachable!("the box office does not read bookings")
    }

    async fn list(&self, _: &BookingFilter, _: Page) -> Result<Vec<Booking>, StoreError> {
        unreachable!("the box office does not read bookings")
    }

    async fn live_holds(&self, _: Option<ShowId>, _: Option<BookingId>, _: NonZeroU32) -> Result<Vec<LiveHold>, StoreError> {
        unreachable!("the box office does not read bookings")
    }

    async fn refunds(&self, _: Option<&RefundKey>, _: NonZeroU32) -> Result<Vec<Refund>, StoreError> {
        unreachable!("the box office does not read bookings")
    }
}

fn held() -> Outcome {
    Outcome::Held { booking_id: BookingId::new(1).unwrap(), deadline: Deadline::at(Timestamp::UNIX_EPOCH) }
}

fn hold(seats: &[i64]) -> Command {
    Command::Hold(Hold {
        show_id: ShowId::new(1).unwrap(),
        seats: SeatSelection::new(seats, 50).unwrap(),
        user_name: UserName::new("Ada").unwrap(),
        customer: None,
        hold_for: TimeDelta::seconds(1),
    })
}

/// The refusal of the first seat of a hold.
fn sold(hold: &Hold) -> Refusal {
    Refusal::SeatsNotFree { seats: vec![SeatRefusal { number: hold.seats.numbers()[0], reason: SeatRefusalReason::Sold }] }
}

/// A box office whose customer has just taken seats 1 and 2.
async fn after_a_sale(look: LookScript, looks: usize) -> (Arc<BoxOffice>, Arc<ScriptedStore>) {
    let store = Arc::new(ScriptedStore { look, gate: Semaphore::new(looks), diary: Mutex::default() });
    let port: Arc<dyn BookingRepository> = Arc::clone(&store) as Arc<dyn BookingRepository>;
    let office = Arc::new(BoxOffice::open(&port, &Plan::default()));
    assert_eq!(office.submit(hold(&[1, 2])).await, Ok(held()));
    (office, store)
}

fn diary(store: &ScriptedStore) -> Vec<&'static str> {
    store.diary.lock().unwrap().clone()
}

const MANY: usize = 1000;

#[tokio::test]
async fn a_seat_that_was_taken_is_refused_by_a_look_and_no_lock_is_asked_for() {
    let (office, store) = after_a_sale(|holds| Ok(holds.iter().map(|hold| Some(sold(hold))).collect()), MANY).await;
    for (seats, first) in [(&[2, 3][..], 2), (&[1], 1)] {
        let number = SeatNumber::new(first).unwrap();
        let refusal = Refusal::SeatsNotFree { seats: vec![SeatRefusal { number, reason: SeatRefusalReason::Sold }] };
        assert_eq!(office.submit(hold(seats)).await, Ok(Outcome::Refused(refusal)));
    }
    assert_eq!(diary(&store), ["execute", "look", "look"]);
}

#[tokio::test]
async fn a_seat_that_nobody_is_known_to_have_costs_no_look() {
    let (office, store) = after_a_sale(|_| unreachable!(), 0).await;
    assert_eq!(office.submit(hold(&[3])).await, Ok(held()));
    assert_eq!(diary(&store), ["execute", "execute"]);
}

#[tokio::test]
async fn what_a_look_does_not_refuse_is_decided_and_not_looked_at_again() {
    let (office, store) = after_a_sale(|holds| Ok(vec![None; holds.len()]), MANY).await;
    assert_eq!(office.submit(hold(&[1])).await, Ok(held()));
    assert_eq!(diary(&store), ["execute", "look", "execute"]);
    // Seat 1 was taken again, seat 2 is forgotten too only when someone looks.
    assert_eq!(office.submit(hold(&[2])).await, Ok(held()));
    assert_eq!(diary(&store)[3..], ["look", "execute"]);
}

#[tokio::test]
async fn a_look_that_fails_or_makes_no_sense_says_nothing() {
    let scripts: [LookScript; 2] =
        [|_| Err(StoreError::Unavailable("away".to_owned())), |holds| Ok(vec![Some(sold(holds[0])); holds.len() + 1])];
    for look in scripts {
        let (office, store) = after_a_sale(look, MANY).await;
        assert_eq!(office.submit(hold(&[1])).await, Ok(held()));
        assert_eq!(diary(&store), ["execute", "look", "execute"]);
    }
}

#[tokio::test]
async fn closing_waits_for_a_look_and_for_what_it_hands_on() {
    let (office, store) = after_a_sale(|holds| Ok(vec![None; holds.len()]), 0).await;
    let caller = tokio::spawn({
        let office = Arc::clone(&office);
        async move { office.submit(hold(&[1])).await }
    });
    while diary(&store).len() < 2 {
        tokio::task::yield_now().await;
    }
    let closing = tokio::spawn({
        let office = Arc::clone(&office);
        async move { office.close().await }
    });
    while office.submit(hold(&[3])).await != Err(Declined::Closing) {
        tokio::task::yield_now().await;
    }
    assert!(!closing.is_finished());
    store.gate.add_permits(MANY);
    closing.await.unwrap();
    assert_eq!(caller.await.unwrap(), Ok(held()), "its command was taken");
}

#[tokio::test]
async fn every_customer_at_the_window_gets_the_refusal_of_its_own_seats() {
    let (office, _) = after_a_sale(|holds| Ok(holds.iter().map(|hold| Some(sold(hold))).collect()), MANY).await;
    let seats: Vec<i64> = (1..=50).collect();
    assert_eq!(office.submit(hold(&seats[2..])).await, Ok(held()));
    let callers: Vec<_> = seats
        .iter()
        .map(|&seat| {
            let office = Arc::clone(&office);
            (seat, tokio::spawn(async move { office.submit(hold(&[seat])).await }))
        })
        .collect();
    for (seat, caller) in callers {
        let number = SeatNumber::new(seat).unwrap();
        let seats = vec![SeatRefusal { number, reason: SeatRefusalReason::Sold }];
        assert_eq!(caller.await.unwrap(), Ok(Outcome::Refused(Refusal::SeatsNotFree { seats })));
    }
}

#[tokio::test]
async fn a_look_that_panics_is_as_good_as_none_each_time() {
    let (office, store) = after_a_sale(|_| panic!("a bug"), 2).await;
    for _ in 0..2 {
        assert_eq!(office.submit(hold(&[1])).await, Ok(held()), "the lane decides");
    }
    assert_eq!(diary(&store), ["execute", "look", "execute", "look", "execute"]);
}

/// Submits so many holds of what is sold, each refused when its turn comes.
fn losers(office: &Arc<BoxOffice>, count: usize) -> Vec<tokio::task::JoinHandle<Result<Outcome, Declined>>> {
    let submit = |_| {
        let office = Arc::clone(office);
        tokio::spawn(async move { office.submit(hold(&[1])).await })
    };
    (0..count).map(submit).collect()
}

/// Lets every task run until all of them wait. No time passes meanwhile.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// Of eight that came together seven are enough for the next look; fewer wait until their time is up, and then nobody waits for others.
#[tokio::test(start_paused = true)]
async fn a_look_is_for_nearly_as_many_as_the_last_one() {
    let (office, store) = after_a_sale(|holds| Ok(holds.iter().map(|hold| Some(sold(hold))).collect()), 0).await;
    let looks = |store: &ScriptedStore| diary(store).len() - 1;
    let mut callers = losers(&office, 1);
    settle().await;
    callers.extend(losers(&office, 8));
    settle().await;
    store.gate.add_permits(1);
    settle().await;
    assert_eq!(looks(&store), 2, "after a lone one nobody waits: the eight are looked at");
    store.gate.add_permits(MANY);
    settle().await;
    callers.extend(losers(&office, 6));
    settle().await;
    assert_eq!(looks(&store), 2, "six wait for one more");
    callers.extend(losers(&office, 1));
    settle().await;
    assert_eq!(looks(&store), 3);
    for caller in callers {
        assert!(matches!(caller.await.unwrap(), Ok(Outcome::Refused(_))));
    }
    for waits in [true, false] {
        let before = tokio::time::Instant::now();
        for caller in losers(&office, 1) {
            caller.await.unwrap().unwrap();
        }
        assert_eq!(!before.elapsed().is_zero(), waits);
    }
}
