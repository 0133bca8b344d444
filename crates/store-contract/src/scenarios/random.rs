//! Random histories, compared with a plain model.

use chrono::TimeDelta;
use domain::{Actor, Request, ShowId};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::sample::subsequence;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Handle;

use crate::World;
use crate::books::Books;
use crate::calls::{cancel, change, confirm, expire, extend_for, hold_as, house, nobody};
use crate::model::Model;

const CASES: u32 = 32;
const SEATS: i64 = 5;

#[derive(Clone, Debug)]
enum Step {
    Batch(Vec<Wish>),
    Sweep {
        limit: u32,
    },
    /// The clock moves in the unit in which holds are made, so that deadlines are often met exactly.
    Wait {
        units: i32,
    },
}

/// A command whose show and booking are chosen when it is made.
#[derive(Clone, Debug)]
enum Wish {
    Hold { show: usize, seats: Vec<i64>, units: i32 },
    Confirm { booking: usize },
    Expire { booking: usize },
    Cancel { booking: usize, by_house: bool },
    Extend { booking: usize, units: i32 },
    Change { booking: usize, add: Vec<i64>, remove: Vec<i64> },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // One seat more than the show has.
    let seats =
        subsequence((1..=SEATS + 1).collect::<Vec<_>>(), 1..=3).prop_filter("mostly known seats", |seats| seats[0] <= SEATS);
    let wish = prop_oneof![
        4 => (0..2_usize, seats, 1..5_i32).prop_map(|(show, seats, units)| Wish::Hold { show, seats, units }),
        3 => (0..12_usize).prop_map(|booking| Wish::Confirm { booking }),
        2 => (0..12_usize).prop_map(|booking| Wish::Expire { booking }),
        1 => (0..12_usize, proptest::bool::ANY).prop_map(|(booking, by_house)| Wish::Cancel { booking, by_house }),
        1 => (0..12_usize, 1..5_i32).prop_map(|(booking, units)| Wish::Extend { booking, units }),
        2 => (0..12_usize, exchange()).prop_map(|(booking, (add, remove))| Wish::Change { booking, add, remove }),
    ];
    let step = prop_oneof![
        5 => vec(wish, 1..8).prop_map(Step::Batch),
        2 => (1..4_u32).prop_map(|limit| Step::Sweep { limit }),
        3 => (1..4_i32).prop_map(|units| Step::Wait { units }),
        1 => Just(Step::Batch(Vec::new())),
    ];
    vec(step, 1..24)
}

/// Seats to add and to remove: at least one, none of them twice.
fn exchange() -> impl Strategy<Value = (Vec<i64>, Vec<i64>)> {
    let seats = subsequence((1..=SEATS + 1).collect::<Vec<_>>(), 1..=4);
    (seats, vec(proptest::bool::ANY, 4)).prop_map(|(seats, added)| {
        let (add, remove): (Vec<_>, Vec<_>) = seats.into_iter().zip(added).partition(|(_, added)| *added);
        let numbers = |seats: Vec<(i64, bool)>| seats.into_iter().map(|(number, _)| number).collect();
        (numbers(add), numbers(remove))
    })
}

fn unit() -> TimeDelta {
    TimeDelta::microseconds(10_000_003)
}

/// Batches, sweeps and a clock in any order: every answer and the books in the end are those of a model that knows nothing of
/// rows, locks or seats' states.
pub async fn random_histories_agree_with_a_plain_model(world: &World) {
    let runtime = Handle::current();
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    tokio::task::block_in_place(|| {
        TestRunner::new(config).run(&steps(), |steps| {
            runtime.block_on(play(world, &steps));
            Ok(())
        })
    })
    .unwrap_or_else(|failure| panic!("{failure}"));
}

async fn play(world: &World, steps: &[Step]) {
    // What an earlier history left would be swept with this one's.
    world.clock.advance(unit() * 10);
    world.store.sweep_all(100).await;
    let shows = [world.store.show(SEATS).await, world.store.show(SEATS).await];
    let mut model = Model::new(&shows, SEATS);
    for step in steps {
        let now = world.clock.now();
        match step {
            Step::Batch(wishes) => {
                let requests: Vec<Request> = wishes.iter().map(|wish| request(wish, &shows, &model)).collect();
                let outcomes = world.store.request(&requests).await;
                model.check_batch(now, &requests, &outcomes);
            }
            Step::Sweep { limit } => model.check_sweep(now, *limit, &world.store.sweep(*limit).await),
            Step::Wait { units } => world.clock.advance(unit() * *units),
        }
    }
    model.check_books(world.clock.now(), &Books::read(&world.store).await);
}

fn request(wish: &Wish, shows: &[ShowId; 2], model: &Model) -> Request {
    let booking = |n: usize| model.booking_id(n).unwrap_or(nobody());
    let command = match wish {
        Wish::Cancel { booking: n, by_house } => {
            return Request::new(cancel(booking(*n)), if *by_house { house() } else { Actor::Customer });
        }
        Wish::Extend { booking: n, units } => extend_for(booking(*n), unit() * *units),
        Wish::Change { booking: n, add, remove } => change(booking(*n), add, remove),
        Wish::Hold { show, seats, units } => hold_as("Ada", shows[*show], seats, unit() * *units),
        Wish::Confirm { booking: n } => confirm(booking(*n)),
        Wish::Expire { booking: n } => expire(booking(*n)),
    };
    command.into()
}
