//! The invariants on SQLite.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};

use super::{Finding, Invariant, counted, shown};

pub(super) fn check(file: &Path, invariants: &[&Invariant]) -> anyhow::Result<Vec<Finding>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let at = || format!("can't read {}", file.display());
    let mut connection = Connection::open_with_flags(file, flags).with_context(at)?;
    connection.busy_timeout(Duration::from_secs(10)).with_context(at)?;
    // The first statement takes the snapshot, and the others keep to it: the file is in WAL mode.
    let snapshot = connection.transaction().with_context(at)?;
    let kept = invariants.iter().filter_map(|invariant| Some((*invariant, invariant.sqlite?)));
    kept.map(|(invariant, sql)| check_one(&snapshot, invariant, sql)).collect()
}

fn check_one(snapshot: &Connection, invariant: &Invariant, sql: &str) -> anyhow::Result<Finding> {
    let failed = || format!("can't check {}", invariant.name);
    let mut statement = snapshot.prepare(&counted(sql)).with_context(failed)?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([]).with_context(failed)?;
    let mut finding = Finding { invariant: invariant.name, says: invariant.says, offenders: 0, rows: Vec::new() };
    while let Some(row) = rows.next().with_context(failed)? {
        finding.offenders = u64::try_from(row.get::<_, i64>(0).with_context(failed)?).with_context(failed)?;
        finding.rows.push(text(row, &columns).with_context(failed)?);
    }
    Ok(finding)
}

fn text(row: &Row<'_>, columns: &[String]) -> rusqlite::Result<String> {
    let values = columns.iter().enumerate().skip(1).map(|(i, name)| Ok((name.as_str(), value(row.get_ref(i)?))));
    Ok(shown(values.collect::<rusqlite::Result<Vec<_>>>()?.into_iter()))
}

fn value(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".into(),
        ValueRef::Integer(n) => n.to_string(),
        ValueRef::Real(x) => x.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => format!("{} bytes", bytes.len()),
    }
}
