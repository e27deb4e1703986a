use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What the variables that clouds and key services read begin with.
const PREFIXES: [&str; 6] = ["AWS_", "AZURE_", "GOOGLE_", "GCE_", "SOPS_", "VAULT_"];

/// The variables of the process that tell who and where the controller is. Cheap to clone; prints names only.
#[derive(Clone, Default)]
pub struct Environment(Arc<BTreeMap<String, String>>);

impl Environment {
    /// Reads the process's variables, once. Those that aren't UTF-8 are passed over.
    #[must_use]
    pub fn of_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| PREFIXES.iter().any(|prefix| name.starts_with(prefix)));
        Self(Arc::new(variables.collect()))
    }

    /// The value of a variable; `None` when it is unset or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether a variable says yes: `true` or `1`, in any case.
    #[must_use]
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"))
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        Self(Arc::new(variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
