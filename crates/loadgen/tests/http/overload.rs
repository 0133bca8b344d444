//! Overload against the scripted booking server: what is counted as what. No figure is judged here, whatever this machine does.

use crate::runs::{Cheat, server};
use loadgen::overload::{self, Options, OverloadReport};
use loadgen::{Progress, Target};

fn options() -> Options {
    Options {
        seconds: 0.5,
        times: 3.0,
        patience_seconds: 60.0,
        connections: 20,
        customers: vec![2, 4],
        probe_seconds: 0.1,
        calm_seconds: 0.5,
        pid: Some(std::process::id()),
        hold_seconds: 1000.0,
    }
}

async fn overload(target: &Target, options: &Options) -> OverloadReport {
    overload::run(target, options, &Progress::hidden()).await.unwrap()
}

#[tokio::test]
async fn a_server_that_serves_everybody_is_found_to_do_nothing_wrong() {
    let report = overload(&server(Cheat::None), &options()).await;
    assert!(report.wrong.is_empty(), "{report}");
    let stretch = &report.overload;
    assert!(report.best_per_second > 0.0 && stretch.arrivals > 0 && stretch.goodput_per_second > 0.0, "{report}");
    let accounted_for = stretch.served as u64 + stretch.refused as u64 + stretch.turned_away;
    assert_eq!(accounted_for, stretch.arrivals, "{report}");
    assert_eq!((stretch.refused, stretch.served_too_late, stretch.errors), (0, 0, 0), "{report}");
    assert!(stretch.served_ms.p99 >= stretch.served_ms.p50 && stretch.sent_ms.p50 <= stretch.served_ms.p50, "{report}");
    if let Some(memory) = report.memory_mib {
        assert!(memory.before > 0.0 && memory.peaks.1 > 0.0 && memory.after > 0.0, "{report}");
    }
}

#[tokio::test]
async fn refusals_are_no_failures_and_their_seats_are_sold_to_others() {
    let report = overload(&server(Cheat::NeedsPatience), &options()).await;
    assert!(report.wrong.is_empty() && report.overload.refused > 0 && report.overload.served > 0, "{report}");
    assert!(report.overload.refused_ms.max > 0.0, "{report}");
}

#[tokio::test]
async fn other_answers_lost_holds_and_holds_of_nobody_are_wrong() {
    for (cheat, said) in [
        (Cheat::FailsSometimes, "answers are 500"),
        (Cheat::LosesHolds, "(\"AVAILABLE\""),
        (Cheat::SellsByItself, "(\"CONFIRMED\", None), but was answered: None"),
    ] {
        let report = overload(&server(cheat), &options()).await;
        assert!(report.wrong.iter().any(|line| line.contains(said)), "{cheat:?}: {report}");
    }
}

#[tokio::test]
async fn a_server_that_neither_serves_nor_refuses_in_time_misses_its_targets() {
    let crowded = Options { connections: 1, times: 20.0, patience_seconds: 0.01, ..options() };
    let report = overload(&server(Cheat::Dawdles), &crowded).await;
    assert!(report.wrong.is_empty(), "{report}");
    assert!(report.overload.turned_away > 0 && report.connections == 1, "{report}");
    assert_eq!(report.overload.served_too_late, report.overload.served as u64, "{report}");
    let missed = report.missed.join("\n");
    assert!(missed.contains("goodput is 0 %") && missed.contains("could be sent") && missed.contains("patience"), "{report}");
}

#[tokio::test]
async fn a_load_without_a_server_or_without_customers_is_refused() {
    let nobody = Options { customers: Vec::new(), ..options() };
    assert!(overload::run(&server(Cheat::None), &nobody, &Progress::hidden()).await.is_err());
}
