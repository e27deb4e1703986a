//! Which keys failed and why, laid out as sops does for users.

use crate::keys::KeyError;
use std::fmt::{self, Write as _};

const KEY_WIDTH: usize = 60;
const TRAILER_WIDTH: usize = 75;

/// Why the data key couldn't be recovered.
#[derive(Debug, thiserror::Error)]
pub enum DataKeyError {
    /// Too few groups of keys gave their part.
    #[error("{}", Explanation { threshold: *threshold, groups })]
    NotEnough {
        /// How many groups of keys are needed; 0 where there is one group.
        threshold: usize,
        /// What became of each group.
        groups: Vec<GroupFailure>,
    },
    /// The parts of the groups don't fit together.
    #[error("could not get data key from shamir parts: {0}")]
    Parts(&'static str),
    /// What the keys gave isn't a data key.
    #[error("the data key has {0} bytes instead of 32")]
    Size(usize),
}

/// What became of a group of keys: `None` where one of them worked.
pub type GroupFailure = Option<Vec<KeyFailure>>;

/// A key that didn't work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFailure {
    /// The name of the key.
    pub key: String,
    /// Why it didn't work.
    pub error: KeyError,
}

/// Source: sops `usererrors.go`.
struct Explanation<'a> {
    threshold: usize,
    groups: &'a [GroupFailure],
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Failed to get the data key required to decrypt the SOPS file.\n\n")?;
        for (index, group) in self.groups.iter().enumerate() {
            match group {
                None => write!(f, "Group {index}: SUCCESS\n\n")?,
                Some(failures) => {
                    write!(f, "Group {index}: FAILED\n{}\n\n", indented(&keys(failures), "  "))?
                }
            }
        }
        f.write_str(&wrapped(&self.trailer(), TRAILER_WIDTH))
    }
}

impl Explanation<'_> {
    fn trailer(&self) -> String {
        let threshold = self.threshold;
        if threshold == 0 {
            return "Recovery failed because no master key was able to decrypt the file. In order for SOPS to \
                    recover the file, at least one key has to be successful, but none were."
                .to_owned();
        }
        let recovered = self.groups.iter().filter(|group| group.is_none()).count();
        format!(
            "Recovery failed because the file was encrypted with a Shamir threshold of {threshold}, but only \
             {recovered} part(s) were successfully recovered, one for each successful key group. In order for SOPS \
             to recover the file, at least {threshold} groups have to be successful. In order for a group to be \
             successful, decryption has to succeed with any of the keys in that key group."
        )
    }
}

fn keys(failures: &[KeyFailure]) -> String {
    let blocks: Vec<String> = failures.iter().map(key).collect();
    blocks.join("\n\n")
}

fn key(failure: &KeyFailure) -> String {
    let mut message = indented(&wrapped(&failure.error.to_string(), KEY_WIDTH), "  | ");
    if message.is_char_boundary(1) && !message.is_empty() {
        message.replace_range(..1, "-");
    }
    format!("{}: FAILED\n{}", failure.key, indented(&message, "  "))
}

fn indented(text: &str, prefix: &str) -> String {
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        // Writing to a string can't fail.
        let _ = write!(out, "{prefix}{line}");
    }
    out
}

/// Breaks lines at blanks so that they are at most so wide, where words allow it.
fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for (index, word) in text.split(' ').enumerate() {
        let head = word.split('\n').next().unwrap_or_default().chars().count();
        if index > 0 {
            let fits = column + 1 + head <= width;
            out.push(if fits { ' ' } else { '\n' });
            column = if fits { column + 1 } else { 0 };
        }
        out.push_str(word);
        column = match word.rsplit_once('\n') {
            Some((_, tail)) => tail.chars().count(),
            None => column + word.chars().count(),
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    // Recorded from kustomize-controller (ks-sops-wrong-key).
    #[test]
    fn the_text_is_that_of_flux() {
        let failure = KeyFailure {
            key: "age1mdny58m5v4xy0jdwgfx7fclagtcmlaugg477szw7q3aezk8z05hq08tzxe".to_owned(),
            error: KeyError::new(
                "failed to create reader for decrypting sops data key with age: identity did not match any of the \
                 recipients: incorrect identity for recipient block",
            ),
        };
        let error = DataKeyError::NotEnough { threshold: 0, groups: vec![Some(vec![failure])] };
        let expected = "Failed to get the data key required to decrypt the SOPS file.

Group 0: FAILED
  age1mdny58m5v4xy0jdwgfx7fclagtcmlaugg477szw7q3aezk8z05hq08tzxe: FAILED
    - | failed to create reader for decrypting sops data key with
      | age: identity did not match any of the recipients: incorrect
      | identity for recipient block

Recovery failed because no master key was able to decrypt the file. In
order for SOPS to recover the file, at least one key has to be successful,
but none were.";
        assert_eq!(error.to_string(), expected);
    }
}
