//! Settings that more than one program reads.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use crate::{Reader, Secret, Setting, Value, parse};

/// The fastest and the slowest tick of the sweep.
const TICK_MIN: Duration = Duration::from_millis(10);
const TICK_MAX: Duration = Duration::from_hours(1);
/// The most rows that one transaction of the sweep takes.
const BATCH_MAX: NonZeroU32 = NonZeroU32::MIN.saturating_add(9_999);

/// Which store, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// PostgreSQL, if set.
    pub database_url: Option<Secret>,
    /// Else SQLite, in this folder.
    pub data_dir: PathBuf,
}

impl StoreSettings {
    /// The settings to put into a program's table.
    pub const TABLE: [Setting; 2] = [
        Setting {
            name: "DATABASE_URL",
            default: None,
            secret: true,
            help: "PostgreSQL, as postgres://user:password@host:port/database; absent: SQLite in DATA_DIR",
        },
        Setting { name: "DATA_DIR", default: Some("./data"), secret: false, help: "the folder of SQLite's file" },
    ];

    /// Reads them.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let database_url = reader.find("DATABASE_URL", parse::database_url);
        Some(Self { database_url, data_dir: reader.get("DATA_DIR", parse::path)? })
    }
}

/// How dead holds are swept up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SweepSettings {
    /// The time between two sweeps.
    pub tick: Duration,
    /// The most bookings in one transaction.
    pub batch: NonZeroU32,
}

impl SweepSettings {
    /// The settings to put into a program's table.
    pub const TABLE: [Setting; 2] = [
        Setting {
            name: "SWEEP_SECONDS",
            default: Some("1"),
            secret: false,
            help: "the time between two sweeps for dead holds; fractions allowed",
        },
        Setting { name: "SWEEP_BATCH", default: Some("500"), secret: false, help: "the most dead holds in one transaction" },
    ];

    /// Reads them.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let tick = reader.get("SWEEP_SECONDS", parse::seconds(TICK_MIN..=TICK_MAX));
        let batch = reader.get("SWEEP_BATCH", parse::count(NonZeroU32::MIN..=BATCH_MAX));
        Some(Self { tick: tick?, batch: batch? })
    }
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people when standard error is a terminal, else for machines.
    Auto,
    /// For people.
    Pretty,
    /// A JSON object a line.
    Json,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// In the syntax of `RUST_LOG`.
    pub filter: String,
    /// How a line looks.
    pub format: LogFormat,
}

impl LogSettings {
    /// The settings to put into a program's table.
    pub const TABLE: [Setting; 2] = [
        Setting {
            name: "RUST_LOG",
            default: Some("info,actix_http=off"),
            secret: false,
            help: "what is logged, such as info or api=debug,info",
        },
        Setting {
            name: "LOG_FORMAT",
            default: Some("auto"),
            secret: false,
            help: "pretty, json, or auto: pretty on a terminal, else json",
        },
    ];

    /// Reads them.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let formats = [("auto", LogFormat::Auto), ("pretty", LogFormat::Pretty), ("json", LogFormat::Json)];
        let filter = reader.get("RUST_LOG", filter);
        let format = reader.get("LOG_FORMAT", parse::one_of(&formats));
        Some(Self { filter: filter?, format: format? })
    }
}

/// What is traced, and where to.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSettings {
    /// Where a collector takes OTLP over HTTP, such as `http://localhost:4318`. Without it nothing is traced.
    pub endpoint: Option<String>,
    /// What this program calls itself, if that is not its own name.
    pub service: Option<String>,
    /// How many of the requests are traced whose callers have not decided that, from 0 to 1.
    pub share: f64,
}

impl TraceSettings {
    /// The settings to put into a program's table. Their names are OpenTelemetry's.
    pub const TABLE: [Setting; 3] = [
        Setting {
            name: "OTEL_EXPORTER_OTLP_ENDPOINT",
            default: None,
            secret: false,
            help: "a collector that takes traces as OTLP over HTTP, such as http://localhost:4318; absent: nothing is traced",
        },
        Setting { name: "OTEL_SERVICE_NAME", default: None, secret: false, help: "what this program is called in traces" },
        Setting {
            name: "OTEL_TRACES_SAMPLER_ARG",
            default: Some("1"),
            secret: false,
            help: "the share of requests that are traced, 0 to 1; one with a traceparent is traced if that says so",
        },
    ];

    /// Reads them.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let endpoint = reader.find("OTEL_EXPORTER_OTLP_ENDPOINT", parse::http_url);
        let service = reader.find("OTEL_SERVICE_NAME", parse::text);
        Some(Self { endpoint, service, share: reader.get("OTEL_TRACES_SAMPLER_ARG", parse::share)? })
    }
}

/// The HTTP library calls every request that it can't parse an error: it is heard only where it is named.
const QUIET: &str = "actix_http";

fn filter(value: &Value) -> Result<String, String> {
    let text = value.text().filter(|text| EnvFilter::try_new(text).is_ok());
    let text = text.ok_or_else(|| "levels such as info or api=debug,info".to_owned())?;
    Ok(if text.contains(QUIET) { text.to_owned() } else { format!("{text},{QUIET}=off") })
}
