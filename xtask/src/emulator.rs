//! The emulator's process: ministack through `infra/local/emulator.py`, on loopback only. Emulator and functions run in a process
//! group of their own.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::stack::Emulator;
use crate::tools::Tool;
use crate::{aws, local, process, root};

const PORT: u16 = 4566;
/// The endpoint for every AWS client.
pub(crate) const ENDPOINT: &str = "http://127.0.0.1:4566";
/// The only Region of the local stack.
pub(crate) const REGION: &str = "us-east-1";
/// The folder of the emulator's temporary files, where it unpacks and runs the functions.
pub(crate) const WORKERS: &str = "tmp";
const STATE: &str = "state";
const LOG: &str = "ministack.log";
const PATIENCE: Duration = Duration::from_mins(1);

/// Whether the emulator continues with the data of its last stop.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Kept,
    Fresh,
}

/// Fails early if another program has the port, and names that program if possible.
pub(crate) fn port_is_free() -> Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, PORT)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => bail!(
            "port {PORT} on 127.0.0.1 is in use by another program (an emulator from another checkout, or LocalStack?). \
             Stop it first; `lsof -i :{PORT}` or `ss -ltnp` shows which it is"
        ),
        Err(error) => Err(error).with_context(|| format!("cannot listen on 127.0.0.1:{PORT}")),
    }
}

/// Starts the emulator and returns when it answers. With `attached` the emulator ends when this process ends in any way.
pub(crate) fn start(state: State, attached: bool) -> Result<Child> {
    if state == State::Fresh {
        let _ = std::fs::remove_dir_all(local(STATE)); // it may not exist
    }
    for folder in [STATE, WORKERS] {
        std::fs::create_dir_all(local(folder))?;
    }
    let log = local(LOG);
    let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut command = Command::new(Tool::Ministack.program("python"));
    command
        .arg(root().join("infra/local/emulator.py"))
        .current_dir(local(""))
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "HOME" || name == "LANG"))
        .envs(environment())
        .stdin(if attached { Stdio::piped() } else { Stdio::null() })
        .stdout(output.try_clone()?)
        .stderr(output);
    if attached {
        command.env("END_WITH_STDIN", "1");
    }
    let mut child = process::own_group(&mut command).spawn().context("cannot start the emulator")?;
    Emulator::remember(child.id())?;
    wait_until_ready(&mut child)?;
    Ok(child)
}

/// Takes nothing from the user's own AWS settings: the local stack must not be able to reach a real account.
fn environment() -> Vec<(&'static str, PathBuf)> {
    let mut variables: Vec<(&'static str, PathBuf)> = vec![
        ("BIND_HOST", "127.0.0.1".into()),
        ("GATEWAY_PORT", PORT.to_string().into()),
        ("MINISTACK_HOST", "127.0.0.1".into()),
        ("MINISTACK_REGION", REGION.into()),
        // These servers of other services would listen on more ports and on other addresses.
        ("IOT_MTLS_ENABLED", "0".into()),
        ("SFTP_ENABLED", "0".into()),
        // It would look for its own old containers and remove them.
        ("DOCKER_HOST", "unix:///nonexistent".into()),
        // 300 calls at once, on a machine with any amount of memory. emulator.py limits the processes.
        ("LAMBDA_ACCOUNT_CONCURRENCY", "1000".into()),
        ("PERSIST_STATE", "1".into()),
        ("S3_PERSIST", "1".into()),
        ("STATE_DIR", local(STATE)),
        ("S3_DATA_DIR", local(STATE).join("s3")),
        ("TMPDIR", local(WORKERS)),
        ("PYTHONUNBUFFERED", "1".into()),
        ("PYTHONDONTWRITEBYTECODE", "1".into()),
    ];
    variables.extend(aws::environment().map(|(name, value)| (name, value.into())));
    variables
}

fn wait_until_ready(child: &mut Child) -> Result<()> {
    let started = Instant::now();
    while !aws::is_ready() {
        if let Some(status) = child.try_wait()? {
            bail!("the emulator ended ({status}):\n{}", process::tail(&local(LOG)));
        }
        if process::interrupted() {
            bail!("interrupted");
        }
        if started.elapsed() > PATIENCE {
            bail!("the emulator does not answer:\n{}", process::tail(&local(LOG)));
        }
        sleep(Duration::from_millis(50));
    }
    Ok(())
}
