//! The invariants on PostgreSQL.

use anyhow::Context;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage, SimpleQueryRow};

use super::{Finding, Invariant, counted, shown};

/// Reads only, sees one snapshot, and gives up rather than sit on it for ever: it keeps vacuum from tidying up.
///
/// Every query reads whole tables: where few offenders are expected, a nested loop over them looks cheap and takes hours.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = '10min'; \
                     SET LOCAL enable_nestloop = off; SET LOCAL jit = off; \
                     SET LOCAL TimeZone = 'UTC'";

pub(super) async fn check(database_url: &str, invariants: &[&Invariant]) -> anyhow::Result<Vec<Finding>> {
    let (client, connection) = tokio_postgres::connect(database_url, NoTls).await.context("can't connect to the database")?;
    let connection = tokio::spawn(connection);
    let findings = check_on(&client, invariants).await;
    drop(client);
    // What went wrong on the connection has been seen by the statement on it.
    let _ = connection.await;
    findings
}

async fn check_on(client: &Client, invariants: &[&Invariant]) -> anyhow::Result<Vec<Finding>> {
    client.batch_execute(BEGIN).await.context("can't begin to read")?;
    let mut findings = Vec::with_capacity(invariants.len());
    for invariant in invariants {
        // The simple protocol, because it yields every type as text.
        let answer = client.simple_query(&counted(invariant.postgres)).await;
        let answer = answer.with_context(|| format!("can't check {}", invariant.name))?;
        let rows: Vec<&SimpleQueryRow> = answer
            .iter()
            .filter_map(|message| if let SimpleQueryMessage::Row(row) = message { Some(row) } else { None })
            .collect();
        let offenders = match rows.first() {
            Some(row) => row.get(0).and_then(|count| count.parse().ok()).context("no count of offenders")?,
            None => 0,
        };
        let rows = rows.into_iter().map(text).collect();
        findings.push(Finding { invariant: invariant.name, says: invariant.says, offenders, rows });
    }
    client.batch_execute("COMMIT").await.context("can't end reading")?;
    Ok(findings)
}

fn text(row: &SimpleQueryRow) -> String {
    let columns = row.columns().iter().enumerate().skip(1);
    shown(columns.map(|(i, column)| (column.name(), row.get(i).unwrap_or("null").to_owned())))
}
