//! Temporary folders and child processes that don't outlive us.
//!
//! `Drop` isn't enough: statics aren't dropped, a panic can abort, and a test runner may be killed. So a small
//! shell is told of every folder and process, and sweeps when our end of its pipe closes.

use std::{
    fs,
    io::Write,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context, Result};

/// Reads `pid N`, `gone N` and `dir D` until the pipe closes, then kills and removes what is left.
const JANITOR: &str = r#"
trap '' INT TERM HUP
pids=' '; dirs=''
while read -r verb what; do
    case $verb in
        pid) pids="$pids$what " ;;
        gone) pids="${pids%% "$what" *} ${pids#* "$what" }" ;;
        dir) dirs="$dirs$what
" ;;
    esac
done
for pid in $pids; do kill -KILL "$pid"; done
printf %s "$dirs" | while read -r dir; do rm -rf "$dir" || { sleep 1; rm -rf "$dir"; }; done
"#;

struct Janitor {
    pipe: Mutex<ChildStdin>,
    _shell: Child,
}

/// Makes a folder that is removed when this process ends.
///
/// With `FERRITE_E2E_DIR` set it is made there and stays, so that logs can be read afterwards.
pub fn folder(name: &str) -> Result<PathBuf> {
    if let Some(root) = std::env::var_os("FERRITE_E2E_DIR") {
        static NUMBER: AtomicUsize = AtomicUsize::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = PathBuf::from(root).join(format!("{name}-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("failed to create {path:?}"))?;
        return Ok(path);
    }
    let path = tempfile::Builder::new().prefix(&format!("ferrite-{name}-")).tempdir()?.keep();
    tell("dir", &path.display().to_string());
    Ok(path)
}

/// Removes a folder of [`folder`] before its time.
pub fn remove(path: &Path) {
    if std::env::var_os("FERRITE_E2E_DIR").is_none() {
        // What can't be removed now, the janitor removes at the end.
        let _ = fs::remove_dir_all(path);
    }
}

/// Has the janitor kill this process at our end.
pub(crate) fn adopt(pid: u32) {
    tell("pid", &pid.to_string());
}

/// Takes back [`adopt`]: the process is gone and its number may be given to another.
pub(crate) fn release(pid: u32) {
    tell("gone", &pid.to_string());
}

fn tell(verb: &str, what: &str) {
    static JANITOR_PROCESS: OnceLock<Janitor> = OnceLock::new();
    let janitor = JANITOR_PROCESS.get_or_init(start);
    let mut pipe = janitor.pipe.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // A janitor that was killed can't sweep; `Drop` still does.
    let _ = writeln!(pipe, "{verb} {what}");
}

fn start() -> Janitor {
    let mut shell = Command::new("sh")
        .args(["-c", JANITOR])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("every Unix has sh");
    let pipe = shell.stdin.take().expect("stdin was asked for");
    Janitor { pipe: Mutex::new(pipe), _shell: shell }
}
