//! However a chaos run ends, its programs end with it, and its folder goes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// Notes its process and its folder, and then neither listens nor ends. It migrates at once.
const PROGRAM: &str = "#!/bin/sh\n[ \"$1\" = migrate ] && exit 0\necho \"$$ $PWD\" >>\"${0%/*}/started\"\nexec sleep 600\n";

/// Nothing here waits for long; a test that does has failed.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_mins(2), "still not so after two minutes: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A folder with programs that can be started, and no more.
fn programs(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("programs-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for program in ["api", "expiry-worker"] {
        fs::write(folder.join(program), PROGRAM).unwrap();
        fs::set_permissions(folder.join(program), fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

/// The processes that have been started, and the folder that they work in.
fn started(programs: &Path) -> Vec<(Pid, PathBuf)> {
    let text = fs::read_to_string(programs.join("started")).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.map(|(id, folder)| (Pid::from_raw(id.parse().unwrap()).unwrap(), folder.into())).collect()
}

fn chaos(programs: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    command.args(["chaos", "--seconds", "20", "--faults", "delay", "--programs"]).arg(programs);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Whether it has ended, be it that nobody has waited for it.
fn is_gone(id: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    test_kill_process(id).is_err() || stat.rsplit(") ").next().is_some_and(|state| state.starts_with('Z'))
}

#[test]
fn nothing_is_left_when_a_run_is_interrupted_or_killed() {
    for (name, signal) in [("interrupted", Signal::INT), ("killed", Signal::KILL)] {
        let programs = programs(name);
        let mut run = chaos(&programs);
        eventually("two apis and two workers are started", || {
            assert!(run.try_wait().unwrap().is_none(), "the run ended by itself");
            started(&programs).len() == 4
        });
        let started = started(&programs);
        assert!(started.iter().all(|(id, folder)| test_kill_process(*id).is_ok() && folder.is_dir()));
        kill_process(Pid::from_child(&run), signal).unwrap();
        run.wait().unwrap();
        for (id, folder) in started {
            eventually("the program is gone", || is_gone(id));
            eventually("the folder is gone", || !folder.exists());
        }
        fs::remove_dir_all(programs).unwrap();
    }
}
