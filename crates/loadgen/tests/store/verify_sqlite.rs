//! `verify` on SQLite: books in order pass, every falsification is named.

use std::path::PathBuf;
use std::process::Command;

use crate::books::{FALSIFICATIONS, IN_ORDER, MISPAYMENTS, REWRITINGS, TABLES, in_words_of};
use loadgen::report::Report;
use loadgen::verify::{self, VerifyReport};

/// What SQLite keeps besides: how many changes of each show are in the history.
const WITH_A_COUNT: &str = "ALTER TABLE shows ADD COLUMN changes integer NOT NULL DEFAULT 0;";
const COUNTED: &str =
    "; UPDATE shows SET changes = (SELECT COALESCE(max(number), 0) FROM booking_history WHERE show_id = shows.id);";

/// A directory with `rowlock.db`, which goes away with it.
struct Books(PathBuf);

impl Books {
    fn in_order(name: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("loadgen-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let books = Self(directory);
        books.write("PRAGMA journal_mode = WAL");
        books.write(&TABLES.replace("INSTANT", "integer").replace("SEAT_LIST", "text"));
        books.write(&[IN_ORDER, WITH_A_COUNT, COUNTED].concat());
        books
    }

    fn write(&self, sql: &str) {
        let instant = |seconds: &str| format!("({} * 1000000)", 4_102_444_800 + seconds.parse::<i64>().unwrap());
        let sql = in_words_of(sql, instant, |seats| format!("'[{seats}]'"));
        rusqlite::Connection::open(self.0.join("rowlock.db")).unwrap().execute_batch(&sql).unwrap();
    }

    fn verify(&self, settled: bool) -> VerifyReport {
        verify::sqlite(&self.0.join("rowlock.db"), settled).unwrap()
    }
}

impl Drop for Books {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn broken(report: &VerifyReport) -> Vec<&'static str> {
    report.findings.iter().filter(|finding| finding.offenders > 0).map(|finding| finding.invariant).collect()
}

#[test]
fn books_in_order_pass() {
    let report = Books::in_order("in-order").verify(true);
    assert!(report.passed() && report.findings.len() == 32, "{report}");
}

#[test]
fn every_falsification_is_named() {
    for (i, (falsification, expected)) in REWRITINGS.iter().chain(MISPAYMENTS).chain(FALSIFICATIONS).enumerate() {
        let books = Books::in_order(&format!("false-{i}"));
        books.write(&[falsification, COUNTED].concat());
        let report = books.verify(true);
        assert_eq!(broken(&report), *expected, "{falsification}\n{report}");
        assert!(!report.passed());
    }
}

#[test]
fn a_show_that_has_miscounted_is_named() {
    for (i, miscounted) in ["changes - 1", "changes + 1", "0"].iter().enumerate() {
        let books = Books::in_order(&format!("miscounted-{i}"));
        books.write(&format!("UPDATE shows SET changes = {miscounted} WHERE id = 1"));
        assert_eq!(broken(&books.verify(true)), ["changes-are-numbered-without-gaps"], "{miscounted}");
    }
}

#[test]
fn lists_that_are_no_lists_are_named() {
    for list in ["nonsense", "{}", "[1.5]", r#"["1"]"#, "7"] {
        let books = Books::in_order("no-list");
        books.write(&format!("UPDATE bookings SET seat_numbers = '{list}' WHERE id = 3"));
        assert!(broken(&books.verify(true)).contains(&"booking-lists-its-seats"), "{list}");
    }
}

#[test]
fn dead_holds_count_only_where_a_worker_runs() {
    let books = Books::in_order("unsettled");
    let (falsification, _) = FALSIFICATIONS.last().unwrap();
    books.write(falsification);
    assert!(books.verify(false).passed());
}

#[test]
fn the_first_offenders_are_shown_and_all_are_counted() {
    let books = Books::in_order("many");
    books.write(
        "INSERT INTO bookings
         WITH RECURSIVE n(n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM n WHERE n < 149)
         SELECT n, 1, 'Dave', #4#, 'FAILED', NULL, @120@, NULL, @0@, @0@, false, NULL, NULL, false FROM n",
    );
    let report = books.verify(false);
    let finding = report.findings.iter().find(|finding| finding.offenders > 0).unwrap();
    assert_eq!((finding.invariant, finding.offenders, finding.rows.len()), ("booking-state-is-whole", 50, 20));
    assert!(finding.rows[0].contains("booking_id=") && finding.rows[0].contains("failure_reason=null"), "{report}");
    assert!(report.to_string().contains("50 offending rows"));
}

#[test]
fn the_exit_status_tells_broken_books_from_unreadable_ones() {
    let status = |directory: &PathBuf| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
        command.args(["verify", "--json", "--data-dir"]).arg(directory).env_remove("DATABASE_URL");
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let books = Books::in_order("exit");
    let (code, json) = status(&books.0);
    assert_eq!(code, Some(0));
    assert!(json.starts_with(r#"{"store":"SQLite","findings":[{"invariant":"#), "{json}");
    books.write("DELETE FROM shows");
    assert_eq!(status(&books.0).0, Some(1));
    assert_eq!(status(&books.0.join("nowhere")), (Some(2), String::new()));
    books.write("DROP TABLE shows");
    assert_eq!(status(&books.0).0, Some(2));
}
