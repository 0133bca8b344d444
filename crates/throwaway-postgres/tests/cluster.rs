//! A cluster starts, survives a crash, and leaves nothing behind.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use throwaway_postgres::{Cluster, DURABLE};

/// Nothing here waits for long; a test that does has failed.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_mins(1), "still not so after a minute: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn answers(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[test]
fn a_cluster_answers_and_goes_with_its_handle() {
    let cluster = Cluster::start_with(&[("work_mem", "7MB"), ("cluster_name", "it's one")]).unwrap();
    assert_eq!(cluster.psql("postgres", "SELECT 1, 'é'; SHOW work_mem; SHOW cluster_name").unwrap(), "1|é\n7MB\nit's one");
    assert!(cluster.log().contains("ready to accept connections"));
    let (port, folder) = (cluster.port(), cluster.data_directory().parent().unwrap().to_owned());
    assert!(folder.to_string_lossy().starts_with("/tmp/rowlock-pg-") && folder.exists() && answers(port));
    drop(cluster);
    assert!(!folder.exists() && !answers(port));
}

#[test]
fn fresh_databases_are_empty_and_apart() {
    let cluster = Cluster::shared();
    let (one, other) = (cluster.fresh_database(), cluster.fresh_database());
    assert_ne!(one, other);
    let name = |url: &str| url.rsplit('/').next().unwrap().to_owned();
    cluster.psql(&name(&one), "CREATE TABLE t (n int)").unwrap();
    assert_eq!(cluster.psql(&name(&other), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").unwrap(), "0");
}

#[test]
fn an_error_of_psql_says_what_the_server_said() {
    let error = Cluster::shared().psql("postgres", "SELECT 1; SELECT nonsense").unwrap_err();
    assert!(error.to_string().contains("column \"nonsense\" does not exist"), "{error}");
}

#[test]
fn what_was_committed_survives_kill_and_stop() {
    let cluster = Cluster::start_durable().unwrap();
    cluster.psql("postgres", "CREATE TABLE t (n int); INSERT INTO t VALUES (1)").unwrap();
    for crash in [true, false, true] {
        if crash {
            cluster.kill();
        } else {
            cluster.stop();
        }
        assert_eq!(cluster.process_id(), None);
        assert!(!answers(cluster.port()));
        cluster.start_again().unwrap();
        cluster.psql("postgres", "INSERT INTO t VALUES (1)").unwrap();
    }
    assert_eq!(cluster.psql("postgres", "SELECT count(*) FROM t; SHOW fsync").unwrap(), "4\non");
}

#[test]
fn a_cluster_that_was_killed_can_be_dropped() {
    let cluster = Cluster::start().unwrap();
    let folder = cluster.data_directory();
    cluster.kill();
    drop(cluster);
    assert!(!folder.exists());
}

#[test]
fn a_setting_that_does_not_exist_is_reported_with_the_log() {
    let error = Cluster::start_with(&[("no_such_setting", "1")]).unwrap_err();
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}

#[expect(clippy::expect_used, reason = "a step of a test")]
/// Starts the program with a script that prints the data directory, then waits for the end of its input.
fn program_that_waits() -> (Child, String, u16) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_throwaway-postgres"))
        .args(["--durable", "--", "/bin/sh", "-c", "echo \"$PGDATA\"; echo \"$DATABASE_URL\" >&2; read -r nothing; exit 7"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(program.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let url = lines.next().expect("a URL");
    let port = url.split(['@', ':', '/']).find_map(|part| part.parse().ok()).expect("a port in the URL");
    (program, lines.next().expect("a folder"), port)
}

#[test]
fn nothing_is_left_after_a_sigkill() {
    let (mut program, data, port) = program_that_waits();
    assert!(Path::new(&data).exists() && answers(port));
    program.kill().unwrap();
    program.wait().unwrap();
    eventually("the port is closed", || !answers(port));
    eventually("the folder is gone", || !Path::new(&data).parent().unwrap().exists());
}

#[test]
fn the_program_ends_as_its_command_ends_and_leaves_nothing() {
    let (mut program, data, port) = program_that_waits();
    drop(program.stdin.take());
    assert_eq!(program.wait().unwrap().code(), Some(7));
    assert!(!Path::new(&data).parent().unwrap().exists() && !answers(port));
}

#[test]
fn the_durable_settings_are_those_that_a_throw_away_cluster_turns_off() {
    let show = DURABLE.iter().map(|(name, _)| format!("SHOW {name}")).collect::<Vec<_>>().join(";");
    assert_eq!(Cluster::shared().psql("postgres", &show).unwrap(), "off\noff\noff");
}
