//! `verify` on PostgreSQL: books in order pass, every falsification is named.

use crate::books::{FALSIFICATIONS, IN_ORDER, MISPAYMENTS, REWRITINGS, TABLES, in_words_of};
use loadgen::report::Report;
use loadgen::verify::{self, VerifyReport};
use throwaway_postgres::Cluster;
use tokio_postgres::{Client, NoTls};

/// What PostgreSQL keeps besides: the number of each step's predecessor, and of each booking's last step.
const WITH_A_CHAIN: &str = "
    ALTER TABLE booking_history ADD COLUMN previous bigint;
    ALTER TABLE bookings ADD COLUMN last_change bigint;";

const CHAINED: &str = "
    UPDATE booking_history h
    SET previous = (SELECT max(number) FROM booking_history e WHERE e.booking_id = h.booking_id AND e.number < h.number);
    UPDATE bookings b SET last_change = (SELECT max(number) FROM booking_history h WHERE h.booking_id = b.id);";

/// What is done to the chain.
const BREAKS: &[&str] = &[
    "UPDATE booking_history SET previous = NULL WHERE show_id = 1 AND number = 3",
    "UPDATE booking_history SET previous = 1 WHERE show_id = 1 AND number = 3",
    "UPDATE booking_history SET previous = 5 WHERE show_id = 1 AND number = 6",
    "UPDATE booking_history SET previous = 3 WHERE show_id = 1 AND number = 4",
    "UPDATE bookings SET last_change = 2 WHERE id = 1",
    "UPDATE bookings SET last_change = 10 WHERE id = 1",
    "UPDATE bookings SET last_change = NULL WHERE id = 1",
];

async fn open(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn write(client: &Client, sql: &str) {
    let instant = |seconds: &str| format!("to_timestamp({})", 4_102_444_800 + seconds.parse::<i64>().unwrap());
    let sql = in_words_of(sql, instant, |seats| format!("'{{{seats}}}'::integer[]"));
    client.batch_execute(&sql).await.unwrap();
}

fn broken(report: &VerifyReport) -> Vec<&'static str> {
    report.findings.iter().filter(|finding| finding.offenders > 0).map(|finding| finding.invariant).collect()
}

#[tokio::test]
async fn books_in_order_pass_and_every_falsification_is_named() {
    let url = Cluster::shared().fresh_database();
    let client = open(&url).await;
    write(&client, &TABLES.replace("INSTANT", "timestamptz").replace("SEAT_LIST", "integer[]")).await;
    write(&client, &[WITH_A_CHAIN, IN_ORDER, CHAINED].concat()).await;
    let report = verify::postgres(&url, true).await.unwrap();
    assert!(report.passed() && report.findings.len() == 33, "{report}");

    for (falsification, expected) in REWRITINGS.iter().chain(MISPAYMENTS).chain(FALSIFICATIONS) {
        write(&client, "TRUNCATE shows, seats, bookings, booking_history, payments, idempotency_keys").await;
        write(&client, IN_ORDER).await;
        write(&client, &[falsification, ";", CHAINED].concat()).await;
        let report = verify::postgres(&url, true).await.unwrap();
        assert_eq!(broken(&report), *expected, "{falsification}\n{report}");
    }
    // The last one is a dead hold that nobody has swept.
    assert!(verify::postgres(&url, false).await.unwrap().passed());

    for broken_chain in BREAKS {
        write(&client, "TRUNCATE shows, seats, bookings, booking_history, payments, idempotency_keys").await;
        write(&client, &[IN_ORDER, CHAINED, broken_chain].concat()).await;
        let report = verify::postgres(&url, true).await.unwrap();
        assert_eq!(broken(&report), ["history-is-a-chain"], "{broken_chain}\n{report}");
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_or_has_no_tables_is_an_error() {
    let url = Cluster::shared().fresh_database();
    let error = verify::postgres(&url, false).await.unwrap_err();
    assert!(format!("{error:#}").contains("can't check seat-sold-once"), "{error:#}");
    let error = verify::postgres(&format!("{url}_not"), false).await.unwrap_err();
    assert!(format!("{error:#}").contains("can't connect"), "{error:#}");
}
