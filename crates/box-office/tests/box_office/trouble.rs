//! A store in trouble, and commands that are the reason of it.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_poisoned_command_fails_alone() {
    let poisoned = |ids: &[i64]| ids.contains(&13).then(|| StoreError::Corrupt("13".to_owned()));
    let mut world = World::new(&Plan::default(), poisoned);
    let first = world.submit(1);
    world.next_batch().await;
    let batch: Vec<_> = (10..20).map(|id| world.submit(id)).collect();
    settle().await;
    world.open_gate(MANY);
    assert!(first.await.unwrap().is_ok());
    for (caller, id) in batch.into_iter().zip(10..) {
        let expected = if id == 13 { Err(Declined::Store(StoreError::Corrupt("13".to_owned()))) } else { Ok(confirmed(id)) };
        assert_eq!(caller.await.unwrap(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_blocked_command_is_retried_beside_the_lane_which_goes_on() {
    let mut failures: VecDeque<StoreError> = (0..3).map(|_| StoreError::Contended("locked".to_owned())).collect();
    let blocked = move |ids: &[i64]| if ids.contains(&7) { failures.pop_front() } else { None };
    let mut world = World::new(&Plan::default(), blocked);
    let blocked = world.submit(7);
    assert_eq!(world.next_batch().await, [7]);
    world.open_gate(1);
    assert_eq!(world.next_batch().await, [7], "aside");
    let other = world.submit(8);
    assert_eq!(world.next_batch().await, [8], "the lane is free");
    world.open_gate(MANY);
    assert_eq!(other.await.unwrap(), Ok(confirmed(8)));
    assert_eq!(blocked.await.unwrap(), Ok(confirmed(7)));
}

#[tokio::test(start_paused = true)]
async fn a_command_that_stays_blocked_is_given_up() {
    let mut world =
        World::new(&Plan { attempts_max: 4, ..Plan::default() }, |_| Some(StoreError::Contended("locked".to_owned())));
    world.open_gate(MANY);
    let caller = world.submit(7);
    assert_eq!(caller.await.unwrap(), Err(Declined::Store(StoreError::Contended("locked".to_owned()))));
    let mut attempts = 0;
    while world.arrivals.try_recv().is_ok() {
        attempts += 1;
    }
    assert_eq!(attempts, 5, "once in the lane, and four times aside");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_a_moment_is_not_noticed() {
    let mut failures = VecDeque::from([StoreError::Unavailable("restarting".to_owned())]);
    let world = World::new(&Plan::default(), move |_| failures.pop_front());
    world.open_gate(MANY);
    assert_eq!(world.office.submit(confirm(1)).await, Ok(confirmed(1)));
}

#[tokio::test]
async fn an_unknown_outcome_is_never_tried_again() {
    let lost = || StoreError::OutcomeUnknown("lost during the commit".to_owned());
    let mut failures = VecDeque::from([lost()]);
    let mut world = World::new(&Plan::default(), move |_| failures.pop_front());
    world.open_gate(MANY);
    assert_eq!(world.office.submit(confirm(1)).await, Err(Declined::Store(lost())));
    assert_eq!(world.next_batch().await, [1]);
    assert!(world.arrivals.try_recv().is_err());
}

#[tokio::test]
async fn a_store_that_panics_fails_its_batch_and_nobody_else() {
    let panics = |ids: &[i64]| if ids.contains(&13) { panic!("a bug") } else { None };
    let mut world = World::new(&Plan::default(), panics);
    world.open_gate(MANY);
    let unknown = Declined::Store(StoreError::OutcomeUnknown("the store panicked: a bug".to_owned()));
    for id in [13, 14, 13, 15] {
        let expected = if id == 13 { Err(unknown.clone()) } else { Ok(confirmed(id)) };
        assert_eq!(world.office.submit(confirm(id)).await, expected);
        assert_eq!(world.next_batch().await, [id], "once");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_beside_the_lane_fails_that_command_and_the_box_office_can_close() {
    let mut calls = 0;
    let contended_and_then_panics = move |_: &[i64]| {
        calls += 1;
        if calls == 1 { Some(StoreError::Contended("locked".to_owned())) } else { panic!("a bug of number {calls}") }
    };
    let world = World::new(&Plan::default(), contended_and_then_panics);
    world.open_gate(MANY);
    let unknown = Declined::Store(StoreError::OutcomeUnknown("the store panicked: a bug of number 2".to_owned()));
    assert_eq!(world.office.submit(confirm(1)).await, Err(unknown));
    world.office.close().await;
}
