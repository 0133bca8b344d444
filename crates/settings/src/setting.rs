//! What a setting is, and which there are.

use std::fmt::Write as _;

/// One setting, as it stands in a program's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The name of its environment variable; in the file it is written in lower case.
    pub name: &'static str,
    /// Its value when nobody sets it, written as in the environment.
    pub default: Option<&'static str>,
    /// A secret's value is never printed.
    pub secret: bool,
    /// What it is for, in one line.
    pub help: &'static str,
}

/// The names of every setting of every program. The programs share one file, so each must know the others' names to tell
/// them from a slip of the pen. A table with a name that is not listed here is refused.
pub const NAMES: &[&str] = &[
    "ACCESS",
    "ADMIN_TOKEN",
    "ADMIN_TOKENS",
    "BATCH_MAX",
    "BOOKING_SECRET",
    "CONNECTIONS_MAX",
    "CORS_ALLOWED_ORIGINS",
    "DATABASE_CA_FILE",
    "DATABASE_READERS_MAX",
    "DATABASE_URL",
    "DATA_DIR",
    "HOLD_LIMIT_SECONDS",
    "HOLD_SECONDS",
    "HOST",
    "HTTP_WORKERS",
    "IDEMPOTENCY_SECONDS",
    "LANES",
    "LOG_FORMAT",
    "METRICS_ADDR",
    "MIGRATE_ON_START",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_SERVICE_NAME",
    "OTEL_TRACES_SAMPLER_ARG",
    "PATIENCE_SECONDS",
    "PORT",
    "QUEUE_MAX",
    "RATE_LIMIT_READS",
    "RATE_LIMIT_WRITES",
    "RUST_LOG",
    "SEATS_PER_BOOKING_MAX",
    "SWEEP_BATCH",
    "SWEEP_SECONDS",
    "TIME_ZONE",
    "TRUSTED_PROXIES",
    "WORKER_HEALTH_PORT",
    "WORKER_METRICS_ADDR",
];

/// Name, help and default of every setting, a line each, for `--help`.
pub fn help_table(table: &[Setting]) -> String {
    let width = table.iter().map(|setting| setting.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for Setting { name, default, help, .. } in table {
        let default = default.map(|value| format!(" [default: {value}]")).unwrap_or_default();
        // Writing into a String can't fail.
        let _written = writeln!(text, "  {name:width$}  {help}{default}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_can_be_changed_through_compose() {
        // Files and names within the container.
        let fixed = ["DATABASE_CA_FILE", "DATA_DIR", "OTEL_SERVICE_NAME"];
        let compose = include_str!("../../../docker-compose.yml");
        let is_passed = |name: &&&str| compose.lines().any(|line| line.trim_start().starts_with(&format!("{name}: ")));
        let missing: Vec<_> = NAMES.iter().filter(|name| !fixed.contains(name)).filter(|name| !is_passed(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn the_names_are_sorted_and_unique() {
        assert!(NAMES.is_sorted_by(|one, next| one < next));
    }

    #[test]
    fn help_is_a_line_for_each_setting_with_its_default() {
        let table = [
            Setting { name: "PORT", default: Some("4000"), secret: false, help: "the port to listen on" },
            Setting { name: "ADMIN_TOKEN", default: None, secret: true, help: "opens the admin routes" },
        ];
        let expected = "  PORT         the port to listen on [default: 4000]\n  ADMIN_TOKEN  opens the admin routes\n";
        assert_eq!(help_table(&table), expected);
    }
}
