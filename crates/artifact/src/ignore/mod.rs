//! What a source leaves out of its artifact: `.sourceignore` files and `spec.ignore`.
//!
//! The syntax is that of `.gitignore` as go-git reads it, with its limits: see [`Matcher::is_ignored`]. Nothing
//! here touches a disk.
//!
//! ```
//! use artifact::ignore::{Defaults, IgnoreFile, Matcher};
//! let files = [IgnoreFile { dir: "apps", content: "*.md\n!README.md\n" }];
//! let matcher = Matcher::new(Defaults::Source, files, None)?;
//! assert!(matcher.is_ignored("apps/deep/notes.md", false));
//! assert!(!matcher.is_ignored("apps/README.md", false));
//! assert!(!matcher.is_ignored("notes.md", false));
//! # Ok::<(), artifact::ignore::Error>(())
//! ```

mod glob;
mod pattern;

use pattern::{Match, Pattern};

/// Name of the files whose patterns [`Matcher::new`] wants.
pub const FILE_NAME: &str = ".sourceignore";

/// Largest ignore file, in bytes.
pub const MAX_FILE: usize = 256 * 1024;
/// Largest number of patterns in all files of a source.
pub const MAX_PATTERNS: usize = 10_000;
/// Longest pattern, in bytes.
pub const MAX_LINE: usize = 4096;

const VCS: &str = ".git/\n.gitignore\n.gitmodules\n.gitattributes\n";
const FILES: &str = "*.jpg\n*.jpeg\n*.gif\n*.png\n*.wmv\n*.flv\n*.tar.gz\n*.zip\n\
    .github/\n.circleci/\n.travis.yml\n.gitlab-ci.yml\nappveyor.yml\n.drone.yml\n\
    cloudbuild.yaml\ncodeship-services.yml\ncodeship-steps.yml\n\
    **/.goreleaser.yml\n**/.sops.yaml\n**/.flux.yaml\n";

/// One ignore file of a source.
#[derive(Clone, Copy, Debug)]
pub struct IgnoreFile<'a> {
    /// The folder that it lies in, relative to the root of the source; empty for the root.
    pub dir: &'a str,
    /// What it says.
    pub content: &'a str,
}

/// Which patterns hold without anyone writing them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defaults {
    /// Git's own files always; pictures, archives and CI settings unless the user has any pattern.
    ///
    /// The rule for `GitRepository` and `OCIRepository`.
    Source,
    /// None: the rule for `Bucket`.
    None,
}

/// The ignore rules of one source.
#[derive(Clone, Debug)]
pub struct Matcher {
    patterns: Vec<Pattern>,
}

impl Matcher {
    /// Puts the rules of a source together: the defaults, then the ignore files, then `spec.ignore`.
    ///
    /// The files may come in any order, since a file in a folder is stronger than those in the folders above. A
    /// `spec.ignore` with no pattern in it counts as none, so that the defaults hold. A `.sourceignore` below a
    /// folder `.git` isn't to be handed in.
    ///
    /// Source: `fluxcd/pkg/sourceignore`. Deviation: the limits, which are errors.
    ///
    /// # Errors
    ///
    /// Fails if a file, a line or the number of patterns is over its limit.
    pub fn new<'a>(
        defaults: Defaults,
        files: impl IntoIterator<Item = IgnoreFile<'a>>,
        spec: Option<&str>,
    ) -> Result<Self, Error> {
        let mut files: Vec<_> = files.into_iter().collect();
        files.sort_by(|a, b| components(a.dir).cmp(components(b.dir)));

        let mut users = Vec::new();
        for file in files {
            parse(file.dir, file.content, &mut users)?;
        }
        parse("", spec.unwrap_or_default(), &mut users)?;

        let mut patterns = Vec::new();
        if defaults == Defaults::Source {
            parse("", VCS, &mut patterns)?;
            if users.is_empty() {
                parse("", FILES, &mut patterns)?;
            }
        }
        patterns.append(&mut users);
        Ok(Self { patterns })
    }

    /// Returns rules that ignore nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self { patterns: Vec::new() }
    }

    /// Says whether the path, relative to the root of the source, is left out.
    ///
    /// The last pattern that matches decides. Every path is judged on its own, so that a file can be included
    /// again although its folder is left out. Beyond that the rules are go-git's, not Git's: a pattern with a
    /// slash only at its end isn't bound to the folder of its file; `**` finds the first fitting folder only;
    /// `**` next to other text, and a malformed glob, match nothing.
    #[must_use]
    pub fn is_ignored(&self, path: &str, is_dir: bool) -> bool {
        let path: Vec<&str> = components(path).collect();
        self.patterns
            .iter()
            .rev()
            .find_map(|pattern| pattern.matches(&path, is_dir))
            .is_some_and(|found| found == Match::Exclude)
    }
}

fn components(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !matches!(*part, "" | "."))
}

fn parse(dir: &str, content: &str, patterns: &mut Vec<Pattern>) -> Result<(), Error> {
    if content.len() > MAX_FILE {
        return Err(Error::File { dir: dir.into() });
    }
    let domain: Vec<String> = components(dir).map(str::to_owned).collect();
    for line in content.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)) {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        if line.len() > MAX_LINE {
            return Err(Error::Line { dir: dir.into() });
        }
        if patterns.len() == MAX_PATTERNS {
            return Err(Error::Patterns);
        }
        patterns.push(Pattern::parse(line, &domain));
    }
    Ok(())
}

/// Why ignore rules are refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A file is larger than [`MAX_FILE`].
    #[error("ignore file in {dir:?} is larger than {MAX_FILE} bytes")]
    File {
        /// The folder of the file.
        dir: String,
    },
    /// A pattern is longer than [`MAX_LINE`].
    #[error("ignore file in {dir:?} has a pattern of more than {MAX_LINE} bytes")]
    Line {
        /// The folder of the file.
        dir: String,
    },
    /// There are more patterns than [`MAX_PATTERNS`].
    #[error("there are more than {MAX_PATTERNS} ignore patterns")]
    Patterns,
}

#[cfg(test)]
mod tests;
