//! The box office under random schedules: customers who come at any time and may leave, a store whose calls take any time and end
//! in any way, and closing at any moment. Whatever happens, no reply is lost, swapped, or given before its commit; nothing that
//! may have happened is done again; what was declined has not happened; and everything is bounded.
//!
//! Time is paused, so a schedule takes no time. It depends on its seed alone, but for the jitter of the pauses between attempts.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has to fail")]

mod history;
mod store;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use box_office::{BoxOffice, Plan};
use domain::{BookingId, BookingRepository, Command};
use history::History;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::Config;
use store::{Call, End, ScriptedStore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

/// What the world does to a box office.
#[derive(Clone, Debug)]
struct Schedule {
    plan: Plan,
    customers: Vec<Customer>,
    /// How the store's calls go, the first one first; after the last one they all go well.
    calls: Vec<Call>,
    closes_at: Duration,
}

/// Someone who comes at some time, and perhaps leaves without waiting for the reply.
#[derive(Clone, Debug)]
struct Customer {
    comes_at: Duration,
    leaves_after: Option<Duration>,
}

/// Longer than any schedule can take: what takes longer hangs.
const FOREVER: Duration = Duration::from_hours(24);

fn millis(range: std::ops::Range<u64>) -> impl Strategy<Value = Duration> {
    range.prop_map(Duration::from_millis)
}

fn plan() -> impl Strategy<Value = Plan> {
    let sizes = (1..4_usize, 1..5_usize, 1..6_usize, 1..4_usize);
    (sizes, millis(1..200), 1..4_u32).prop_map(|((lanes, batch_max, queue_max, aside_max), patience, attempts_max)| Plan {
        lanes,
        batch_max,
        queue_max,
        patience,
        attempts_max,
        aside_max,
        ..Plan::default()
    })
}

fn call() -> impl Strategy<Value = Call> {
    let end = prop_oneof![
        20 => Just(End::Answered),
        4 => Just(End::Unavailable),
        8 => Just(End::Contended),
        4 => Just(End::Corrupt),
        2 => any::<bool>().prop_map(|committed| End::Unknown { committed }),
        1 => any::<bool>().prop_map(|committed| End::TooFewOutcomes { committed }),
        1 => any::<bool>().prop_map(|committed| End::Panics { committed }),
    ];
    (millis(0..30), end, millis(0..5)).prop_map(|(works, end, replies)| Call { works, end, replies })
}

fn schedule() -> impl Strategy<Value = Schedule> {
    let customer = (millis(0..100), option::weighted(0.2, millis(0..60)));
    let customer = customer.prop_map(|(comes_at, leaves_after)| Customer { comes_at, leaves_after });
    (plan(), vec(customer, 1..60), vec(call(), 0..40), millis(0..150)).prop_map(|(plan, customers, calls, closes_at)| Schedule {
        plan,
        customers,
        calls,
        closes_at,
    })
}

fn confirm(id: i64) -> Command {
    Command::Confirm(domain::Confirm::of(BookingId::new(id).unwrap()))
}

/// The customer with this number comes, and notes in the history what becomes of it.
async fn visit(customer: Customer, id: i64, office: Arc<BoxOffice>, history: Arc<History>) {
    sleep(customer.comes_at).await;
    let came = Instant::now();
    let mut submission = pin!(office.submit(confirm(id)));
    // A command is either taken or declined at once.
    let reply = match poll_fn(|context| Poll::Ready(submission.as_mut().poll(context))).await {
        Poll::Ready(reply) => Some(reply),
        Poll::Pending => {
            history.taken(id);
            timeout(customer.leaves_after.unwrap_or(FOREVER), submission).await.ok()
        }
    };
    match reply {
        Some(reply) => history.replied(id, &reply, came.elapsed()),
        None if customer.leaves_after.is_some() => history.left(id),
        None => history.note(format!("{id} got no reply")),
    }
}

async fn play(schedule: Schedule) -> Vec<String> {
    let history = Arc::new(History::new(&schedule.plan));
    let store: Arc<dyn BookingRepository> = Arc::new(ScriptedStore::new(schedule.calls, Arc::clone(&history)));
    let office = Arc::new(BoxOffice::open(&store, &schedule.plan));
    let mut visits = JoinSet::new();
    for (id, customer) in (1..).zip(schedule.customers) {
        visits.spawn(visit(customer, id, Arc::clone(&office), Arc::clone(&history)));
    }
    sleep(schedule.closes_at).await;
    history.closing();
    if timeout(FOREVER, office.close()).await.is_err() {
        history.note("closing takes for ever".to_owned());
    }
    history.closed();
    // Whoever has a reply comes to read it, and whoever has none never will.
    sleep(Duration::from_millis(1)).await;
    history.nobody_waits();
    visits.join_all().await;
    history.offences()
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, cases: 2_000, ..Config::default() })]

    #[test]
    fn whatever_happens_every_promise_is_kept(schedule in schedule()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        prop_assert_eq!(runtime.block_on(play(schedule)), Vec::<String>::new());
    }
}
