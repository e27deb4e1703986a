//! Where the programs are: those of the test bed, built once by `testbed/build.sh`, and our own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
};

use anyhow::{Context, Result, bail};

/// The programs of the test bed.
#[derive(Debug, Clone)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Finds them, building what is missing; progress goes to standard error.
    ///
    /// The first build needs Go and takes about ten minutes on two cores.
    pub fn locate() -> Result<Self> {
        static FOUND: OnceLock<Programs> = OnceLock::new();
        if let Some(found) = FOUND.get() {
            return Ok(found.clone());
        }
        let script = workspace().join("e2e/testbed/build.sh");
        let output = Command::new(&script)
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("failed to run {script:?}"))?;
        if !output.status.success() {
            bail!("the programs of the test bed could not be built: {script:?} ended with {}", output.status);
        }
        let folder = PathBuf::from(String::from_utf8(output.stdout)?.trim());
        Ok(FOUND.get_or_init(|| Self { folder }).clone())
    }

    /// The path of one program, such as `kubectl`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The path of one of our own controllers.
///
/// Taken from the folder `FERRITE_PROGRAMS` when that is set, else from the folder that this program runs from,
/// where Cargo builds it unless it is newer than its sources.
pub fn controller(name: &str) -> Result<PathBuf> {
    let folder = match env::var_os("FERRITE_PROGRAMS") {
        Some(folder) => PathBuf::from(folder),
        None => {
            let folder = own_folder()?;
            if !current(&folder.join(name)) {
                build(&folder)?;
            }
            folder
        }
    };
    let path = folder.join(name);
    if !path.is_file() {
        bail!("there is no program {path:?}: build it with `cargo build -p {name}`");
    }
    Ok(path)
}

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("e2e lies in the workspace")
}

/// The read-only material beside the project, or `None` where it isn't there.
pub fn shared() -> Option<PathBuf> {
    let path = workspace().parent()?.join("shared");
    path.is_dir().then_some(path)
}

/// Whether a program is newer than every file that Cargo's `<program>.d` says it was made from.
///
/// Cargo itself would know better, but within `cargo test` the features it unifies may be others than those of
/// the test, and it would build half of the tree again.
fn current(program: &Path) -> bool {
    let time = |path: &Path| path.metadata().and_then(|file| file.modified()).ok();
    let Some(built) = time(program) else { return false };
    let Ok(rule) = fs::read_to_string(program.with_extension("d")) else { return false };
    let Some((_, sources)) = rule.split_once(": ") else { return false };
    sources.split_whitespace().all(|source| time(Path::new(source)).is_some_and(|time| time <= built))
}

/// Has Cargo build all programs, once.
fn build(folder: &Path) -> Result<()> {
    static BUILT: Mutex<bool> = Mutex::new(false);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if *built {
        return Ok(());
    }
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace()).args(["build", "--workspace", "--bins"]);
    if folder.ends_with("release") {
        command.arg("--release");
    }
    let status = command.status().context("failed to run cargo")?;
    if !status.success() {
        bail!("the controllers could not be built: cargo ended with {status}");
    }
    *built = true;
    Ok(())
}

/// `target/debug`, or whatever profile we were built with.
fn own_folder() -> Result<PathBuf> {
    let program = env::current_exe().context("failed to find the running program")?;
    let folder = program.parent().context("a program lies in a folder")?;
    // Test binaries lie one level deeper.
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    Ok(folder.to_owned())
}
