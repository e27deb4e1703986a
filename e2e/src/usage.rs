//! What a process needs, from `/proc`.

use std::{fs, time::Duration};

use anyhow::{Context, Result};

/// CPU time and memory of one process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// User and system time since its start.
    pub cpu: Duration,
    /// Resident memory now, in bytes.
    pub memory: u64,
    /// The most that it ever had, in bytes.
    pub peak: u64,
}

/// Reads the figures of one process.
pub fn of(pid: u32) -> Result<Usage> {
    let read = |file: &str| {
        let path = format!("/proc/{pid}/{file}");
        fs::read_to_string(&path).with_context(|| format!("failed to read {path}"))
    };
    let status = read("status")?;
    Ok(Usage { cpu: cpu(&read("stat")?)?, memory: kib(&status, "VmRSS:")?, peak: kib(&status, "VmHWM:")? })
}

/// Starts a new peak of [`Usage::peak`].
pub fn reset_peak(pid: u32) -> Result<()> {
    let path = format!("/proc/{pid}/clear_refs");
    fs::write(&path, "5").with_context(|| format!("failed to write {path}"))
}

fn cpu(stat: &str) -> Result<Duration> {
    // The second field is a name in brackets that may hold spaces.
    let (_, rest) = stat.rsplit_once(')').context("no name in stat")?;
    let ticks: u64 =
        rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    // USER_HZ is 100 on every architecture that Rust knows.
    Ok(Duration::from_millis(ticks * 10))
}

fn kib(status: &str, name: &str) -> Result<u64> {
    let line =
        status.lines().find(|line| line.starts_with(name)).with_context(|| format!("no {name} in status"))?;
    let value = line.split_whitespace().nth(1).context("no value")?;
    Ok(value.parse::<u64>()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_figures_are_plausible() {
        let usage = of(std::process::id()).unwrap();
        assert!(usage.memory > 100 * 1024 && usage.peak >= usage.memory, "{usage:?}");
    }

    #[test]
    fn cpu_time_is_user_and_system_after_the_name() {
        let stat = "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0";
        assert_eq!(cpu(stat).unwrap(), Duration::from_secs(2));
    }
}
