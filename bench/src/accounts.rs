//! CPU time and memory from Linux's own accounting.

use std::{fs, time::Duration};

use anyhow::{Context, Result, bail};
use serde::Serialize;

/// `/proc/stat` counts in hundredths of a second on every Linux (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);
/// The fields of `/proc/stat` in which a processor does not work for this machine: idle, iowait, steal, and the two that the first
/// fields contain already (guest, guest nice).
const NOT_BUSY: [usize; 5] = [3, 4, 7, 8, 9];

/// The time for which the threads of a process have run on a processor, in the kernel and outside.
///
/// # Errors
/// When there is no such process, or this is not Linux.
pub fn processor_time(process: u32) -> Result<Duration> {
    let mut sum = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task")).context("this needs Linux and a running process")? {
        // A thread may have ended since it was listed. Its time is lost; the threads of a bootstrap do not end.
        let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
        let nanoseconds: u64 = text.split_whitespace().next().and_then(|first| first.parse().ok()).context("no such figure")?;
        sum += nanoseconds;
    }
    Ok(Duration::from_nanos(sum))
}

/// The time for which this thread has run on a processor.
///
/// # Errors
/// When this is not Linux.
pub fn processor_time_of_this_thread() -> Result<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").context("this needs Linux")?;
    let nanoseconds = text.split_whitespace().next().and_then(|first| first.parse().ok()).context("no such figure")?;
    Ok(Duration::from_nanos(nanoseconds))
}

/// The sum over several processes.
///
/// # Errors
/// As [`processor_time`].
pub fn processor_times(processes: &[u32]) -> Result<Duration> {
    processes.iter().map(|process| processor_time(*process)).sum()
}

/// The time for which all processors of the machine have worked, in steps of 10 ms.
///
/// # Errors
/// When this is not Linux.
pub fn machine_time() -> Result<Duration> {
    busy(&fs::read_to_string("/proc/stat").context("this needs Linux")?)
}

fn busy(stat: &str) -> Result<Duration> {
    let Some(all) = stat.lines().next().and_then(|line| line.strip_prefix("cpu ")) else { bail!("/proc/stat has no sum") };
    let mut ticks = 0;
    for (place, field) in all.split_whitespace().enumerate() {
        if !NOT_BUSY.contains(&place) {
            ticks += field.parse::<u32>().with_context(|| format!("{field} is no count"))?;
        }
    }
    Ok(TICK * ticks)
}

/// The most memory that a process has had resident, in bytes.
///
/// # Errors
/// When there is no such process, or this is not Linux.
pub fn peak_resident(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).context("this needs Linux and a running process")?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kibibytes.context("no figure for memory")? * 1_024)
}

/// The machine of a measurement.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// The model of its processors.
    pub processor: String,
    /// How many there are.
    pub processors: usize,
    /// Name and release of the system.
    pub system: String,
}

impl Machine {
    /// This machine.
    #[must_use]
    pub fn this() -> Self {
        let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
        let cpuinfo = read("/proc/cpuinfo");
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, model)| model));
        Self {
            processor: model.unwrap_or(std::env::consts::ARCH).to_owned(),
            processors: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            system: format!("{} {}", std::env::consts::OS, read("/proc/sys/kernel/osrelease").trim()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_computes_has_more_processor_time_than_before() {
        let this = std::process::id();
        let before = (processor_time(this).unwrap(), machine_time().unwrap());
        while processor_time(this).unwrap() < before.0 + Duration::from_millis(20) {
            std::hint::black_box((0..1_000_u64).sum::<u64>());
        }
        assert!(machine_time().unwrap() >= before.1);
        assert!(peak_resident(this).unwrap() > 1_000_000);
    }

    #[test]
    fn waiting_is_no_work_and_a_guests_time_counts_once() {
        let stat = "cpu  100 10 20 9000 800 3 4 500 60 7\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        assert_eq!(busy(stat).unwrap(), Duration::from_millis(1_370));
        assert!(busy("intr 1\n").is_err());
    }
}
