//! The soak against the scripted booking server: what is counted as what. Trends are judged by unit tests, not here.

use crate::runs::{Cheat, server};
use loadgen::soak::{self, Options, SoakReport};
use loadgen::{Progress, Target};

async fn soak(target: &Target) -> SoakReport {
    let options = Options {
        seconds: 1.0,
        share: 0.5,
        sample_seconds: 0.1,
        seats: 100,
        connections: 200,
        customers: 4,
        probe_seconds: 0.2,
        pid: Some(std::process::id()),
        database_url: None,
        csv: None,
    };
    soak::run(target, &options, &Progress::hidden()).await.unwrap()
}

#[tokio::test]
async fn shows_are_made_as_they_sell_out_and_an_honest_server_does_nothing_wrong() {
    let report = soak(&server(Cheat::None)).await;
    // A machine that is busy with other things may make the load generator find every connection busy.
    assert!(report.wrong.iter().all(|line| line.contains("every connection busy")), "{report}");
    assert!(report.shows > 3 && report.seats_sold > 20 && report.arrivals > 0, "{report}");
    assert!(report.samples.iter().any(|sample| sample.writes_ms.p50 > 0.0 && sample.reads_ms.p50 > 0.0), "{report}");
    let csv = report.csv();
    assert_eq!(csv.lines().count(), report.samples.len() + 1, "{csv}");
    let columns = |line: &str| line.split(',').count();
    assert!(csv.lines().all(|line| columns(line) == columns(csv.lines().next().unwrap())), "{csv}");
}

#[tokio::test]
async fn server_errors_lost_sales_and_sales_to_nobody_are_seen() {
    for (cheat, said) in [
        (Cheat::FailsSometimes, "answers are 500"),
        (Cheat::ForgetsConfirms, "but is PENDING"),
        (Cheat::SellsByItself, "nobody was told so"),
    ] {
        let report = soak(&server(cheat)).await;
        assert!(report.wrong.iter().any(|line| line.contains(said)), "{cheat:?}: {report}");
    }
}

#[tokio::test]
async fn refusals_are_counted() {
    let report = soak(&server(Cheat::NeedsPatience)).await;
    assert!(report.samples.iter().map(|sample| sample.refused).sum::<u64>() > 0, "{report}");
    assert!(report.wrong.iter().all(|line| line.contains("were refused")), "{report}");
}
