//! What is wrong with values, as a tree, and how it's printed.

use crate::text;

/// Something that is wrong at a place in the values.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// The place as a JSON pointer.
    pub(super) at: String,
    pub(super) kind: Kind,
    pub(super) causes: Vec<Self>,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Several things at once.
    Group,
    /// What a `$ref` leads to says so.
    Reference,
    /// A rule that is broken, in words.
    Rule(String),
}

impl Failure {
    /// References that have one cause stay in the background.
    const fn is_hidden(&self) -> bool {
        matches!(self.kind, Kind::Reference) && self.causes.len() == 1
    }
}

/// The report without its first line, which Helm takes off.
pub(super) fn print(failure: &Failure) -> String {
    let mut lines = Vec::new();
    if matches!(failure.kind, Kind::Group) {
        failure.causes.iter().for_each(|cause| print_below(cause, 0, &mut lines));
    } else {
        print_below(failure, 0, &mut lines);
    }
    lines.join("\n")
}

fn print_below(failure: &Failure, depth: usize, lines: &mut Vec<String>) {
    let mut depth = depth;
    if !failure.is_hidden() {
        let message = match &failure.kind {
            Kind::Group | Kind::Reference => "validation failed",
            Kind::Rule(message) => message,
        };
        lines.push(format!("{}- at {}: {message}", "  ".repeat(depth), quote(&failure.at)));
        depth += 1;
    }
    failure.causes.iter().for_each(|cause| print_below(cause, depth, lines));
}

/// A text in single quotes.
pub(super) fn quote(text: &str) -> String {
    let quoted = text::quote(text).replace("\\\"", "\"").replace('\'', "\\'");
    format!("'{}'", quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default())
}

/// Texts in single quotes with commas between them.
pub(super) fn quote_all<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    texts.into_iter().map(quote).collect::<Vec<_>>().join(", ")
}
