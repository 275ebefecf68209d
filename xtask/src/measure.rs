//! `cargo xtask measure`: the size, start time and memory of the release bootstrap that serves `reserve`.
//!
//! The limits are the product's own. The bootstrap runs under Lambda's Runtime Interface Emulator, which comes with the
//! SAM CLI, against the running stack.

use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::stack::Stack;
use crate::tools::Tool;
use crate::{aws, functions, local, process, root};

const FUNCTION: &str = "reserve";
/// The crate of the bootstrap that serves the function, and its binary.
const BOOTSTRAP: &str = "shoppers";
const STARTS: usize = 10;
const INVOCATIONS: usize = 50;
const PATIENCE: Duration = Duration::from_secs(10);
/// The limits, in the order of the output; megabytes are 10⁶ bytes.
const UNPACKED_MB: f64 = 16.0;
const ZIPPED_MB: f64 = 7.0;
const INIT_MS: f64 = 12.0;
const RESIDENT_MB: f64 = 18.0;

/// Measure the release bootstrap that serves `reserve`: size, start, memory. Fails above the limits.
///
/// Builds it with `cargo build --release`, unless a bootstrap is given, such as the one that `sam build` has made. The
/// stack must be up: memory is that of a function that talks to its tables. One unit of the demo sale is held by it.
#[derive(Args)]
pub(crate) struct Measure {
    /// Measure this bootstrap, for example .aws-sam/build/ReserveFunction/bootstrap
    #[arg(long)]
    bootstrap: Option<PathBuf>,
}

struct Figure {
    what: String,
    value: f64,
    limit: f64,
    unit: &'static str,
}

impl Measure {
    pub(crate) fn run(self) -> Result<()> {
        process::catch_interruption()?;
        let Some(stack) = Stack::running() else {
            bail!("no stack is up; `cargo xtask up --detach` starts one");
        };
        let bootstrap = match self.bootstrap {
            Some(given) => given.canonicalize().with_context(|| format!("there is no {}", given.display()))?,
            None => functions::build_released(&[BOOTSTRAP])?.join(BOOTSTRAP),
        };
        println!("{}\n", bootstrap.display());
        let event = fs::read_to_string(root().join(format!("events/{FUNCTION}/ok.json")))?;
        let mut inits = Vec::new();
        let mut resident = (0.0, 0.0);
        for start in 0..STARTS {
            let mut emulator = Emulator::start(&bootstrap, &stack)?;
            let invocations = if start == 0 { INVOCATIONS } else { 1 };
            for _ in 0..invocations {
                emulator.invoke(&event)?;
            }
            if start == 0 {
                resident = emulator.memory_mb()?;
            }
            inits.push(emulator.stop()?);
        }
        report(&[
            Figure {
                what: "unpacked".to_owned(),
                value: megabytes(fs::metadata(&bootstrap)?.len()),
                limit: UNPACKED_MB,
                unit: "MB",
            },
            Figure { what: "zipped".to_owned(), value: megabytes(zipped(&bootstrap)?), limit: ZIPPED_MB, unit: "MB" },
            Figure {
                what: format!("initialisation, median of {STARTS}"),
                value: median(&mut inits)?,
                limit: INIT_MS,
                unit: "ms",
            },
            Figure {
                what: format!("resident after {INVOCATIONS} invocations"),
                value: resident.0,
                limit: RESIDENT_MB,
                unit: "MB",
            },
            Figure { what: "resident at most".to_owned(), value: resident.1, limit: RESIDENT_MB, unit: "MB" },
        ])
    }
}

fn report(figures: &[Figure]) -> Result<()> {
    for Figure { what, value, limit, unit } in figures {
        let verdict = if value < limit { "" } else { "  ← above the limit" };
        println!("{what:32} {value:6.2} {unit}   (limit {limit:.0} {unit}){verdict}");
    }
    let over: Vec<&str> =
        figures.iter().filter(|figure| figure.value >= figure.limit).map(|figure| figure.what.as_str()).collect();
    if !over.is_empty() {
        bail!("above the limit: {}", over.join(", "));
    }
    Ok(())
}

/// The size of a bootstrap in an archive as `sam deploy` makes it.
fn zipped(bootstrap: &Path) -> Result<u64> {
    let (folder, archive) = (local("measure"), local("measure.zip"));
    fs::create_dir_all(&folder)?;
    fs::copy(bootstrap, folder.join("bootstrap"))?;
    let _ = fs::remove_file(&archive); // it may not exist
    let mut zip = Command::new(Tool::Sam.program("python"));
    zip.args(["-m", "zipfile", "-c"]).arg(&archive).arg(folder.join("bootstrap"));
    process::run(&mut zip, "zip")?;
    let bytes = fs::metadata(&archive)?.len();
    fs::remove_dir_all(&folder)?;
    fs::remove_file(&archive)?;
    Ok(bytes)
}

/// A bootstrap under the Runtime Interface Emulator.
struct Emulator {
    child: Child,
    address: String,
    log: PathBuf,
}

impl Emulator {
    fn start(bootstrap: &Path, stack: &Stack) -> Result<Self> {
        let [address, runtime] = free_addresses()?;
        let log = local("measure.log");
        let output = fs::File::create(&log)?;
        let child = Command::new(interface_emulator()?)
            .args(["--log-level", "info", "--runtime-interface-emulator-address", &address, "--runtime-api-address", &runtime])
            .arg(bootstrap)
            .envs(aws::environment())
            .env("_HANDLER", FUNCTION)
            .env("ENVIRONMENT", "local")
            .env("PAYMENT_GATEWAYS", "sandbox,sandbox-standby")
            .env("STOCK_TABLE", &stack.tables.stock)
            .env("RESERVATION_TABLE", &stack.tables.reservation)
            .env("TRUST_USER_ID_HEADER", "false")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("cannot start the Runtime Interface Emulator")?;
        let emulator = Self { child, address, log };
        let asked = Instant::now();
        while TcpStream::connect(&emulator.address).is_err() {
            if asked.elapsed() > PATIENCE {
                bail!("the Runtime Interface Emulator does not answer:\n{}", process::tail(&emulator.log));
            }
            sleep(Duration::from_millis(10));
        }
        Ok(emulator)
    }

    fn invoke(&mut self, event: &str) -> Result<()> {
        if process::interrupted() {
            bail!("interrupted");
        }
        let url = format!("http://{}/2015-03-31/functions/function/invocations", self.address);
        let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).timeout_global(Some(PATIENCE)).build().into();
        let answer = agent.post(url).send(event).context("no answer")?.body_mut().read_to_string()?;
        let answer: serde_json::Value = serde_json::from_str(&answer).with_context(|| format!("not JSON: {answer}"))?;
        // 409: the demo sale has not opened, or its units are gone. The function has served this request, too.
        match answer.get("statusCode").and_then(serde_json::Value::as_u64) {
            Some(200 | 201 | 409) => Ok(()),
            _ => bail!("{FUNCTION} does not serve: {answer}\n{}", process::tail(&self.log)),
        }
    }

    /// Resident memory now and at its peak, from Linux.
    fn memory_mb(&self) -> Result<(f64, f64)> {
        let pid = child_of(self.child.id()).context("the bootstrap has ended")?;
        let status = fs::read_to_string(format!("/proc/{pid}/status")).context("this needs Linux")?;
        let kibibytes = |name: &str| -> Option<f64> {
            status.lines().find_map(|line| line.strip_prefix(name))?.trim().trim_end_matches(" kB").parse().ok()
        };
        let (now, most) = kibibytes("VmRSS:").zip(kibibytes("VmHWM:")).context("no memory figures")?;
        Ok((now * 1024.0 / 1e6, most * 1024.0 / 1e6))
    }

    /// Stops the emulator. Returns how long its initialisation took, in milliseconds.
    fn stop(mut self) -> Result<f64> {
        self.end();
        let mut log = String::new();
        fs::File::open(&self.log)?.read_to_string(&mut log)?;
        let (_, after) = log.split_once("INIT REPORT(durationMs: ").context("the emulator reported no initialisation")?;
        let (milliseconds, _) = after.split_once(')').context("the emulator reported no initialisation")?;
        milliseconds.parse().with_context(|| format!("not a duration: {milliseconds}"))
    }

    /// Sends a signal that the emulator can handle: a killed emulator would leave its bootstrap running.
    fn end(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM); // it may have ended by itself
        }
        let _ = self.child.wait();
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            self.end();
        }
    }
}

/// `aws-lambda-rie` is in the SAM CLI's package, for both architectures.
fn interface_emulator() -> Result<PathBuf> {
    let architecture = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "x86_64" };
    let python = fs::read_dir(root().join("target/tools/sam/lib")).into_iter().flatten().flatten();
    let inside = format!("site-packages/samcli/local/rapid/aws-lambda-rie-{architecture}");
    let found = python.map(|python| python.path().join(&inside)).find(|path| path.is_file());
    found.context("the SAM CLI is not installed; `cargo xtask up` does that")
}

/// Two different free addresses, because the emulator cannot choose them itself. Both are bound at the same time, so
/// they differ.
fn free_addresses() -> Result<[String; 2]> {
    let take = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let taken = [take()?, take()?];
    Ok([taken[0].local_addr()?.to_string(), taken[1].local_addr()?.to_string()])
}

fn child_of(parent: u32) -> Option<u32> {
    let parent = parent.to_string();
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let number = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // The second field, the name, may contain spaces and brackets, so the fields are counted from the end of the
        // name.
        let (_, fields) = stat.rsplit_once(')')?;
        (fields.split_whitespace().nth(1) == Some(&parent)).then_some(number)
    })
}

#[expect(clippy::cast_precision_loss, reason = "a file of this size is exact in a double")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn median(figures: &mut [f64]) -> Result<f64> {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    figures
        .get(middle.saturating_sub(1))
        .zip(figures.get(middle))
        .map(|(a, b)| f64::midpoint(*a, *b))
        .context("nothing was measured")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert!((median(&mut [9.0, 1.0, 3.0, 5.0]).unwrap() - 4.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_figure_at_its_limit_fails() {
        let figure = |value| [Figure { what: "unpacked".to_owned(), value, limit: 12.0, unit: "MB" }];
        assert!(report(&figure(11.99)).is_ok());
        assert!(report(&figure(12.0)).unwrap_err().to_string().contains("unpacked"));
    }

    #[test]
    fn a_child_is_found_by_its_parent() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        assert!(child_of(std::process::id()).is_some());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
