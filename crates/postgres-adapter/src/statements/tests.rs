//! Every statement on a real PostgreSQL: it can be prepared, and the hot ones go by keys however small the tables are.

use throwaway_postgres::Cluster;

use super::*;
use crate::{PgSettings, migrate};

async fn migrated() -> String {
    let url = tokio::task::spawn_blocking(|| Cluster::shared().fresh_database()).await.unwrap();
    migrate(&PgSettings::new(url.as_str())).await.unwrap();
    url
}

#[tokio::test]
async fn every_statement_can_be_prepared() {
    let url = migrated().await;
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/sql")).unwrap().count();
    assert_eq!(ALL.len(), files, "every file is a statement");
    for (name, sql) in ALL {
        client.prepare(sql).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert!(sql.starts_with("-- "), "{name} says what it is for");
    }
}

/// The trap: a plan made while the tables are empty is kept by the session. A writer's session must not scan tables then either.
#[tokio::test]
async fn the_hot_statements_never_scan_a_table() {
    let url = migrated().await;
    let lease = crate::connection::Connections::new(&PgSettings::new(url.as_str())).unwrap().writer().await.unwrap();
    for (name, sql) in ALL {
        let parameters = match *name {
            "lock_seats" | "lock_bookings" => "'{1}', '{1}', '{1}', true, NULL",
            "load_shows" => "'{1}'",
            "update_bookings" => "now(), '{1}', '{FAILED}', '{expired}', '{NULL}'",
            "save_seats" => "now(), '{1}', '{a}', '{\"{1}\"}', '{now}', '{1}', '{1}', '{PENDING}', '{NULL}', '{1}', '{now}'",
            "lock_due" => "100, NULL, NULL",
            "find_booking" | "seat_map" => "1, NULL",
            "next_deadline" => "NULL",
            "look_seats" => "'{1}', '{1}', NULL",
            _ => continue,
        };
        lease.batch_execute(&format!("PREPARE p AS {sql}")).await.unwrap();
        let plan = lease.query(&format!("EXPLAIN EXECUTE p({parameters})"), &[]).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        assert!(!plan.iter().any(|line| line.contains("Seq Scan")), "{name}:\n{}", plan.join("\n"));
        lease.batch_execute("DEALLOCATE p").await.unwrap();
    }
}
