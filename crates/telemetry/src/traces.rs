//! Traces: a span for each request that is traced and for its time in the store, for each batch that serves one, and for each sweep that
//! did something.

mod courier;
mod sampler;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use box_office::{Batch, Caller};
use domain::{StoreError, Sweep};
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{
    Link, Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span};
use settings::TraceSettings;
use thiserror::Error;

use crate::office_watch::{word_for, word_for_error};
use crate::requests::known_method;
use crate::traces::courier::Courier;
use crate::traces::sampler::Chosen;

/// Where a collector takes traces, behind its address.
const PATH: &str = "/v1/traces";

/// Commands in a batch, at most: each may be linked.
const LINKS_MAX: u32 = 4096;

/// How long the last spans may take at the end.
const FLUSH_PATIENCE: Duration = Duration::from_secs(3);

/// Why nothing can be traced.
#[derive(Debug, Error)]
#[error("traces can't be sent: {0}")]
pub struct TracesError(String);

/// Makes spans, and sends them to a collector in the background. Where that does not take them they are dropped.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    propagator: TraceContextPropagator,
}

impl Traces {
    /// Starts tracing, if there is a collector to send to. Must be called within a tokio runtime, which then does the sending.
    ///
    /// # Errors
    /// [`TracesError`] when the collector's address can't be used. That it can't be reached only shows in the log.
    pub fn start(
        settings: &TraceSettings,
        program: &'static str,
        version: &'static str,
    ) -> Result<Option<Arc<Self>>, TracesError> {
        let Some(endpoint) = &settings.endpoint else { return Ok(None) };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Courier::new())
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}{PATH}", endpoint.trim_end_matches('/')))
            .build()
            .map_err(|error| TracesError(error.to_string()))?;
        let service = settings.service.clone().unwrap_or_else(|| program.to_owned());
        let resource =
            Resource::builder().with_service_name(service).with_attribute(KeyValue::new("service.version", version)).build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Chosen::share(settings.share))
            .with_resource(resource)
            .with_max_links_per_span(LINKS_MAX)
            .build();
        tracing::info!(collector = endpoint, share = settings.share, "tracing");
        Ok(Some(Arc::new(Self { tracer: provider.tracer("rowlock"), provider, propagator: TraceContextPropagator::new() })))
    }

    /// The span of a request that has just come, as one of its caller's if its header says so; `None` if it is not traced.
    pub fn request<'a>(&self, header: impl Fn(&str) -> Option<&'a str>) -> Option<RequestSpan> {
        let parent = self.propagator.extract_with_context(&Context::new(), &Parent(header(PARENT)));
        let builder = self.tracer.span_builder("request").with_kind(SpanKind::Server);
        let span = self.tracer.build_with_context(builder, &parent);
        span.is_recording().then(|| RequestSpan(Box::new(span)))
    }

    /// The span of a batch, if it served a request that is traced, with a link to each; and in the trace of each how long the store took,
    /// with a link to the batch: links are followed one way only.
    pub(crate) fn batch(&self, batch: &Batch<'_>) {
        if batch.callers.is_empty() {
            return;
        }
        let links = batch.callers.iter().map(|caller| Link::with_context(caller_context(caller))).collect();
        let kind = KeyValue::new("rowlock.batch.kind", word_for(batch.kind));
        let commands = KeyValue::new("rowlock.batch.commands", i64::try_from(batch.commands).unwrap_or(i64::MAX));
        let attributes = vec![kind.clone(), commands];
        let builder = self.tracer.span_builder("batch").with_links(links).with_attributes(attributes);
        let shared = self.past(&Context::new(), builder, batch.took, batch.error);
        for caller in batch.callers {
            let request = Context::new().with_remote_span_context(caller_context(caller));
            let builder = self.tracer.span_builder("store").with_links(vec![Link::with_context(shared.clone())]);
            let builder = builder.with_attributes(vec![kind.clone()]);
            self.past(&request, builder, batch.took, batch.error);
        }
    }

    /// The span of a sweep that failed holds, or that could not.
    pub(crate) fn sweep(&self, sweep: &Result<Sweep, StoreError>, took: Duration) {
        let attributes = match sweep {
            Ok(sweep) if sweep.expired.is_empty() => return,
            Ok(sweep) => vec![
                KeyValue::new("rowlock.sweep.bookings", i64::try_from(sweep.expired.len()).unwrap_or(i64::MAX)),
                KeyValue::new("rowlock.sweep.lag_seconds", sweep.lag_max.as_secs_f64()),
            ],
            Err(_) => Vec::new(),
        };
        let builder = self.tracer.span_builder("sweep").with_attributes(attributes);
        self.past(&Context::new(), builder, took, sweep.as_ref().err());
    }

    /// A span that has just ended; without a parent it begins a trace.
    fn past(&self, parent: &Context, builder: SpanBuilder, took: Duration, error: Option<&StoreError>) -> SpanContext {
        let ended = SystemTime::now();
        let builder = builder.with_kind(SpanKind::Internal).with_start_time(ended - took);
        let mut span = self.tracer.build_with_context(builder, parent);
        if let Some(error) = error {
            span.set_status(Status::error(word_for_error(error)));
        }
        span.end_with_timestamp(ended);
        span.span_context().clone()
    }

    /// Sends what is left, within a few seconds.
    pub async fn close(&self) {
        let provider = self.provider.clone();
        // It blocks.
        let closed = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH_PATIENCE)).await;
        if !matches!(closed, Ok(Ok(()))) {
            tracing::warn!("the last traces could not be sent");
        }
    }
}

fn caller_context(caller: &Caller) -> SpanContext {
    let (trace, span) = (TraceId::from(caller.trace), SpanId::from(caller.span));
    SpanContext::new(trace, span, TraceFlags::SAMPLED, false, TraceState::default())
}

/// The header in which a caller says what its request is part of. What else a trace may carry is left out: it could be anything, and
/// there is nobody to hand it on to.
const PARENT: &str = "traceparent";

/// The one header of a request that is of interest here, if it has it.
struct Parent<'a>(Option<&'a str>);

impl Extractor for Parent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.filter(|_| key == PARENT)
    }

    fn keys(&self) -> Vec<&str> {
        vec![PARENT]
    }
}

/// The span of a request that is being handled.
#[derive(Debug)]
pub struct RequestSpan(Box<Span>);

impl RequestSpan {
    /// The request, for the box office.
    pub fn caller(&self) -> Caller {
        let context = self.0.span_context();
        let (trace, span) = (context.trace_id().to_bytes(), context.span_id().to_bytes());
        Caller { trace: u128::from_be_bytes(trace), span: u64::from_be_bytes(span) }
    }

    /// The id of its trace, for the log.
    pub fn trace_id(&self) -> String {
        self.0.span_context().trace_id().to_string()
    }

    /// The request has been answered. The route is its pattern, which holds nothing of the client's.
    pub fn end(mut self, method: &str, route: Option<String>, status: u16) {
        let method = known_method(method);
        let name: Cow<'static, str> =
            route.as_ref().map_or(Cow::Borrowed(method), |route| Cow::Owned(format!("{method} {route}")));
        self.0.update_name(name);
        self.0.set_attribute(KeyValue::new("http.request.method", method));
        self.0.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if let Some(route) = route {
            self.0.set_attribute(KeyValue::new("http.route", route));
        }
        if status >= 500 {
            self.0.set_status(Status::error(""));
        }
        self.0.end();
    }
}
