//! The metrics: exact, bounded, and no reason not to sell.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use loadgen::client::{BaseUrl, Connection, Method};
use serde_json::{Value, json};
use throwaway_postgres::Cluster;

use crate::support::{Data, Kind, Server, on_both_stores};

const ANYWHERE: (&str, &str) = ("METRICS_ADDR", "127.0.0.1:0");

/// A page that was read: its figures by name and labels, and the names that it explains.
struct Page {
    figures: BTreeMap<String, f64>,
    names: BTreeSet<String>,
}

impl Page {
    async fn of(server: &Server) -> Self {
        let text = text(metrics_port(server).await, "/metrics").await.unwrap();
        let figures = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (name, figure) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), figure.parse().unwrap())
        });
        let names = text.lines().filter_map(|line| Some(line.strip_prefix("# TYPE ")?.split(' ').next().unwrap().to_owned()));
        Self { figures: figures.collect(), names: names.collect() }
    }

    fn figure(&self, name: &str) -> Option<f64> {
        self.figures.get(name).copied()
    }

    /// A figure that counts something.
    fn count(&self, name: &str) -> u64 {
        let figure = self.figure(name).unwrap_or_else(|| panic!("{name} in {:?}", self.figures.keys()));
        format!("{figure}").parse().unwrap()
    }
}

/// The body of a 200; `None` if the answer is another.
async fn text(port: u16, path: &str) -> Option<String> {
    let answer = Connection::open(&BaseUrl::loopback(port)).await.unwrap().call(Method::GET, path, None, &[]).await.unwrap();
    (answer.status == 200).then(|| answer.text())
}

/// Where the log says that the metrics are.
async fn metrics_port(server: &Server) -> u16 {
    server.until_logged("serving metrics").await;
    let log = server.log();
    let mut events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let served = events.find(|event| event["message"] == "serving metrics").unwrap();
    served["at"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap()
}

on_both_stores! {
    every_request_and_every_command_is_counted
    a_thousand_unknown_addresses_add_nothing
}

async fn every_request_and_every_command_is_counted(kind: Kind) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, &[ANYWHERE]).await;
    let mut client = server.client().await;
    let ready = Page::of(&server).await.count(r#"rowlock_http_requests_total{method="GET",route="/readyz",status="200"}"#);
    let show = client.show(10).await;
    let booking = client.booked(show, &[1, 2]).await;
    client.booked(show, &[3]).await;
    for _ in 0..3 {
        client.book(show, &[2, 4]).await.problem(409, "seats_not_free");
    }
    client.book(show, &[]).await.problem(400, "no_seats");
    client.confirm(booking).await.expect(200);
    client.confirm(999).await.problem(404, "no_such_booking");
    client.get(&format!("/shows/{show}/seats")).await.expect(200);
    client.get("/shows/77/seats").await.problem(404, "no_such_show");
    client.call(Method::PUT, "/book", None, &[]).await.problem(405, "method_not_allowed");
    client.get("/nowhere").await.problem(404, "unknown_route");
    client.get("/readyz").await.expect(200);

    let page = Page::of(&server).await;
    let requests: BTreeMap<&str, u64> = page
        .figures
        .keys()
        .filter_map(|name| Some((name.strip_prefix("rowlock_http_requests_total")?, page.count(name))))
        .collect();
    let expected = BTreeMap::from([
        (r#"{method="GET",route="/readyz",status="200"}"#, ready + 1),
        (r#"{method="POST",route="/admin/shows",status="201"}"#, 1),
        (r#"{method="POST",route="/book",status="201"}"#, 2),
        (r#"{method="POST",route="/book",status="400"}"#, 1),
        (r#"{method="POST",route="/book",status="409"}"#, 3),
        (r#"{method="PUT",route="/book",status="405"}"#, 1),
        (r#"{method="POST",route="/book/confirm",status="200"}"#, 1),
        (r#"{method="POST",route="/book/confirm",status="404"}"#, 1),
        (r#"{method="GET",route="/shows/{id}/seats",status="200"}"#, 1),
        (r#"{method="GET",route="/shows/{id}/seats",status="404"}"#, 1),
        (r#"{method="GET",route="unknown",status="404"}"#, 1),
    ]);
    // Until it was ready it may have said so.
    let requests: BTreeMap<&str, u64> = requests.into_iter().filter(|(name, _)| !name.contains(r#"status="503""#)).collect();
    assert_eq!(requests, expected);
    assert_eq!(page.count(r#"rowlock_http_request_duration_seconds_count{route="/book"}"#), 7);
    for (code, times) in
        [("seats_not_free", 3), ("no_seats", 1), ("no_such_booking", 1), ("no_such_show", 1), ("unknown_route", 1)]
    {
        assert_eq!(page.count(&format!(r#"rowlock_refusals_total{{code="{code}"}}"#)), times, "{code}");
    }
    for (outcome, times) in [("held", 2), ("confirmed", 1), ("refused", 4), ("expired", 0)] {
        assert_eq!(page.count(&format!(r#"rowlock_commands_total{{outcome="{outcome}"}}"#)), times, "{outcome}");
    }
    // Two holds, a confirm, an unknown booking; the taken seat was looked at.
    assert_eq!(page.count("rowlock_queue_wait_seconds_count"), 4);
    let batches = |kind: &str| page.count(&format!(r#"rowlock_batch_commands_sum{{kind="{kind}"}}"#));
    assert_eq!((batches("lane"), batches("look"), batches("alone")), (4, 3, 0));
    assert_eq!(page.count(r#"rowlock_batch_duration_seconds_count{kind="lane"}"#), 4);
    assert_eq!(page.count(r#"rowlock_queue_length{queue="lanes"}"#), 0);
    assert_eq!((page.count("rowlock_store_ready"), page.count("rowlock_oldest_dead_hold_seconds")), (1, 0));
    assert!(page.figure("process_start_time_seconds") > Some(1.7e9) && page.figure("process_cpu_seconds_total") > Some(0.0));
    if let Kind::Postgres = kind {
        let trips = |trips: &str| page.count(&format!(r#"rowlock_store_batches_total{{trips="{trips}"}}"#));
        // A show's first batch and a refusal are never foreseen.
        assert_eq!((trips("one"), trips("several")), (2, 2));
        assert_eq!(
            (page.count("rowlock_store_batches_behind_total"), page.count("rowlock_store_forecasts_failed_total")),
            (0, 0)
        );
        assert!(page.figure("rowlock_store_locking_seconds_total") > Some(0.0));
        let pool = |state: &str| page.count(&format!(r#"rowlock_pool_connections{{pool="writers",state="{state}"}}"#));
        assert_eq!((pool("in_use"), page.count(r#"rowlock_pool_waiting{pool="writers"}"#)), (0, 0));
        assert!((1..=page.count(r#"rowlock_pool_connections_max{pool="writers"}"#)).contains(&pool("idle")));
    }
    assert_eq!(text(metrics_port(&server).await, "/").await, None);
}

/// Whoever scans the server must not fill Prometheus.
async fn a_thousand_unknown_addresses_add_nothing(kind: Kind) {
    let data = Data::fresh(kind);
    let server = Server::start(&data, &[ANYWHERE]).await;
    let mut client = server.client().await;
    let methods = ["GET", "BREW", "PROPFIND"].map(|method| method.parse::<Method>().unwrap());
    for method in &methods {
        for path in ["/x", "/shows/1/seats", "/book/1", "/admin/x"] {
            client.call(method.clone(), path, None, &[]).await;
        }
    }
    let before = Page::of(&server).await;
    for i in 0..1000 {
        let method = methods[i % methods.len()].clone();
        let path = [format!("/x{i}"), format!("/shows/{i}/seats"), format!("/book/{}", i + 1), format!("/admin/{i}?status={i}")];
        client.call(method, &path[i % path.len()], None, &[]).await;
    }
    let brewed: Method = "BREWED".parse().unwrap();
    client.call(brewed, "/x", None, &[]).await;
    let after = Page::of(&server).await;
    assert_eq!(before.figures.keys().collect::<Vec<_>>(), after.figures.keys().collect::<Vec<_>>());
    let unknown = r#"rowlock_refusals_total{code="unknown_route"}"#;
    assert!(after.count(unknown) >= before.count(unknown) + 250);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_in_use_keeps_nobody_from_selling_and_is_taken_when_it_comes_free() {
    let data = Data::fresh(Kind::Sqlite);
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let server = Server::start(&data, &[("METRICS_ADDR", &address)]).await;
    let mut client = server.client().await;
    let show = client.show(1).await;
    client.booked(show, &[1]).await;
    server.until_logged("metrics can't be served yet").await;
    drop(taken);
    assert_eq!(Page::of(&server).await.count(r#"rowlock_commands_total{outcome="held"}"#), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_store_is_away_the_metrics_say_so() {
    let (cluster, data) = tokio::task::spawn_blocking(|| {
        let cluster = Cluster::start().unwrap();
        let data = Data::Postgres(cluster.fresh_database());
        (cluster, data)
    })
    .await
    .unwrap();
    let server = Server::start(&data, &[ANYWHERE]).await;
    assert_eq!(Page::of(&server).await.count("rowlock_store_ready"), 1);
    let cluster = tokio::task::spawn_blocking(move || {
        cluster.stop();
        cluster
    })
    .await
    .unwrap();
    server.client().await.book(1, &[1]).await.problem(503, "store_unavailable");
    let page = Page::of(&server).await;
    assert_eq!(page.count("rowlock_store_ready"), 0);
    assert!(page.figure("rowlock_oldest_dead_hold_seconds").unwrap().is_nan());
    assert!(page.count(r#"rowlock_batch_failures_total{error="unavailable",kind="lane"}"#) > 0);
    drop(cluster);
}

/// Every name in the dashboard and in the rules is that of a metric, so that none of them shows nothing for ever. On the embedded
/// store the server sweeps, as the worker does for the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_deploy_asks_for_is_there() {
    let mut there = BTreeSet::new();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let data = Data::fresh(kind);
        let server = Server::start(&data, &[ANYWHERE]).await;
        server.client().await.get("/nowhere").await.problem(404, "unknown_route");
        there.extend(Page::of(&server).await.names);
    }
    let asked = asked_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy"));
    assert!(asked.len() > 15, "{asked:?}");
    let is_there = |name: &&String| {
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
        there.contains(*name) || family.is_some_and(|family| there.contains(family))
    };
    assert_eq!(asked.iter().filter(|name| !is_there(name)).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// The names of ours, and of processes, that stand in these files.
fn asked_in(folder: &Path) -> BTreeSet<String> {
    let mut asked = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            asked.extend(asked_in(&path));
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        asked.extend(words.filter(|word| word.starts_with("rowlock_") || word.starts_with("process_")).map(str::to_owned));
    }
    asked
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setting_that_is_no_address_is_refused() {
    for wrong in ["4002", "127.0.0.1", "example.org:80"] {
        let output = crate::support::command(&[("METRICS_ADDR", wrong), ("OTEL_TRACES_SAMPLER_ARG", "2")]);
        let output = { output }.stderr(std::process::Stdio::piped()).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && text.contains("METRICS_ADDR") && text.contains("OTEL_TRACES_SAMPLER_ARG"), "{text}");
    }
}

/// The dashboard is valid, and every panel asks for something.
#[test]
fn the_dashboard_is_json_and_no_panel_is_empty() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/grafana/dashboards/rowlock.json");
    let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() > 8);
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert!(
            panel["targets"].as_array().is_some_and(|targets| targets.iter().all(|target| target["expr"] != json!(null))),
            "{panel}"
        );
        assert!(panel["description"].as_str().is_some_and(|text| text.len() > 10), "{panel}");
    }
}
