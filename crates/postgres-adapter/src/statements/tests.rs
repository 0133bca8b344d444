//! Every statement on a real PostgreSQL: it can be prepared, and the hot ones go by keys however small the tables are.

use throwaway_postgres::Cluster;

use super::parts::{Abridged, Parts};
use super::*;
use crate::row_address::RowAddress;
use crate::{PgSettings, migrate};

async fn migrated() -> String {
    let url = tokio::task::spawn_blocking(|| Cluster::shared().fresh_database()).await.unwrap();
    migrate(&PgSettings::new(url.as_str())).await.unwrap();
    url
}

const SAVE_BATCH_PARAMETERS: &str = "now(), '{a}', '{\"{1}\"}', '{now}', '{customer}', '{1}', '{1}', \
     '{1}', '{1}', '{PENDING}', '{NULL}', '{1}', '{now}', \
     '{1}', '{FAILED}', '{expired}', '{false}', '{NULL}', '{\"{1}\"}', '{now}', '{1}', '{1}', \
     '{1}', '{confirmed}', '{PENDING}', '{customer}', '{\"{1}\"}', '{1}', '{1}', '{NULL}', '{1}', \
     '{k}', '{NULL}', '{now}', '{held}', '{1}', '{1}', \
     '{a}', '{a}', '{a}', '{false}', '{p}', '{1}', '{1}', '{false}'";

const SAVE_IF_FORESEEN_PARAMETERS: &str = "NULL; now(); NULL; '{1}'; '{1}'; '{0}'; '{epoch}'; '{PENDING}'; '{-1}'; '{1}'; '{epoch}'; \
     '{a}'; '{\"{1}\"}'; '{1}'; '{customer}'; '{1}'; '{1}'; '{a}'; '{1}'; '{0}'; '{\"(0,1)\"}'; '{0}'; \
     '{k}'; '{NULL}'; '{1}'; '{held}'; '{1}'; '{1}'; \
     '{1}'; '{1}'; '{CONFIRMED}'; '{NULL}'; '{\"{1}\"}'; '{NULL}'; '{1}'; '{1}'; '{p}'; \
     '{1}'; '{confirmed}'; '{customer}'; '{\"{1}\"}'; '{1}'; '{1}'; '{NULL}'";

/// Every statement that a batch can come to.
fn with_some_parts() -> Vec<(String, &'static Abridged)> {
    let all = (0..16).map(|bits| [1, 2, 4, 8].map(|bit| bits & bit != 0));
    // Something happens, and only stored bookings are paid for.
    let possible = all.filter(|&[new, bookings, payments, _]| bookings || (new && !payments));
    let possible = possible.map(Parts);
    possible.map(|parts| (format!("{parts:?}"), parts.save_if_foreseen())).collect()
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

#[tokio::test]
async fn a_statement_without_some_parts_can_be_prepared() {
    let url = migrated().await;
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let whole = client.prepare(SAVE_IF_FORESEEN).await.unwrap();
    let all = with_some_parts();
    assert_eq!(all.len(), 10);
    for (parts, statement) in all {
        let prepared = client.prepare(&statement.sql).await.unwrap_or_else(|error| panic!("{parts}: {error:?}"));
        let types: Vec<_> = statement.own(whole.params()).collect();
        assert!(prepared.params().iter().eq(types), "{parts}");
    }
}

/// The trap: a plan made while the tables are empty is kept by the session. A writer's session must not scan tables then either.
#[tokio::test]
async fn the_hot_statements_never_scan_a_table() {
    let url = migrated().await;
    let lease = crate::connection::Connections::new(&PgSettings::new(url.as_str())).unwrap().writer().await.unwrap();
    for (name, sql) in ALL {
        let parameters = match *name {
            "lock_seats" | "lock_bookings" => "'{1}', '{1}', '{1}', true, NULL, '{1}', '{1}'",
            "lock_shows" => "'{1}', '{1}'",
            "load_holdings" => "'{1}', '{a}', '{1}'",
            "load_keys" | "load_payments" => "'{a}'",
            "forget_used_keys" => "'{a}', NULL",
            "find_history" | "find_show" => "1",
            "list_bookings"
            | "list_bookings_of_show"
            | "list_bookings_of_customer"
            | "list_bookings_to_refund"
            | "list_live_holds" => "'PENDING', NULL, 10, NULL, 1, 'a', NULL, NULL, true",
            "list_holds_by_age" => "NULL, 10, NULL, NULL",
            "list_refunds" => "NULL, NULL, 10",
            "save_batch" => SAVE_BATCH_PARAMETERS,
            "expire_bookings" => "now(), '{\"(0,1)\"}', '{1}', '{1}', '{1}', '{1}', '{1}'",
            "free_seats" => "'{\"(0,1)\"}'",
            "lock_due" => "100, NULL, NULL",
            "find_booking" | "seat_map" | "count_show" => "1, NULL",
            "next_deadline" => "NULL",
            "look_seats" => "'{1}', '{1}', NULL",
            _ => continue,
        };
        assert_goes_by_keys(&lease, name, sql, parameters).await;
    }
    let all: Vec<&str> = SAVE_IF_FORESEEN_PARAMETERS.split("; ").collect();
    for (parts, statement) in with_some_parts() {
        let parameters: Vec<&str> = statement.own(&all).copied().collect();
        assert_goes_by_keys(&lease, &parts, &statement.sql, &parameters.join(", ")).await;
    }
}

async fn assert_goes_by_keys(lease: &crate::connection::Lease, name: &str, sql: &str, parameters: &str) {
    lease.batch_execute(&format!("PREPARE p AS {sql}")).await.unwrap();
    let plan = lease.query(&format!("EXPLAIN EXECUTE p({parameters})"), &[]).await.unwrap();
    let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
    assert!(goes_by_keys(&plan), "{name}:\n{}", plan.join("\n"));
    lease.batch_execute("DEALLOCATE p").await.unwrap();
}

/// Whether each index scan knows what it looks for, and nothing else is scanned.
fn goes_by_keys(plan: &[String]) -> bool {
    let knows = |at: usize| plan.get(at + 1).is_some_and(|line| line.contains("Index Cond"));
    let mut scans = plan.iter().enumerate().filter(|(_, line)| line.contains("Index") && line.contains("Scan using"));
    !plan.iter().any(|line| line.contains("Seq Scan")) && scans.all(|(at, _)| knows(at))
}

const FILL: &str = "
    INSERT INTO seats (show_id, seat_number) SELECT 1, generate_series(1, 5000);
    INSERT INTO bookings (show_id, user_name, seat_numbers, status, expires_at, created_at, updated_at, last_change)
    SELECT 1, 'Ada', ARRAY[n], 'PENDING', now() + interval '1 hour', now(), now(), n FROM generate_series(1, 5000) AS n";

/// The trap's other door: who analyses tables while they are empty gets plans that scan them, until they are made anew.
#[tokio::test]
async fn plans_that_were_made_for_empty_tables_do_not_last() {
    let url = migrated().await;
    let settings = PgSettings { writers_max: 1, ..PgSettings::new(url.as_str()) };
    let connections = crate::connection::Connections::new(&settings).unwrap();
    let mut lease = connections.writer().await.unwrap();
    lease.batch_execute("VACUUM ANALYZE seats, bookings").await.unwrap();
    lease.batch_execute(&format!("PREPARE p AS {SAVE_BATCH}")).await.unwrap();
    let explain = &format!("EXPLAIN EXECUTE p({SAVE_BATCH_PARAMETERS})");
    let mut plans = Vec::new();
    for used in 0..4 {
        let plan = lease.query(explain, &[]).await.unwrap();
        plans.push(goes_by_keys(&plan.iter().map(|row| row.get(0)).collect::<Vec<String>>()));
        if used == 0 {
            lease.batch_execute(FILL).await.unwrap();
        }
        lease.give_back();
        lease = connections.writer().await.unwrap();
    }
    assert_eq!(plans, [false, true, true, true]);
}

/// The trap of lists: where costly filters have been asked for a few times, a prepared statement gets one plan for any, which reads the
/// whole table for each page. So they don't stay prepared.
#[tokio::test]
async fn lists_are_planned_for_what_is_asked() {
    let url = migrated().await;
    let settings = PgSettings { readers_max: 1, ..PgSettings::new(url.as_str()) };
    let (connections, time) = (crate::connection::Connections::new(&settings).unwrap(), domain::TimeSource::Store);
    let limit = std::num::NonZeroU32::MIN;
    for _ in 0..3 {
        let (filter, page) = (domain::BookingFilter::default(), domain::Page { limit, before: None });
        crate::lists::bookings(connections.reader().await.unwrap(), &time, &filter, page).await.unwrap();
        crate::lists::live_holds(connections.reader().await.unwrap(), &time, None, None, limit).await.unwrap();
        crate::lists::refunds(connections.reader().await.unwrap(), None, limit).await.unwrap();
    }
    let lease = connections.reader().await.unwrap();
    let stay = lease.simple_query("SELECT statement FROM pg_prepared_statements").await.unwrap();
    let stay: Vec<_> = stay.iter().filter(|message| matches!(message, tokio_postgres::SimpleQueryMessage::Row(_))).collect();
    assert!(stay.is_empty(), "{stay:?}");
}

/// A sweep saves what it has locked by where it lies. What somebody moves after the sweep has taken its snapshot, and before it comes
/// to it, is found where it lies when it is locked.
#[tokio::test]
async fn a_sweep_finds_rows_where_they_lie_when_they_are_locked() {
    let url = migrated().await;
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        sessions.push(client);
    }
    let [sweep, other] = &mut sessions[..] else { unreachable!() };
    let fill = "INSERT INTO seats (show_id, seat_number, status, booking_id, held_until)
                SELECT 1, n, 'PENDING', n, now() - interval '1 hour' FROM generate_series(1, 3) AS n;
                INSERT INTO bookings (id, show_id, user_name, seat_numbers, status, expires_at, created_at, updated_at, last_change)
                SELECT n, 1, 'Ada', ARRAY[n], 'PENDING', now() - interval '1 hour', now(), now(), n FROM generate_series(1, 3) AS n;
                SET lock_timeout = '10s'";
    other.batch_execute(fill).await.unwrap();

    let sweep = sweep.transaction().await.unwrap();
    let lock_due = sweep.prepare(LOCK_DUE).await.unwrap();
    let never = None::<domain::Timestamp>;
    let portal = sweep.bind(&lock_due, &[&100_i64, &never, &never]).await.unwrap();
    let first: i64 = sweep.query_portal(&portal, 1).await.unwrap()[0].get("id");
    for sql in ["UPDATE bookings SET user_name = 'Eve' WHERE id <> $1", "UPDATE seats SET padding = NULL WHERE booking_id <> $1"]
    {
        assert_eq!(other.execute(sql, &[&first]).await.unwrap(), 2);
    }
    let rest = sweep.query_portal(&portal, 0).await.unwrap();
    assert_eq!(rest.len(), 2);
    for row in rest {
        let id: i64 = row.get("id");
        let lies = "SELECT b.ctid, s.ctid FROM bookings b JOIN seats s ON s.booking_id = b.id WHERE b.id = $1";
        let lies = other.query_one(lies, &[&id]).await.unwrap();
        let lies: [RowAddress; 2] = [lies.get(0), lies.get(1)];
        let found: [RowAddress; 2] = [row.get("address"), row.get("seat_address")];
        assert_eq!(found, lies, "booking {id}");
    }
}
