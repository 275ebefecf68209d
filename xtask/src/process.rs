//! Child processes: runs them with a log, ends early when the command is interrupted, stops a whole process group, and
//! recognises a process that was started earlier even if another process has its number by now.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

const POLL: Duration = Duration::from_millis(50);
/// Long enough for the emulator to write its state.
const PATIENCE: Duration = Duration::from_secs(10);

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// After this call Ctrl-C and the termination signals only set a flag, so that a command can stop the processes that it started.
pub(crate) fn catch_interruption() -> Result<()> {
    let flag = INTERRUPTED.get_or_init(Arc::default);
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(flag)).context("cannot catch signals")?;
    }
    Ok(())
}

/// Whether the user or the system has asked the command to end.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// Runs a command to its end and shows its output.
pub(crate) fn run(command: &mut Command, what: &str) -> Result<()> {
    let mut child = command.spawn().with_context(|| format!("{what}: cannot start {command:?}"))?;
    let status = wait(&mut child)?;
    if !status.success() {
        bail!("{what} failed ({status})");
    }
    Ok(())
}

/// Runs a command to its end with its output in a file. An error contains the last lines of the file.
pub(crate) fn run_logged(command: &mut Command, what: &str, log: &Path) -> Result<()> {
    let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    let done = run(command, what);
    if interrupted() { done } else { done.with_context(|| format!("{}\n(all of it: {})", tail(log), log.display())) }
}

/// Waits for a child; stops it when the command is interrupted.
pub(crate) fn wait(child: &mut Child) -> Result<std::process::ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if interrupted() {
            let _ = child.kill(); // it may have got the same Ctrl-C and have ended by itself
            child.wait()?;
            bail!("interrupted");
        }
        sleep(POLL);
    }
}

/// The last lines of a log.
pub(crate) fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(15)..).unwrap_or_default().join("\n")
}

/// Puts a command's process into a group of its own. Ctrl-C does not reach the group, and the group can be stopped with all
/// children.
pub(crate) fn own_group(command: &mut Command) -> &mut Command {
    command.process_group(0)
}

/// Stops a process group: asks, waits, then kills. Returns when its leader is gone.
pub(crate) fn stop_group(leader: u32) {
    let Some(pid) = pid(leader) else { return };
    let _ = rustix::process::kill_process_group(pid, Signal::TERM);
    let asked = Instant::now();
    while is_running(leader) && asked.elapsed() < PATIENCE {
        sleep(POLL);
    }
    // The leader is gone or does not answer. Kills the rest of its group.
    let _ = rustix::process::kill_process_group(pid, Signal::KILL);
    while is_running(leader) && asked.elapsed() < 2 * PATIENCE {
        sleep(POLL);
    }
}

/// Stops every process whose executable is in `folder`: function workers that have lost their emulator.
pub(crate) fn stop_executables_under(folder: &Path) {
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(number) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let under = std::fs::read_link(entry.path().join("exe")).is_ok_and(|executable| executable.starts_with(folder));
        if let (true, Some(pid)) = (under, pid(number)) {
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
    }
}

/// The start time of a process, in the system's units. It distinguishes the process from a later one with the same number. None
/// when no such process runs; a zombie does not count.
pub(crate) fn started(number: u32) -> Option<String> {
    if let Ok(stat) = std::fs::read_to_string(format!("/proc/{number}/stat")) {
        // The second field, the name, may contain spaces and brackets, so the fields are counted from the end of the name.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?;
        return if state == "Z" { None } else { fields.nth(18).map(str::to_owned) };
    }
    let shown = Command::new("ps").args(["-o", "lstart=", "-p", &number.to_string()]).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&shown.stdout).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

fn is_running(number: u32) -> bool {
    started(number).is_some()
}

fn pid(number: u32) -> Option<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_recognised_while_it_runs_and_not_after() {
        let mut child = own_group(Command::new("sleep").arg("60")).spawn().unwrap();
        let first = started(child.id());
        assert!(first.is_some());
        assert_eq!(started(child.id()), first);
        stop_group(child.id());
        child.wait().unwrap();
        assert_eq!(started(child.id()), None);
    }

    #[test]
    fn a_group_is_stopped_with_its_children() {
        let marker = std::env::temp_dir().join(format!("xtask-group-{}", std::process::id()));
        let script = format!("sleep 61 & echo $! > {}; wait", marker.display());
        let mut child = own_group(Command::new("sh").args(["-c", &script])).spawn().unwrap();
        let child_of_child = loop {
            let text = std::fs::read_to_string(&marker).unwrap_or_default();
            if let Ok(number) = text.trim().parse::<u32>() {
                break number;
            }
            sleep(POLL);
        };
        stop_group(child.id());
        child.wait().unwrap();
        std::fs::remove_file(&marker).unwrap();
        let asked = Instant::now();
        while started(child_of_child).is_some() && asked.elapsed() < PATIENCE {
            sleep(POLL);
        }
        assert_eq!(started(child_of_child), None);
    }
}
