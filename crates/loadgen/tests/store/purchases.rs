//! Purchases on a bad line, from the product's own server, on either store. `PURCHASES=10000` makes more of them.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use loadgen::client::{BaseUrl, Connection};
use loadgen::purchases::{self, Options};
use loadgen::report::Report;
use loadgen::{Progress, Target, verify};
use throwaway_postgres::{Cluster, free_port};

/// The server on a store. It ends when it is dropped.
struct Server {
    child: Child,
    url: BaseUrl,
}

impl Server {
    async fn start(store: (&str, &str)) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_loadgen")).with_file_name("api");
        assert!(program.is_file(), "{} is not there: cargo build -p api", program.display());
        let port = free_port();
        let mut api = Command::new(program);
        api.env_clear().env(store.0, store.1).env("PORT", port.to_string()).env("METRICS_ADDR", "off").env("RUST_LOG", "error");
        api.stdin(Stdio::null()).stdout(Stdio::null());
        assert!(api.arg("migrate").status().unwrap().success());
        let mut serve = Command::new(api.get_program());
        serve.env_clear().envs(api.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let child = serve.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let mut server = Self { child, url: BaseUrl::loopback(port) };
        server.until_ready().await;
        server
    }

    async fn until_ready(&mut self) {
        let begun = Instant::now();
        while !self.is_ready().await {
            assert!(self.child.try_wait().unwrap().is_none(), "the server has ended");
            assert!(begun.elapsed() < Duration::from_mins(2), "the server is not ready after two minutes");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn is_ready(&self) -> bool {
        match Connection::open(&self.url).await {
            Ok(mut connection) => connection.get("/readyz").await.is_ok_and(|answer| answer.status == 200),
            Err(_) => false,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn buy_from(server: &Server, store: verify::Options) {
    let purchases = std::env::var("PURCHASES").map_or(200, |purchases| purchases.parse().unwrap());
    let options = Options { purchases, customers: 16.max(purchases / 100), store };
    let report = purchases::run(&Target::open(server.url.clone()), &options, &Progress::hidden()).await.unwrap();
    println!("{report}");
    assert!(report.passed() && report.purchases == purchases as usize, "{report}");
    let purchases::Fates { cut_before, cut_after, cut_inside, late, .. } = report.line;
    assert!([cut_before, cut_after, cut_inside, late].iter().all(|count| *count > 0), "{report}");
    assert!(report.requests >= u64::from(4 * 2 * purchases), "{report}");
}

#[tokio::test]
async fn everybody_has_what_it_asked_for_once_on_postgresql() {
    let url = Cluster::shared().fresh_database();
    let server = Server::start(("DATABASE_URL", &url)).await;
    buy_from(&server, verify::Options { database_url: Some(url), data_dir: "nowhere".into(), settled: false }).await;
}

#[tokio::test]
async fn everybody_has_what_it_asked_for_once_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(("DATA_DIR", directory.path().to_str().unwrap())).await;
    buy_from(&server, verify::Options { database_url: None, data_dir: directory.path().to_owned(), settled: false }).await;
}
