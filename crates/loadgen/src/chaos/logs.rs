//! What the programs have written that no program should.

use serde::Deserialize;

use super::report::Finding;
use super::stage::Stage;

/// As many lines of one log are shown.
const SHOWN_MAX: usize = 5;

/// What PostgreSQL writes when it is deadlocked, broken, or reads what it can't have written.
const POSTGRES_SIGNS: [&str; 7] =
    ["deadlock detected", "40P01", "invalid page", "corrupt", "unexpected zero page", "TRAP:", "signal 11"];

#[derive(Deserialize)]
struct Line {
    level: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    status: u16,
}

/// Programs that ended by themselves, and what stands in logs that should not.
pub(super) async fn of_all(stage: &Stage) -> Vec<Finding> {
    let mut findings = Vec::new();
    for part in stage.parts() {
        let name = part.program.name();
        let surprises = part.program.surprises().await.into_iter();
        findings.extend(surprises.map(|surprise| Finding::new("program", format!("{name} ended by itself: {surprise}"))));
        let log = std::fs::read(part.program.log()).unwrap_or_default();
        findings.extend(of_program(name, &String::from_utf8_lossy(&log)));
    }
    for (name, log) in stage.database.logs() {
        findings.extend(of_postgres(name, &log));
    }
    findings
}

/// The bad lines in the log of a program of the product.
fn of_program(name: &str, log: &str) -> Vec<Finding> {
    let mut is_closing = false;
    bad_lines(name, log, |line| {
        line.contains("panicked at")
            || serde_json::from_str(line).is_ok_and(|Line { level, message, status }| {
                is_closing = message == "closing" || is_closing && message != "closed";
                // An answer 503 is an error that is foreseen; and whoever comes while a server closes finds nobody to serve him.
                let is_foreseen = message == "request failed" && status != 500 || is_closing && message == "No workers";
                level == "ERROR" && !is_foreseen
            })
    })
}

/// The bad lines in PostgreSQL's log.
fn of_postgres(name: &str, log: &str) -> Vec<Finding> {
    bad_lines(name, log, |line| {
        let panicked = line.contains("PANIC:") && !line.contains("No space left on device");
        // Whatever interrupts a recovery, a full disk too, the next start hints that data is probably corrupt. A hint is no finding
        // of PostgreSQL's.
        let is_guess = line.contains(" HINT:  ");
        panicked || !is_guess && POSTGRES_SIGNS.iter().any(|sign| line.contains(sign))
    })
}

fn bad_lines(name: &str, log: &str, mut is_bad: impl FnMut(&str) -> bool) -> Vec<Finding> {
    let bad: Vec<&str> = log.lines().filter(|line| is_bad(line)).collect();
    let mut findings: Vec<Finding> =
        bad.iter().take(SHOWN_MAX).map(|line| Finding::new("log", format!("{name}: {line}"))).collect();
    if bad.len() > SHOWN_MAX {
        findings.push(Finding::new("log", format!("{name}: {} more lines like these", bad.len() - SHOWN_MAX)));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_and_an_error_are_found_and_a_foreseen_failure_is_not() {
        let log = r#"{"level":"INFO","message":"listening"}
            {"level":"ERROR","message":"request failed","status":503}
            {"level":"ERROR","message":"request failed","status":500}
            {"level":"ERROR","message":"a lane has died"}
            {"level":"INFO","message":"closing"}
            {"level":"ERROR","message":"No workers"}
            {"level":"INFO","message":"closed"}
            {"level":"ERROR","message":"No workers"}
            thread 'main' panicked at src/main.rs:1:1:
            not even JSON"#;
        let says: Vec<String> = of_program("api-0", log).into_iter().map(|finding| finding.says).collect();
        assert_eq!(says.len(), 4, "{says:?}");
    }

    #[test]
    fn a_deadlock_is_found_and_a_full_disk_is_not() {
        let log =
            "ERROR:  deadlock detected\nPANIC:  could not write: No space left on device\nPANIC:  could not locate\nLOG:  ready";
        assert_eq!(of_postgres("postgres", log).len(), 2);
        let recovered_twice = "5754 LOG:  database system was interrupted while in recovery\n\
            5754 HINT:  This probably means that some data is corrupted and you will have to use the last backup for recovery.\n\
            5755 WARNING:  data is corrupted";
        assert_eq!(of_postgres("postgres", recovered_twice).len(), 1);
        assert_eq!(of_postgres("postgres", &"deadlock detected\n".repeat(50)).len(), SHOWN_MAX + 1);
    }
}
