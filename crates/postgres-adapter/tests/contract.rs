//! The ports' contract on a real PostgreSQL, each scenario in a database of its own.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has to fail")]

use async_trait::async_trait;
use domain::{SeatKey, TimeSource};
use postgres_adapter::{Foresee, PgSettings, PgStore, migrate};
use store_contract::{Blockade, Database, Harness, Store};
use throwaway_postgres::Cluster;
use tokio_postgres::{Client, NoTls};

/// A database for each scenario, which is asked like this.
struct Postgres(Foresee);

#[async_trait]
impl Harness for Postgres {
    async fn fresh(&self, time: TimeSource) -> Box<dyn Database> {
        let url = tokio::task::spawn_blocking(|| Cluster::shared().fresh_database()).await.unwrap();
        migrate(&PgSettings::new(url.as_str())).await.unwrap();
        Box::new(FreshDatabase { url, time, foresee: self.0 })
    }
}

struct FreshDatabase {
    url: String,
    time: TimeSource,
    foresee: Foresee,
}

#[async_trait]
impl Database for FreshDatabase {
    async fn open(&self) -> Store {
        let settings = PgSettings { foresee: self.foresee, ..PgSettings::new(self.url.as_str()) };
        let store = PgStore::new(&settings, self.time.clone()).unwrap();
        Store { bookings: store.bookings(), shows: store.shows(), health: store.health() }
    }

    async fn crash(&self) -> Store {
        // The server ends every session in the middle of whatever it does.
        let client = connect(&self.url).await;
        let others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        client.execute(&format!("SELECT pg_terminate_backend(pid) {others}"), &[]).await.unwrap();
        while client.query_one(&format!("SELECT count(*) {others}"), &[]).await.unwrap().get::<_, i64>(0) > 0 {
            tokio::task::yield_now().await;
        }
        self.open().await
    }

    async fn block(&self, seat: SeatKey) -> Box<dyn Blockade> {
        let client = connect(&self.url).await;
        client.batch_execute("BEGIN").await.unwrap();
        let lock = "SELECT FROM seats WHERE show_id = $1 AND seat_number = $2::bigint FOR UPDATE";
        client.execute(lock, &[&seat.show_id.get(), &seat.number.get()]).await.unwrap();
        Box::new(HeldRow(client))
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

struct HeldRow(Client);

/// How many sessions of this database wait for another one's lock.
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0";

#[async_trait]
impl Blockade for HeldRow {
    async fn until_awaited(&mut self) {
        while self.0.query_one(WAITING, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::task::yield_now().await;
        }
    }

    async fn lift(self: Box<Self>) {
        self.0.batch_execute("ROLLBACK").await.unwrap();
    }
}

mod in_two_trips {
    use super::{Foresee, Postgres};

    store_contract::contract_suite!(Postgres(Foresee::Never));
}

mod in_one_trip {
    use super::{Foresee, Postgres};

    store_contract::contract_suite!(Postgres(Foresee::Always));
}
