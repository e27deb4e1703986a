//! Which Helm's behaviour holds, where its versions differ.

/// A line of Helm releases that differ in what they print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compat {
    /// Helm 3: one-line template errors, `.Chart` as a struct, webhooks sorted as unknown kinds.
    V3,
    /// Helm 4.0 and 4.1: documents are trimmed on both sides when a file is split.
    V4_1,
    /// Helm 4.2 and later: documents keep their trailing line breaks, nulls among a chart's defaults go.
    /// Where 4.2 and 4.3 differ, it is 4.3.
    #[default]
    V4_2,
}
