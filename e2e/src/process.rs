//! One child process: start, kill, pause, resume, look at its log.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    scratch,
    usage::{self, Usage},
    wait,
};

/// A running program whose output goes to a file. Dropped means killed.
pub struct Process {
    name: String,
    log: PathBuf,
    pid: u32,
    child: Mutex<Child>,
}

impl Process {
    /// Starts a program; its output is appended to `log`.
    pub fn spawn(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        let output = append(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // Ctrl-C is for us: we stop the others in order.
            .process_group(0)
            .spawn()
            .with_context(|| format!("failed to start {name} ({:?})", command.get_program()))?;
        let pid = child.id();
        scratch::adopt(pid);
        Ok(Self { name: name.to_owned(), log: log.to_owned(), pid, child: Mutex::new(child) })
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// How it ended, or `None` while it runs.
    pub fn exited(&self) -> Option<ExitStatus> {
        self.child().try_wait().ok().flatten()
    }

    /// Sends SIGKILL and waits until it is gone.
    pub fn kill(&self) {
        let mut child = self.child();
        if let Ok(None) = child.try_wait() {
            // It may end by itself between the two calls.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Sends SIGTERM and waits for the end.
    pub async fn stop(&self, limit: Duration) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        wait::until(&format!("{} to stop", self.name), limit, async || Ok(self.exited())).await
    }

    /// Freezes the process (SIGSTOP).
    pub fn pause(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets a frozen process go on.
    pub fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// CPU time and memory so far.
    pub fn usage(&self) -> Result<Usage> {
        usage::of(self.pid)
    }

    /// The file with its output.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The last lines of its output, for error messages.
    pub fn tail(&self, lines: usize) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    /// Fails with the end of the log when the process isn't running.
    pub fn check(&self) -> Result<()> {
        match self.exited() {
            None => Ok(()),
            Some(status) => anyhow::bail!("{} ended with {status}:\n{}", self.name, self.tail(15)),
        }
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid =
            i32::try_from(self.pid).ok().and_then(Pid::from_raw).context("process number out of range")?;
        kill_process(pid, signal).with_context(|| format!("failed to signal {}", self.name))
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        scratch::release(self.pid);
    }
}

fn append(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("failed to open {path:?}"))
}
