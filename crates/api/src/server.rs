//! The life of the server: open, serve, and close without losing a command.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_cors::Cors;
use actix_web::http::header;
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App as ActixApp, HttpServer};
use anyhow::Context;
use box_office::{BoxOffice, Sweeper, call_off_shows, forget_keys};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::app::App;
use crate::door::door;
use crate::idempotency::{KEY, REPLAYED};
use crate::openapi::{Documentation, House};
use crate::rate_limit::{RATE_LIMIT, RATE_LIMIT_POLICY, RateLimits};
use crate::request_log::log;
use crate::routes::{calls, routes};
use crate::settings::ApiSettings;
use crate::store::{self, Database};
use crate::watching::Watching;

/// How long open requests may take after the signal to stop, in seconds.
const SHUTDOWN_SECONDS_MAX: u64 = 12;

/// Open files that are asked for at start, if the system lets us: each client is one.
const FILES_MAX: u64 = 65_536;

/// Lets as many clients in as the system allows: what a shell allows at first, a crowd uses up.
fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.unwrap_or(FILES_MAX).min(FILES_MAX);
    if limit.current.is_some_and(|current| current < wanted) {
        // Without it fewer clients are served at once, no more.
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum }) {
            tracing::warn!(%error, "the limit of open files can't be raised");
        }
    }
}

/// Serves until SIGTERM or Ctrl-C; then answers what has begun, and returns.
///
/// # Errors
/// When the store can't be opened or the address can't be bound, or the store turns out to be one that this program must not
/// touch.
pub async fn serve(settings: ApiSettings) -> anyhow::Result<()> {
    settings.access.warn();
    allow_many_files();
    let store = store::open(&settings.database)?;
    let watching = Watching::begin(&settings.traces, &store)?;
    let house = House { seats_per_booking_max: settings.seats_per_booking_max, guarded: settings.access.is_guarded() };
    let documentation = Data::new(Documentation::new(&calls(), &house));
    let app = Data::new(App {
        box_office: BoxOffice::open_observed(&store.bookings, &settings.plan, &watching.office),
        bookings: Arc::clone(&store.bookings),
        shows: store.shows,
        health: Arc::clone(&store.health),
        prepared: AtomicBool::new(false),
        requests: watching.requests()?,
        traces: watching.traces.clone(),
        access: settings.access,
        trusted_proxies: settings.trusted_proxies,
        rate_limits: RateLimits::new(settings.rate_limit_reads, settings.rate_limit_writes),
        hold_for: settings.hold_for,
        hold_limit: settings.hold_limit,
        keep_keys_for: settings.keep_keys_for,
        seats_per_booking_max: settings.seats_per_booking_max,
        time_zone: settings.time_zone,
    });
    let (stop, stopped) = watch::channel(());
    // An embedded store has no worker beside it.
    let sweeps = matches!(settings.database, Database::Sqlite(_)).then(|| watching.sweeps()).transpose()?;
    let sweeping = sweeps.map(|observer| {
        let until = |mut stopped: watch::Receiver<()>| async move {
            let _ = stopped.changed().await;
        };
        let sweeper = Sweeper::new(Arc::clone(&store.bookings), settings.sweep).observed_by(observer);
        let sweeping = sweeper.run(until(stopped.clone()));
        let forgetting = forget_keys(Arc::clone(&store.bookings), settings.sweep.batch, until(stopped.clone()));
        let calling_off = call_off_shows(Arc::clone(&app.shows), store.bookings, until(stopped.clone()));
        tokio::spawn(async { tokio::join!(sweeping, forgetting, calling_off) })
    });
    watching.serve(&app, settings.metrics)?;
    let state = app.clone();
    let origins = settings.cors_allowed_origins;
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(state.clone())
            .app_data(documentation.clone())
            .configure(routes)
            .wrap(from_fn(door))
            .wrap(cors(&origins))
            .wrap(from_fn(log))
    })
    .workers(settings.http_workers)
    // A connection takes some 25 KiB. One more than these waits in the backlog until another one ends.
    .max_connections(settings.connections_max.div_ceil(settings.http_workers))
    .backlog(4096)
    .keep_alive(Duration::from_secs(75))
    .client_request_timeout(Duration::from_secs(10))
    .shutdown_timeout(SHUTDOWN_SECONDS_MAX)
    .disable_signals()
    .bind(settings.address)
    .with_context(|| format!("can't listen on {}", settings.address))?;
    for address in server.addrs() {
        tracing::info!(%address, "listening");
    }
    let mut server = server.run();
    let handle = server.handle();
    let preparing = async {
        store::prepare(&settings.database, store.health.as_ref(), settings.migrate_on_start).await?;
        app.prepared.store(true, Ordering::Release);
        Ok(())
    };
    let result = tokio::select! {
        ended = &mut server => ended.context("the server failed"),
        reason = until_stopped(preparing) => {
            tracing::info!("closing");
            let (ended, ()) = tokio::join!(server, handle.stop(true));
            reason.and(ended.context("the server failed"))
        }
    };
    // No request is being handled any more; what they handed in is finished now.
    app.box_office.close().await;
    stop.send_replace(());
    if let Some(sweeping) = sweeping {
        sweeping.await.context("the sweeper failed")?;
    }
    if let Some(traces) = &app.traces {
        traces.close().await;
    }
    tracing::info!("closed");
    result
}

/// Waits for a signal, or for the news that the store can't be used.
async fn until_stopped(preparing: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let unusable = async {
        match preparing.await {
            Ok(()) => {
                tracing::info!("ready");
                std::future::pending().await
            }
            Err(error) => Err(error),
        }
    };
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        error = unusable => error,
    }
}

/// The origins whose pages may call; `*` for any.
fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "POST"])
        .allowed_headers([header::CONTENT_TYPE, header::AUTHORIZATION, header::ACCEPT])
        .allowed_header("x-request-id")
        .allowed_header(KEY)
        .expose_headers(["x-request-id", "retry-after", "link"])
        .expose_headers([RATE_LIMIT, RATE_LIMIT_POLICY])
        .expose_headers([REPLAYED.0])
        .max_age(3600);
    if origins.iter().any(|origin| origin == "*") {
        return cors.allow_any_origin();
    }
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

/// Asks a server on this machine whether it can serve, for health checks where no other HTTP client is at hand.
///
/// # Errors
/// When it does not answer, or not with 200.
pub fn probe(address: SocketAddr) -> anyhow::Result<()> {
    let patience = Duration::from_secs(4);
    let mut stream = TcpStream::connect_timeout(&address, patience).with_context(|| format!("{address} does not answer"))?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(64 * 1024).read_to_string(&mut answer)?;
    anyhow::ensure!(answer.starts_with("HTTP/1.1 200 "), "{}", answer.lines().next().unwrap_or("no answer"));
    Ok(())
}
