//! Data goes to stdout, progress to stderr, each line behind its symbol.

use std::io::{self, Write};

/// Writes data to stdout.
///
/// # Errors
/// When stdout is closed or can't be written to.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// The error and its causes in one line; causes that an error's text already ends in are not told twice.
pub(crate) fn chain(error: &anyhow::Error) -> String {
    error.chain().skip(1).fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.ends_with(&cause) { text } else { format!("{text}: {cause}") }
    })
}

/// Tells what is being done.
pub(crate) fn action(text: &str) {
    eprintln!("► {text}");
}

/// Tells what is being waited for.
pub(crate) fn waiting(text: &str) {
    eprintln!("◎ {text}");
}

/// Tells what has been done.
pub(crate) fn success(text: &str) {
    eprintln!("✔ {text}");
}

/// Tells what should be looked at.
pub(crate) fn warning(text: &str) {
    eprintln!("⚠️ {text}");
}

/// Tells what went wrong.
pub(crate) fn failure(text: &str) {
    eprintln!("✗ {text}");
}

/// Tells what went wrong, as kustomize does.
pub(crate) fn error(text: &str) {
    eprintln!("Error: {text}");
}

/// Tells something in its own words.
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::chain;

    #[test]
    fn no_cause_is_told_twice() {
        let error = anyhow!("refused").context("failed to connect: refused").context("failed to list");
        assert_eq!(chain(&error), "failed to list: failed to connect: refused");
    }
}
