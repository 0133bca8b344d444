//! Many callers at once, over HTTP.

use loadgen::{Progress, Target, baskets, one_seat};

use crate::support::{Data, Kind, Server, on_both_stores};

on_both_stores! {
    of_two_hundred_callers_for_one_seat_exactly_one_wins
    overlapping_baskets_never_fail
}

async fn of_two_hundred_callers_for_one_seat_exactly_one_wins(kind: Kind) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, &[]).await;
    let options = one_seat::Options { callers: 200 };
    let report = one_seat::run(&Target::open(server.base_url()), &options, &Progress::hidden()).await.unwrap();
    assert!(report.wrong.is_empty() && report.winner.is_some(), "{:?}", report.wrong);
    data.verify().await;
}

async fn overlapping_baskets_never_fail(kind: Kind) {
    let data = Data::fresh(kind);
    // Two servers on one PostgreSQL meet in the row locks.
    let server = Server::start(&data, &[("LANES", "2")]).await;
    let options = baskets::Options { seats: 40, basket: 4, customers: 32, seconds: 2.0, hold_only: false };
    let report = baskets::run(&Target::open(server.base_url()), &options, &Progress::hidden()).await.unwrap();
    assert!(report.wrong.is_empty(), "{:?}", report.wrong);
    data.verify().await;
    if let Data::Postgres(_) = data {
        assert!(!throwaway_postgres::Cluster::shared().log().contains("deadlock detected"));
    }
}
