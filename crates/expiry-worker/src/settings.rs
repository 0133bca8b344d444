//! The settings of the worker.

use std::net::SocketAddr;
use std::path::PathBuf;

use ::settings::{LogSettings, Mistakes, Reader, Secret, Setting, StoreSettings, SweepSettings, TraceSettings, parse};

/// All that the worker needs to know.
pub(crate) struct WorkerSettings {
    pub(crate) url: Secret,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) sweep: SweepSettings,
    pub(crate) health_port: u16,
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) traces: TraceSettings,
    pub(crate) log: LogSettings,
}

const OWN: [Setting; 3] = [
    Setting {
        name: "DATABASE_CA_FILE",
        default: None,
        secret: false,
        help: "certificates to trust for PostgreSQL besides the system's, a PEM file",
    },
    Setting {
        name: "WORKER_HEALTH_PORT",
        default: Some("4001"),
        secret: false,
        help: "port on loopback that says how the worker is; 0 for any",
    },
    Setting {
        name: "WORKER_METRICS_ADDR",
        default: Some("127.0.0.1:4003"),
        secret: false,
        help: "address and port of the worker's metrics, for Prometheus; off for none",
    },
];

impl WorkerSettings {
    /// Every setting of the worker, for `--help`.
    pub(crate) fn table() -> Vec<Setting> {
        [&OWN[..], &StoreSettings::TABLE[..1], &SweepSettings::TABLE, &TraceSettings::TABLE, &LogSettings::TABLE].concat()
    }

    /// The settings, or everything that is wrong with them.
    pub(crate) fn read(mut reader: Reader) -> Result<Self, Mistakes> {
        if !reader.is_set("DATABASE_URL") {
            reader.refuse("DATABASE_URL", "a PostgreSQL; on the embedded store the api sweeps by itself");
        }
        let url = reader.find("DATABASE_URL", parse::database_url);
        let ca_file = reader.find("DATABASE_CA_FILE", parse::path);
        let sweep = SweepSettings::read(&mut reader);
        let health_port = reader.get("WORKER_HEALTH_PORT", parse::port);
        let metrics = reader.get("WORKER_METRICS_ADDR", parse::address_or_off);
        let traces = TraceSettings::read(&mut reader);
        let log = LogSettings::read(&mut reader);
        reader.finish(|| {
            Some(Self {
                url: url?,
                ca_file,
                sweep: sweep?,
                health_port: health_port?,
                metrics: metrics?,
                traces: traces?,
                log: log?,
            })
        })
    }
}
