//! A wrong clock for one program: a small library that is loaded into it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Compiles the library into this folder. Its path goes into `LD_PRELOAD`.
///
/// # Errors
/// Where there is no C compiler, or no Linux.
pub(super) async fn compile(folder: &Path, shift_seconds: i64) -> anyhow::Result<PathBuf> {
    anyhow::ensure!(cfg!(target_os = "linux"), "only Linux loads a library into a program so");
    let library = folder.join("clock.so");
    let mut compiler = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-x", "c", &format!("-DSHIFT_SECONDS=({shift_seconds})"), "-o"])
        .arg(&library)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("there is no C compiler `cc`")?;
    let mut input = compiler.stdin.take().context("cc has no input")?;
    input.write_all(include_bytes!("clock.c")).await.context("cc does not read")?;
    drop(input);
    let output = compiler.wait_with_output().await.context("can't wait for cc")?;
    anyhow::ensure!(output.status.success(), "cc failed: {}", String::from_utf8_lossy(&output.stderr).trim_end());
    Ok(library)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[tokio::test]
    async fn a_program_with_the_library_is_wrong_about_the_time() {
        let guard = crate::chaos::guard::Guard::start().unwrap();
        let library = compile(guard.folder(), 3600).await.unwrap();
        let before = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let output = Command::new("date").arg("+%s").env("LD_PRELOAD", library).output().await.unwrap();
        let after = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let told: u64 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        assert!((before + 3600..=after + 3600).contains(&told));
    }
}
