//! What a fault run does to a cluster: a standby takes over, processes are suspended, a disk is full.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use throwaway_postgres::{Cluster, DURABLE, REPLICATED, StartError, free_port};

#[test]
fn what_was_committed_on_the_primary_is_on_the_promoted_standby() {
    let settings: Vec<_> = DURABLE.iter().chain(&REPLICATED).copied().collect();
    let primary = Cluster::start_with(&settings).unwrap();
    primary.psql("postgres", "CREATE TABLE t (n int)").unwrap();
    let standby = primary.start_synchronous_standby().unwrap();
    assert_eq!(standby.psql("postgres", "SHOW transaction_read_only").unwrap(), "on");
    primary.kill();
    primary.start_again().unwrap();
    for n in 1..=20 {
        primary.psql("postgres", &format!("INSERT INTO t VALUES ({n})")).unwrap();
    }
    primary.kill();
    standby.promote().unwrap();
    // Nobody follows it, and it waits for nobody.
    standby.psql("postgres", "INSERT INTO t VALUES (21)").unwrap();
    assert_eq!(standby.psql("postgres", "SELECT count(*) FROM t").unwrap(), "21");
    standby.kill();
    standby.start_again().unwrap();
    assert_eq!(standby.psql("postgres", "SELECT count(*) FROM t").unwrap(), "21", "a promoted standby stays one");
}

#[test]
fn a_commit_waits_for_the_standby() {
    let settings: Vec<_> = DURABLE.iter().chain(&REPLICATED).copied().collect();
    let primary = Cluster::start_with(&settings).unwrap();
    primary.psql("postgres", "CREATE TABLE t (n int)").unwrap();
    let standby = primary.start_synchronous_standby().unwrap();
    standby.suspend();
    std::thread::scope(|scope| {
        let commit = scope.spawn(|| primary.psql("postgres", "INSERT INTO t VALUES (1)"));
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        while primary.psql("postgres", waits).unwrap() != "1" {
            assert!(!commit.is_finished(), "it did not wait");
        }
        standby.resume();
        commit.join().unwrap().unwrap();
    });
}

#[test]
fn a_standby_needs_a_primary_that_writes_the_log_for_it() {
    let error = Cluster::start().unwrap().start_synchronous_standby().unwrap_err();
    assert!(matches!(&error, StartError::Standby(said) if !said.is_empty()), "{error}");
}

/// Whether every one of these processes that still exists is suspended, as Linux tells.
#[cfg(target_os = "linux")]
fn suspended(ids: &[u32]) -> bool {
    let stat = |id: &u32| std::fs::read_to_string(format!("/proc/{id}/stat")).ok();
    ids.iter().filter_map(stat).all(|stat| stat.rsplit(") ").next().is_some_and(|state| state.starts_with('T')))
}

#[cfg(target_os = "linux")]
#[test]
fn a_suspended_cluster_answers_when_it_is_resumed() {
    let cluster = Cluster::start().unwrap();
    let postmaster = cluster.process_id().unwrap();
    let children = std::fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")).unwrap();
    let mut ids: Vec<u32> = children.split_whitespace().map(|id| id.parse().unwrap()).collect();
    ids.push(postmaster);
    cluster.suspend();
    while !suspended(&ids) {
        std::thread::yield_now();
    }
    assert!(cluster.runs());
    cluster.resume();
    assert_eq!(cluster.psql("postgres", "SELECT 1").unwrap(), "1");
    // And one that is suspended can be killed, and dropped.
    cluster.suspend();
    cluster.kill();
    assert!(!cluster.runs());
    cluster.start_again().unwrap();
    cluster.suspend();
    let folder = cluster.data_directory();
    drop(cluster);
    assert!(!folder.exists());
}

#[test]
fn a_killed_postmaster_leaves_sessions_that_end_by_themselves() {
    let cluster = Cluster::start_with(&DURABLE).unwrap();
    cluster.psql("postgres", "CREATE TABLE t (n int); INSERT INTO t VALUES (1)").unwrap();
    cluster.kill_postmaster();
    assert!(!cluster.runs());
    cluster.start_again().unwrap();
    assert_eq!(cluster.psql("postgres", "SELECT count(*) FROM t").unwrap(), "1");
}

/// Whether a disk lies on this folder.
fn is_mounted(folder: &Path) -> bool {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    mounts.lines().any(|line| line.split(' ').nth(1) == folder.to_str())
}

#[test]
fn a_small_disk_fills_and_goes_with_its_cluster() {
    let cluster = match Cluster::start_on_small_disk(128, &DURABLE) {
        Ok(cluster) => cluster,
        Err(StartError::NoSmallDisk) => return,
        Err(error) => panic!("{error}"),
    };
    let data = cluster.data_directory();
    assert!(is_mounted(&data));
    cluster.psql("postgres", "CREATE TABLE t (n int); INSERT INTO t VALUES (1)").unwrap();
    let ballast = data.join("ballast");
    let mut file = std::fs::File::create(&ballast).unwrap();
    let lump = vec![1; 65_536];
    while file.write_all(&lump).is_ok() {}
    let error = cluster.psql("postgres", "CREATE TABLE big AS SELECT generate_series(1, 100000)").unwrap_err();
    assert!(error.to_string().contains("No space left on device") || !cluster.runs(), "{error}");
    std::fs::remove_file(&ballast).unwrap();
    cluster.kill();
    cluster.start_again().unwrap();
    assert_eq!(cluster.psql("postgres", "SELECT count(*) FROM t").unwrap(), "1");
    drop(cluster);
    assert!(!data.exists() && !is_mounted(&data) && !data.parent().unwrap().exists());
}

#[test]
fn a_free_port_can_be_listened_on() {
    // Someone else may be quicker, but not every time.
    let listened = (0..20).map(|_| free_port()).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    assert!(listened.is_some_and(|port| (15_000..32_000).contains(&port)));
}

#[test]
fn a_small_disk_takes_root() {
    // As another user, who may not mount.
    let id = Command::new("id").arg("-u").stdout(Stdio::piped()).output().unwrap();
    if id.stdout != b"0\n" {
        assert!(matches!(Cluster::start_on_small_disk(128, &[]), Err(StartError::NoSmallDisk)));
    }
}
