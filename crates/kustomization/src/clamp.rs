//! Paths that can't leave their root.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// More symbolic links than this on one path are a loop; the limit of Linux.
const MAX_LINKS: usize = 40;

/// Resolves a path as if `root` were the root of the file system; returns it relative to `root`.
///
/// `..` at the root stays there, an absolute path starts there, and symbolic links are followed inside of it. What
/// doesn't exist is taken as written. `None` when links form a loop.
///
/// Source: `cyphar/filepath-securejoin`, which Flux joins `spec.path` with. Like it, not safe while others change
/// the tree.
pub(crate) fn clamp(root: &Path, path: &Path) -> Option<PathBuf> {
    let mut ahead = steps(path);
    let mut clamped = PathBuf::new();
    let mut links = 0;
    while let Some(step) = ahead.pop_front() {
        let Step::Down(name) = step else {
            clamped.pop();
            continue;
        };
        clamped.push(name);
        let Ok(target) = fs::read_link(root.join(&clamped)) else { continue };
        links += 1;
        if links > MAX_LINKS {
            return None;
        }
        clamped.pop();
        if target.is_absolute() {
            clamped.clear();
        }
        let mut target = steps(&target);
        target.append(&mut ahead);
        ahead = target;
    }
    Some(clamped)
}

enum Step {
    Up,
    Down(OsString),
}

fn steps(path: &Path) -> VecDeque<Step> {
    let step = |component| match component {
        Component::ParentDir => Some(Step::Up),
        Component::Normal(name) => Some(Step::Down(name.to_owned())),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(step).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn paths_stay_below_the_root() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("a/b")).unwrap();
        symlink("../a", root.path().join("a/up")).unwrap();
        symlink("/etc", root.path().join("abs")).unwrap();
        symlink("../../../etc", root.path().join("out")).unwrap();
        symlink("loop", root.path().join("loop")).unwrap();
        for (path, expected) in [
            ("", Some("")),
            ("./", Some("")),
            ("./a/b/", Some("a/b")),
            ("/a/b", Some("a/b")),
            ("../../etc", Some("etc")),
            ("a/../../b", Some("b")),
            ("a/up/b", Some("a/b")),
            ("abs/passwd", Some("etc/passwd")),
            ("out", Some("etc")),
            ("missing/x", Some("missing/x")),
            ("loop", None),
        ] {
            assert_eq!(clamp(root.path(), Path::new(path)), expected.map(PathBuf::from), "{path}");
        }
    }
}
