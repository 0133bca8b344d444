//! Traces, as a collector receives them.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Response, StatusCode};
use loadgen::client::Method;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Attribute;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;
use rustix::process::Signal;
use serde_json::json;

use crate::support::{Data, Kind, Server, on_both_stores};

/// Keeps what it is sent, and answers as it is told.
struct Collector {
    endpoint: String,
    parcels: Arc<Mutex<Vec<Bytes>>>,
    status: Arc<Mutex<StatusCode>>,
}

impl Collector {
    async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let parcels = Arc::new(Mutex::new(Vec::new()));
        let status = Arc::new(Mutex::new(StatusCode::OK));
        let kept = (Arc::clone(&parcels), Arc::clone(&status));
        tokio::spawn(telemetry::serve(listener, move |request| {
            let (kept, status) = kept.clone();
            async move {
                assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/v1/traces"));
                assert_eq!(request.headers()["content-type"], "application/x-protobuf");
                let body = request.into_body().collect().await.unwrap().to_bytes();
                kept.lock().unwrap().push(body);
                let mut response = Response::new(Full::from(Bytes::new()));
                *response.status_mut() = *status.lock().unwrap();
                response
            }
        }));
        Self { endpoint, parcels, status }
    }

    fn answer(&self, status: StatusCode) {
        *self.status.lock().unwrap() = status;
    }

    /// Every span, with the name of the service that sent it.
    fn spans(&self) -> Vec<(String, Span)> {
        let parcels = self.parcels.lock().unwrap();
        let parcels = parcels.iter().map(|parcel| ExportTraceServiceRequest::decode(parcel.clone()).unwrap());
        let resources = parcels.flat_map(|parcel| parcel.resource_spans);
        let spans = resources.flat_map(|of| {
            let service = attribute(&of.resource.unwrap().attributes, "service.name").unwrap();
            of.scope_spans.into_iter().flat_map(|scope| scope.spans).map(move |span| (service.clone(), span))
        });
        spans.collect()
    }

    /// The spans of this name.
    fn named(&self, name: &str) -> Vec<Span> {
        self.spans().into_iter().map(|(_, span)| span).filter(|span| span.name == name).collect()
    }
}

fn attribute(attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    Some(match found.value.clone()?.value? {
        Attribute::StringValue(text) => text,
        Attribute::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    })
}

/// Nothing is sent before the end, so that all of it must be sent then.
const AT_THE_END: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "600000");

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

fn from_hex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

async fn ended(server: Server) {
    server.signal(Signal::TERM);
    assert!(server.exited().await.success());
}

on_both_stores! {
    a_request_is_a_span_of_its_callers_trace_and_its_batch_links_it
    what_nobody_wants_traced_is_not
}

async fn a_request_is_a_span_of_its_callers_trace_and_its_batch_links_it(kind: Kind) {
    let collector = Collector::open().await;
    let data = Data::fresh(kind);
    let secret = [("BOOKING_SECRET", "a-secret-for-booking-tokens"), ("ADMIN_TOKEN", "a-token-for-the-admin")];
    let tracing = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()), ("OTEL_SERVICE_NAME", "the-house"), AT_THE_END];
    let server = Server::start(&data, &[&tracing[..], &secret, &[("RUST_LOG", "info")]].concat()).await;
    let mut client = server.client().await;
    let show = client.show(4).await;
    let book = json!({"showId": show, "seats": [1, 2], "userName": "Scheherazade"}).to_string();
    let parent = format!("00-{TRACE}-{PARENT}-01");
    let headers = [
        ("traceparent", parent.as_str()),
        ("tracestate", "who=me-myself"),
        ("x-request-id", "mine-to-choose"),
        ("authorization", "Bearer of-bad-news"),
    ];
    let booked = client.call(Method::POST, "/book", Some(book.as_bytes()), &headers).await.expect(201);
    client.get("/nowhere/Scheherazade").await.problem(404, "unknown_route");
    client.get("/healthz").await.expect(200);
    client.get("/readyz").await.expect(200);
    server.until_logged(&format!(r#""trace_id":"{TRACE}""#)).await;
    ended(server).await;

    let requests = collector.named("POST /book");
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!((&request.trace_id, &request.parent_span_id), (&from_hex(TRACE), &from_hex(PARENT)));
    assert_eq!(request.kind(), SpanKind::Server);
    for (key, value) in [("http.route", "/book"), ("http.request.method", "POST"), ("http.response.status_code", "201")] {
        assert_eq!(attribute(&request.attributes, key).as_deref(), Some(value), "{key}");
    }
    let batches = collector.named("batch");
    let [batch] = batches.as_slice() else { panic!("{batches:?}") };
    let links: Vec<_> = batch.links.iter().map(|link| (&link.trace_id, &link.span_id)).collect();
    assert_eq!(links, [(&request.trace_id, &request.span_id)]);
    assert_ne!(batch.trace_id, request.trace_id, "it serves many");
    assert_eq!(attribute(&batch.attributes, "rowlock.batch.commands").as_deref(), Some("1"));
    assert!(batch.start_time_unix_nano >= request.start_time_unix_nano && batch.end_time_unix_nano <= request.end_time_unix_nano);
    let stores = collector.named("store");
    let [store] = stores.as_slice() else { panic!("{stores:?}") };
    assert_eq!((&store.trace_id, &store.parent_span_id), (&request.trace_id, &request.span_id), "from the request to its batch");
    let links: Vec<_> = store.links.iter().map(|link| (&link.trace_id, &link.span_id)).collect();
    assert_eq!(links, [(&batch.trace_id, &batch.span_id)]);
    assert_eq!(attribute(&store.attributes, "rowlock.batch.kind").as_deref(), Some("lane"));
    assert_eq!(collector.named("GET").len(), 1, "an unknown address is not a name");
    let probes = collector.spans().into_iter().filter(|(_, span)| span.name.ends_with('z'));
    assert_eq!(probes.count(), 0, "somebody asks every few seconds");
    assert!(collector.spans().iter().all(|(service, _)| service == "the-house"));

    let sent = collector.parcels.lock().unwrap().concat();
    let token = booked["bookingToken"].as_str().unwrap();
    for private in ["Scheherazade", token, "mine-to-choose", "me-myself", "bad-news", "secret-for", "token-for"] {
        assert!(!sent.windows(private.len()).any(|bytes| bytes == private.as_bytes()), "{private}");
    }
}

async fn what_nobody_wants_traced_is_not(kind: Kind) {
    let collector = Collector::open().await;
    let data = Data::fresh(kind);
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str());
    let server = Server::start(&data, &[endpoint, AT_THE_END, ("OTEL_TRACES_SAMPLER_ARG", "0")]).await;
    let mut client = server.client().await;
    let show = client.show(4).await;
    for (seat, flag) in [(1, "00"), (2, "01")] {
        let parent = format!("00-{TRACE}-{PARENT}-{flag}");
        let book = json!({"showId": show, "seats": [seat]}).to_string();
        client.call(Method::POST, "/book", Some(book.as_bytes()), &[("traceparent", &parent)]).await.expect(201);
    }
    client.booked(show, &[3]).await;
    let broken = [("traceparent", "00-nonsense")];
    client.call(Method::GET, "/shows", None, &broken).await.expect(200);
    ended(server).await;
    let names: Vec<String> = collector.spans().into_iter().map(|(_, span)| span.name).collect();
    assert_eq!(names.iter().filter(|name| *name == "POST /book").count(), 1, "{names:?}");
    assert_eq!(names.iter().filter(|name| *name == "batch").count(), 1, "{names:?}");
    assert_eq!(names.iter().filter(|name| *name == "store").count(), 1, "{names:?}");
    assert_eq!(names.len(), 3, "{names:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_that_failed_holds_is_a_span() {
    let collector = Collector::open().await;
    let data = Data::fresh(Kind::Sqlite);
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str());
    let server = Server::start(&data, &[endpoint, AT_THE_END, ("HOLD_SECONDS", "0.1"), ("OTEL_TRACES_SAMPLER_ARG", "0")]).await;
    let mut client = server.client().await;
    let show = client.show(1).await;
    client.booked(show, &[1]).await;
    server.until_logged("expired holds").await;
    ended(server).await;
    let spans = collector.spans();
    let [(service, sweep)] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!((service.as_str(), sweep.name.as_str()), ("rowlock-api", "sweep"));
    assert_eq!(attribute(&sweep.attributes, "rowlock.sweep.bookings").as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trouble_with_the_collector_disturbs_nobody_and_is_logged_once() {
    let collector = Collector::open().await;
    collector.answer(StatusCode::SERVICE_UNAVAILABLE);
    let data = Data::fresh(Kind::Sqlite);
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str());
    let server = Server::start(&data, &[endpoint, ("OTEL_BSP_SCHEDULE_DELAY", "10")]).await;
    let mut client = server.client().await;
    let show = client.show(1).await;
    client.booked(show, &[1]).await;
    let until = Instant::now() + Duration::from_mins(1);
    while collector.parcels.lock().unwrap().len() < 10 {
        assert!(Instant::now() < until, "{}", server.log());
        client.get("/shows").await.expect(200);
    }
    collector.answer(StatusCode::OK);
    while !server.log().contains("traces are being sent again") {
        assert!(Instant::now() < until, "{}", server.log());
        client.get("/shows").await.expect(200);
    }
    assert_eq!(server.log().matches("traces can't be sent").count(), 1, "{}", server.log());
    ended(server).await;
}

/// One that nobody answers at, and one that takes the connection and no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_or_silent_does_not_keep_a_server_from_ending() {
    let silent = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let away = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let endpoints = [&silent, &away].map(|listener| format!("http://{}", listener.local_addr().unwrap()));
    drop(away);
    for endpoint in &endpoints {
        let data = Data::fresh(Kind::Sqlite);
        let server = Server::start(&data, &[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), AT_THE_END]).await;
        let mut client = server.client().await;
        let show = client.show(1).await;
        client.booked(show, &[1]).await;
        ended(server).await;
    }
}
