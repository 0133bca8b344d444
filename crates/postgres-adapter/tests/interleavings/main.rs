//! Two and three calls that meet in PostgreSQL's locks, by script: the first is stopped at a given point with its locks held, the
//! others are seen waiting for it, or seen to pass, and then it goes on, or dies. What they answered and left behind must be what
//! the domain decides in one of their serial orders.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has to fail")]

mod books;
mod judge;
mod operation;
mod stage;

use operation::{Ask, Operation};
use postgres_adapter::Foresee;
use stage::{Meanwhile, Schedule, Stage, Stop};
use throwaway_postgres::Cluster;

/// Seats 1 and 2 are held, seats 3 and 4 by a hold that is dead, seats 5 and 6 are free: see [`books::Books::at_start`].
const OPERATIONS: [Operation; 11] = [
    Operation { name: "hold one seat", ask: Ask::Hold(&[5]) },
    Operation { name: "hold several seats", ask: Ask::Hold(&[5, 6]) },
    Operation { name: "hold a held seat", ask: Ask::Hold(&[2]) },
    Operation { name: "hold held and free seats", ask: Ask::Hold(&[2, 5, 6]) },
    Operation { name: "confirm", ask: Ask::Confirm(books::LIVE) },
    Operation { name: "confirm a dead hold", ask: Ask::Confirm(books::DEAD) },
    Operation { name: "sweep", ask: Ask::Sweep },
    Operation { name: "take over", ask: Ask::Hold(&[3]) },
    Operation { name: "take over, with a free seat", ask: Ask::Hold(&[4, 5]) },
    Operation { name: "look", ask: Ask::Find(books::LIVE) },
    Operation { name: "look at a dead hold", ask: Ask::Find(books::DEAD) },
];

use Meanwhile::{AHoldDiesAfter, AHoldDiesBefore, Nothing, TheFirstBreaks};
use Stop::{BeforeTheClock, BeforeTheCommit, BeforeTheSave};

/// Where the first call is stopped, and what happens then.
const WAYS: [(Stop, Meanwhile); 9] = [
    (BeforeTheClock, Nothing),
    (BeforeTheClock, AHoldDiesBefore),
    (BeforeTheClock, AHoldDiesAfter),
    (BeforeTheSave, Nothing),
    (BeforeTheSave, AHoldDiesBefore),
    (BeforeTheSave, AHoldDiesAfter),
    (BeforeTheCommit, Nothing),
    (BeforeTheCommit, AHoldDiesBefore),
    (BeforeTheCommit, TheFirstBreaks),
];
const WAYS_OF_TRIPLES: [(Stop, Meanwhile); 3] =
    [(BeforeTheClock, AHoldDiesAfter), (BeforeTheSave, AHoldDiesBefore), (BeforeTheCommit, Nothing)];

/// These calls in all of these ways, as far as the first one comes to the point.
fn schedules(calls: &[Operation], ways: &[(Stop, Meanwhile)]) -> Vec<Schedule> {
    let reached = ways.iter().filter(|(stop, _)| calls[0].ask.comes_to(*stop));
    reached.map(|&(stop, meanwhile)| Schedule { calls: calls.to_vec(), stop, meanwhile }).collect()
}

async fn play_all(foresee: Foresee, schedules: impl Iterator<Item = Schedule>) {
    let stage = Stage::set_up(foresee).await;
    let mut played = 0;
    for schedule in schedules {
        let seen = stage.play(&schedule).await;
        judge::judge(&schedule, &seen, foresee);
        played += 1;
    }
    println!("{played} schedules");
    let log = tokio::task::spawn_blocking(|| Cluster::shared().log()).await.unwrap();
    assert!(!log.contains("deadlock detected"));
}

/// All pairs, in all ways.
fn pairs() -> impl Iterator<Item = Schedule> {
    let pairs = OPERATIONS.iter().flat_map(|first| OPERATIONS.iter().map(|second| [*first, *second]));
    pairs.flat_map(|pair| schedules(&pair, &WAYS))
}

/// Those with a takeover among them.
fn triples() -> impl Iterator<Item = Schedule> {
    let names =
        ["hold several seats", "hold held and free seats", "confirm", "sweep", "take over", "take over, with a free seat"];
    let calls: Vec<Operation> = OPERATIONS.into_iter().filter(|call| names.contains(&call.name)).collect();
    let pairs = calls.iter().flat_map(|first| calls.iter().map(|second| [*first, *second]));
    let triples: Vec<_> = pairs.flat_map(|[first, second]| calls.iter().map(move |third| [first, second, *third])).collect();
    let with_a_takeover = triples.into_iter().filter(|triple| triple.iter().any(|call| call.name.starts_with("take over")));
    with_a_takeover.flat_map(|triple| schedules(&triple, &WAYS_OF_TRIPLES))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_pair_of_calls_ends_as_one_after_the_other() {
    play_all(Foresee::Never, pairs()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_pair_of_calls_in_one_trip_ends_as_one_after_the_other() {
    play_all(Foresee::Always, pairs()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_triple_with_a_takeover_ends_as_one_after_the_other() {
    play_all(Foresee::Never, triples()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_triple_with_a_takeover_in_one_trip_ends_as_one_after_the_other() {
    play_all(Foresee::Always, triples()).await;
}
