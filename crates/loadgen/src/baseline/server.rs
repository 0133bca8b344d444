//! The usual server, and one that does nothing at all.

use std::io::Write;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use actix_web::web::{self, Data, Json};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::Context;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use serde::Deserialize;
use serde_json::json;
use tokio_postgres::NoTls;

use super::booking::{self, Ending, Failure};

/// How a hold is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Way {
    /// `BEGIN`, lock, insert, update, `COMMIT`
    #[default]
    FiveStatements,
    /// One statement, which commits by itself
    OneStatement,
}

impl Way {
    /// What the command line calls it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::FiveStatements => "five-statements",
            Self::OneStatement => "one-statement",
        }
    }
}

/// How the server is set up.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct ServerOptions {
    /// The product's database, with its tables. Without it, every hold is answered with 201 and nothing is done
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Connections in the pool
    #[arg(long, default_value_t = 16)]
    pub pool_size: usize,
    /// Threads that serve; by default one for two cores, as the product has
    #[arg(long, default_value_t = half_of_the_cores())]
    pub workers: usize,
    /// How a hold is done
    #[arg(long, value_enum, default_value_t)]
    pub way: Way,
}

fn half_of_the_cores() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1))
}

/// The server's parent is gone, or the server was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerStopped;

#[derive(Deserialize)]
struct NewShow {
    name: String,
    total_seats: i32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewHold {
    show_id: i64,
    seats: Vec<i32>,
    user_name: Option<String>,
}

/// Serves on a free port of the loopback interface until standard input ends. The first line on standard output is its address.
///
/// # Errors
/// If it can't listen, or the database's address is no address.
pub async fn serve(options: &ServerOptions) -> anyhow::Result<ServerStopped> {
    let pool = options.database_url.as_deref().map(|url| pool(url, options.pool_size)).transpose()?;
    let ids = Data::new(AtomicI64::new(0));
    let way = Data::new(options.way);
    let server = HttpServer::new(move || {
        let app = App::new().app_data(ids.clone());
        match &pool {
            Some(pool) => app
                .app_data(Data::new(pool.clone()))
                .app_data(way.clone())
                .route("/admin/shows", web::post().to(create_show))
                .route("/book", web::post().to(book)),
            None => app.route("/admin/shows", web::post().to(no_show)).route("/book", web::post().to(no_booking)),
        }
    })
    .workers(options.workers)
    // As the product has them.
    .backlog(4096)
    .keep_alive(Duration::from_secs(75))
    .client_request_timeout(Duration::from_secs(10))
    .disable_signals()
    .bind(("127.0.0.1", 0))
    .context("can't listen")?;
    let address = server.addrs().first().copied().context("no address to listen on")?;
    let server = server.run();
    let handle = server.handle();
    writeln!(std::io::stdout(), "http://{address}")?;
    std::thread::spawn(move || {
        // It ends when whoever started us is gone, whatever killed it.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop(handle.stop(false));
    });
    server.await.context("the server broke down")?;
    Ok(ServerStopped)
}

/// How sessions plan, as the product's do. Left to itself, PostgreSQL plans every hold anew, and of a show that is younger than
/// its statistics it reads every seat for each of them: a baseline like that would be beaten by anybody.
pub(crate) const PLAN_FOR_KEYS: &str = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off \
    -c enable_mergejoin=off -c jit=off";

fn pool(database_url: &str, size: usize) -> anyhow::Result<Pool> {
    let mut config = database_url.parse::<tokio_postgres::Config>().context("no address of a database")?;
    let options = [config.get_options().unwrap_or_default(), PLAN_FOR_KEYS].join(" ");
    config.options(options);
    let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    Pool::builder(manager).max_size(size).build().context("can't make a pool")
}

async fn create_show(pool: Data<Pool>, Json(show): Json<NewShow>) -> HttpResponse {
    match booking::create_show(&pool, &show.name, show.total_seats).await {
        Ok(id) => HttpResponse::Created().json(json!({ "message": "Show created", "showId": id })),
        Err(error) => failed(&error),
    }
}

async fn book(pool: Data<Pool>, way: Data<Way>, Json(mut hold): Json<NewHold>) -> HttpResponse {
    hold.seats.sort_unstable();
    let user = hold.user_name.as_deref().filter(|name| !name.is_empty()).unwrap_or("guest");
    let ending = match **way {
        Way::FiveStatements => booking::hold_by_five(&pool, hold.show_id, &hold.seats, user).await,
        Way::OneStatement => booking::hold_by_one(&pool, hold.show_id, &hold.seats, user).await,
    };
    match ending {
        Ok(Ending::Held(id)) => booked(id),
        Ok(Ending::NotFree) => HttpResponse::Conflict().json(json!({ "error": "Some seats are not available" })),
        Err(error) => failed(&error),
    }
}

async fn no_show(Json(_): Json<NewShow>) -> HttpResponse {
    HttpResponse::Created().json(json!({ "message": "Show created", "showId": 1 }))
}

async fn no_booking(ids: Data<AtomicI64>, Json(_): Json<NewHold>) -> HttpResponse {
    booked(ids.fetch_add(1, Ordering::Relaxed) + 1)
}

fn booked(id: i64) -> HttpResponse {
    HttpResponse::Created().json(json!({ "message": "Booking created", "bookingId": id, "status": "PENDING" }))
}

fn failed(error: &Failure) -> HttpResponse {
    let _ = writeln!(std::io::stderr(), "baseline: {error}");
    HttpResponse::InternalServerError().json(json!({ "error": "The server failed" }))
}
