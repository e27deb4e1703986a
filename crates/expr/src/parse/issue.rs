use std::fmt::Write as _;

/// What is wrong with a text, and where.
#[derive(Clone, Debug)]
pub(crate) struct Issue {
    /// Offset in bytes.
    pub(crate) at: usize,
    pub(crate) message: String,
}

#[derive(Debug, Default)]
pub(crate) struct Issues(pub(crate) Vec<Issue>);

impl Issues {
    pub(crate) fn one(at: usize, message: impl Into<String>) -> Self {
        Self(vec![Issue { at, message: message.into() }])
    }

    /// As cel-go prints them: position, message, the line and a mark below it.
    pub(crate) fn render(&self, text: &str) -> String {
        let mut out = String::new();
        for issue in &self.0 {
            if !out.is_empty() {
                out.push('\n');
            }
            let before = &text[..issue.at.min(text.len())];
            let line_start = before.rfind('\n').map_or(0, |at| at + 1);
            let line = text[line_start..].lines().next().unwrap_or_default();
            let number = before.matches('\n').count() + 1;
            let column = before[line_start..].chars().count();
            let dots = ".".repeat(column);
            let message = &issue.message;
            // Writing to a String can't fail.
            let _ = write!(out, "ERROR: <input>:{number}:{}: {message}\n | {line}\n | {dots}^", column + 1);
        }
        out
    }
}
