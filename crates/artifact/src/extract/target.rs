//! A directory that is written to without ever leaving it.

use std::{
    fs::File,
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{CWD, Mode, OFlags, Timespec, Timestamps, fchmod, futimens, mkdirat, openat},
    io::Errno,
};

const PARENT_MODE: u32 = 0o750;

pub(super) struct Target {
    root: OwnedFd,
    /// The folder used last: archives keep together what lies together.
    current: Option<(String, OwnedFd)>,
}

impl Target {
    pub(super) fn open(dir: &Path) -> io::Result<Self> {
        let root = openat(CWD, dir, OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { root, current: None })
    }

    /// Makes a folder, or gives one that is there its mode.
    pub(super) fn dir(&mut self, path: &str, mode: u32) -> io::Result<()> {
        if path.is_empty() {
            return Ok(());
        }
        let fd = self.enter(path)?;
        fchmod(fd, Mode::from_raw_mode(mode))?;
        Ok(())
    }

    /// Makes a new file.
    pub(super) fn file(&mut self, path: &str, mode: u32) -> io::Result<File> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(mode);
        let fd = if parent.is_empty() {
            openat(&self.root, name, flags, mode)?
        } else {
            openat(self.enter(parent)?, name, flags, mode)?
        };
        Ok(File::from(fd))
    }

    /// Opens a folder step by step, and makes what is missing.
    fn enter(&mut self, path: &str) -> io::Result<&OwnedFd> {
        let known = self.current.take().filter(|(current, _)| is_within(path, current));
        let (mut fd, rest) = match known {
            Some((current, fd)) => {
                let rest = path[current.len()..].trim_start_matches('/');
                (fd, rest)
            }
            None => (self.root.try_clone()?, path),
        };
        for name in rest.split('/').filter(|name| !name.is_empty()) {
            fd = step(&fd, name)?;
        }
        let (_, fd) = self.current.insert((path.to_owned(), fd));
        Ok(fd)
    }
}

fn is_within(path: &str, dir: &str) -> bool {
    path.strip_prefix(dir).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn step(parent: &OwnedFd, name: &str) -> io::Result<OwnedFd> {
    match mkdirat(parent, name, Mode::from_raw_mode(PARENT_MODE)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    Ok(openat(parent, name, flags, Mode::empty())?)
}

/// Sets both times of a file, in seconds since 1970.
pub(super) fn set_mtime(file: &File, seconds: u64) -> io::Result<()> {
    let time = Timespec { tv_sec: i64::try_from(seconds).unwrap_or_default(), tv_nsec: 0 };
    futimens(file.as_fd(), &Timestamps { last_access: time, last_modification: time })?;
    Ok(())
}
