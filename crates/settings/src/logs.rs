//! Logs: events on standard error, a line each.

use std::io::{self, IsTerminal as _};

use thiserror::Error;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::{LogFormat, LogSettings};

/// Why logs can't be set up.
#[derive(Debug, Error)]
pub enum LogError {
    /// `RUST_LOG` can't be read.
    #[error("can't read RUST_LOG: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// They have been set up before.
    #[error("logs are set up once for each process: {0}")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Sets up the logs of this process, once.
pub fn init(settings: &LogSettings) -> Result<(), LogError> {
    let terminal = io::stderr().is_terminal();
    let json = match settings.format {
        LogFormat::Auto => !terminal,
        LogFormat::Pretty => false,
        LogFormat::Json => true,
    };
    Ok(subscriber(&settings.filter, json, terminal, io::stderr)?.try_init()?)
}

/// Times are RFC 3339 in UTC in either form.
fn subscriber<W>(filter: &str, json: bool, color: bool, writer: W) -> Result<Box<dyn Subscriber + Send + Sync>, LogError>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt().with_env_filter(EnvFilter::try_new(filter)?).with_writer(writer);
    Ok(if json {
        Box::new(lines.json().flatten_event(true).with_span_list(false).finish())
    } else {
        Box::new(lines.with_ansi(color).finish())
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(json: bool) -> String {
        let page = Page::default();
        let writer = page.clone();
        let subscriber = subscriber("info", json, false, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(port = 4000, "listening");
            tracing::debug!("not this");
        });
        String::from_utf8(page.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_json_line_is_flat_and_has_its_time_in_utc() {
        let line = logged(true);
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.starts_with("{\"timestamp\":\"20") && line.contains("Z\",\"level\":\"INFO\""), "{line}");
        assert!(line.contains("\"message\":\"listening\",\"port\":4000"), "{line}");
    }

    #[test]
    fn a_pretty_line_is_for_people() {
        let line = logged(false);
        assert!(line.contains("Z  INFO") && line.contains("listening port=4000"), "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
    }

    #[test]
    fn a_filter_that_is_wrong_is_an_error() {
        assert!(subscriber("info=a=b", true, false, io::stderr).is_err());
    }
}
