//! One line of an ignore file, matched as go-git and its copy in `fluxcd/pkg` do it.

use super::glob::Glob;

/// What a pattern says about a path that it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    Exclude,
    Include,
}

/// A parsed line.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    domain: Vec<String>,
    verdict: Match,
    only_dirs: bool,
    shape: Shape,
}

#[derive(Clone, Debug)]
enum Shape {
    /// Without a slash inside: any component of the path may match.
    Name(Glob),
    /// With a slash inside: matched step by step from the folder of the file.
    Path(Vec<Step>),
}

#[derive(Clone, Debug)]
enum Step {
    /// Nothing between two slashes, or before the first.
    Empty,
    /// `**`: any number of folders.
    AnyDirs,
    Name(Glob),
    /// `**` with other text around: matches nothing.
    Never,
}

impl Pattern {
    /// Takes a line that is neither blank nor a comment.
    pub(super) fn parse(line: &str, domain: &[String]) -> Self {
        let (verdict, text) = match line.strip_prefix('!') {
            Some(rest) => (Match::Include, rest),
            None => (Match::Exclude, line),
        };
        let text = if text.ends_with("\\ ") { text } else { text.trim_end_matches(' ') };
        let (only_dirs, text) = match text.strip_suffix('/') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let shape = if text.contains('/') {
            Shape::Path(text.split('/').map(Step::parse).collect())
        } else {
            Shape::Name(Glob::parse(text))
        };
        Self { domain: domain.to_vec(), verdict, only_dirs, shape }
    }

    pub(super) fn matches(&self, path: &[&str], is_dir: bool) -> Option<Match> {
        let inside = path.get(self.domain.len()..)?;
        if inside.is_empty() || path.iter().zip(&self.domain).any(|(part, dir)| part != dir) {
            return None;
        }
        let matched = match &self.shape {
            Shape::Name(glob) => self.matches_name(glob, inside, is_dir),
            Shape::Path(steps) => self.matches_path(steps, inside, is_dir),
        };
        matched.then_some(self.verdict)
    }

    /// The first matching component decides; what lies below a matching folder matches with it.
    fn matches_name(&self, glob: &Glob, path: &[&str], is_dir: bool) -> bool {
        path.iter()
            .position(|part| glob.matches(part))
            .is_some_and(|at| !self.only_dirs || is_dir || at + 1 < path.len())
    }

    fn matches_path(&self, steps: &[Step], path: &[&str], is_dir: bool) -> bool {
        let mut rest = path;
        let mut matched = false;
        let mut skip_dirs = false;
        for (i, step) in steps.iter().enumerate() {
            let is_last = i + 1 == steps.len();
            match step {
                Step::Empty => skip_dirs = false,
                Step::AnyDirs if is_last => break,
                Step::AnyDirs => skip_dirs = true,
                Step::Never => return false,
                Step::Name(glob) if skip_dirs => {
                    skip_dirs = false;
                    if rest.is_empty() {
                        return false;
                    }
                    let found = rest.iter().position(|part| glob.matches(part));
                    matched = found.is_some();
                    rest = found.map_or(&[], |at| &rest[at + 1..]);
                }
                Step::Name(glob) => {
                    let Some((part, below)) = rest.split_first() else { return false };
                    if !glob.matches(part) {
                        return false;
                    }
                    rest = below;
                    matched = true;
                }
            }
        }
        matched && !(self.only_dirs && !is_dir && rest.is_empty())
    }
}

impl Step {
    fn parse(text: &str) -> Self {
        match text {
            "" => Self::Empty,
            "**" => Self::AnyDirs,
            _ if text.contains("**") => Self::Never,
            _ => Self::Name(Glob::parse(text)),
        }
    }
}
