/// How a document is decrypted.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether the document's MAC must be that of its content. A caller turns this off for content that was changed
    /// after it was encrypted, as a rendered object is.
    pub verify_mac: bool,
    /// Bounds on what a document may make us do.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self { verify_mac: true, limits: Limits::default() }
    }
}

impl Options {
    /// The options for content that was changed after it was encrypted: its MAC can't match.
    #[must_use]
    pub fn without_mac() -> Self {
        Self { verify_mac: false, ..Self::default() }
    }
}

/// Bounds on what a document may make us do.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest document, in bytes.
    pub bytes: usize,
    /// Deepest nesting of lists and maps.
    pub depth: usize,
    /// Most values, expanded aliases and comments included.
    pub values: usize,
    /// Most bytes that expanded aliases add to a document.
    pub alias_bytes: usize,
    /// Most master keys in all groups together.
    pub master_keys: usize,
    /// Longest regular expression of the rules that tell which values are encrypted, in bytes.
    pub regex_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 5 << 20,
            depth: 100,
            values: 1_000_000,
            alias_bytes: 5 << 20,
            master_keys: 1000,
            regex_bytes: 4 << 10,
        }
    }
}
