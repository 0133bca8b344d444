//! The customers against small servers: an honest one passes, every cheat is found.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::slice::from_ref;
use std::time::{Duration, Instant};

use crate::shop::{Cheat, Shop};
use loadgen::chaos::check::{Kind, check};
use loadgen::chaos::history::History;
use loadgen::chaos::workload::{self, Options};
use loadgen::client::BaseUrl;
use tokio::net::TcpSocket;
use tokio::sync::watch;

/// Holds are short, so that many end while the customers are there.
const OPTIONS: Options =
    Options { customers: 16, shows: 2, seats: 8, rate: 800.0, seed: 7, hold_seconds: 0.2, time_limit_seconds: 20.0 };

/// Lets customers in until enough has happened.
async fn run_until(enough: impl Fn() -> bool, servers: &[BaseUrl]) -> History {
    let (stop, stopped) = watch::channel(false);
    let (history, ()) = tokio::join!(workload::run(servers, &OPTIONS, stopped), async {
        let patience = Instant::now() + Duration::from_mins(5);
        while !enough() {
            assert!(Instant::now() < patience, "what was waited for never happened");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stop.send_replace(true);
    });
    history.unwrap()
}

#[tokio::test]
async fn an_honest_house_passes() {
    let shop = Shop::open(Cheat::Nothing, 200_000);
    let all = [(200, ""), (201, ""), (409, "seats_not_free"), (409, "hold_expired"), (409, "booking_not_pending")];
    let all: BTreeSet<(u16, String)> = all.map(|(status, code)| (status, code.to_owned())).into();
    // Two addresses, one house; and for long enough that shows are sold out.
    let enough = || shop.answered().is_superset(&all) && shop.shows() > 3 && shop.has_done(11) && shop.reclaimed() >= 5;
    let history = run_until(enough, &[shop.url.clone(), shop.url.clone()]).await;
    assert_eq!(check(&history, &shop.books()), []);
    assert!(history.operations.windows(2).all(|pair| pair[0].id < pair[1].id));
    assert!(history.operations.iter().all(|operation| operation.began <= operation.ended));
    assert!(history.shows.len() >= 3, "{:?}", history.shows);
    let counts = history.counts();
    let calls = ["hold", "confirm", "cancel", "cancel by the house", "extend", "change", "find", "seat map", "list"];
    for call in calls.into_iter().chain(["confirm of some seats", "block"]) {
        assert!(counts.contains_key(&(call, "done")), "no {call} in {counts:?}");
    }
}

#[tokio::test]
async fn every_cheat_is_found() {
    for (cheat, kinds) in [
        (Cheat::SellsTwice, &[Kind::DoubleBooking, Kind::NotLinearizable][..]),
        (Cheat::ConfirmsTooLate, &[Kind::ConfirmedTooLate]),
        (Cheat::ForgetsHolds, &[Kind::HoldLost]),
        (Cheat::DeniesHolds, &[Kind::NotDoneButDone]),
        (Cheat::ShowsOldSeats, &[Kind::NotLinearizable]),
        (Cheat::Fails, &[Kind::Unforeseen]),
        (Cheat::ForgetsKeys, &[Kind::NotReplayed]),
        (Cheat::ServesUnderAnyKey, &[Kind::KeyServedTwo]),
        (Cheat::ForgetsCancels, &[Kind::AmendmentLost]),
        (Cheat::ForgetsExtensions, &[Kind::AmendmentLost]),
        (Cheat::ForgetsPayments, &[Kind::PaymentWrong]),
        (Cheat::ReclaimsWhatIsTaken, &[Kind::DoubleBooking]),
        (Cheat::RefusesWhatIsFree, &[Kind::RefusedThoughFree]),
        (Cheat::SellsTheRest, &[Kind::DoesNotFit]),
        (Cheat::ForgetsBlocks, &[Kind::HoldLost]),
        (Cheat::ForgetsLimits, &[Kind::LimitWrong]),
    ] {
        let shop = Shop::open(cheat, 200_000);
        // A customer who has hung up notices nothing.
        let history = run_until(|| shop.cheated() >= 6, from_ref(&shop.url)).await;
        let found: BTreeSet<Kind> = check(&history, &shop.books()).iter().map(|violation| violation.kind).collect();
        assert!(kinds.iter().all(|kind| found.contains(kind)), "{cheat:?}: {found:?} in {:?}", history.counts());
    }
}

#[tokio::test]
async fn customers_of_a_server_that_is_not_there_go_to_the_other() {
    // Taken, and not listened on.
    let taken = TcpSocket::new_v4().unwrap();
    taken.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let nobody = BaseUrl::loopback(taken.local_addr().unwrap().port());
    let shop = Shop::open(Cheat::Nothing, 200_000);
    let sold = (409, "booking_not_pending".to_owned());
    let history = run_until(|| shop.answered().contains(&sold), &[nobody.clone(), shop.url.clone()]).await;
    assert_eq!(check(&history, &shop.books()), []);
    let counts = history.counts();
    assert!(counts.iter().any(|((_, answer), _)| *answer == "not sent") && counts.contains_key(&("hold", "done")), "{counts:?}");

    let (_stop, stopped) = watch::channel(false);
    let error = workload::run(&[nobody], &OPTIONS, stopped).await.unwrap_err();
    assert_eq!(error.to_string(), "can't create a show");
}
