//! `.Capabilities`: what the cluster and the program can do.

use std::any::Any;
use std::rc::Rc;

use gotemplate::{CallError, Kind, List, Object, Str, Type, Value};

use super::api_versions::BUILT_IN_API_VERSIONS;
use super::method::one_text;

/// What the cluster and the program can do.
#[derive(Clone, Debug)]
pub struct Capabilities {
    pub kube_version: KubeVersion,
    /// `group/version`, and `group/version/Kind` where a cluster was asked.
    pub api_versions: Rc<[String]>,
    pub helm_version: BuildInfo,
}

/// A version of Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeVersion {
    /// With everything, such as `v1.33.4-gke.1245000`.
    pub version: String,
    /// What constraints are checked against, such as `v1.33.4`.
    pub normalized: String,
    pub major: String,
    pub minor: String,
}

/// What program renders; charts see it as `.Capabilities.HelmVersion`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildInfo {
    pub version: String,
    pub git_commit: String,
    pub git_tree_state: String,
    pub go_version: String,
    pub kube_client_version: String,
}

impl Default for Capabilities {
    /// Without a cluster: the versions of the Kubernetes client that Helm 4.3 is built with.
    fn default() -> Self {
        Self {
            kube_version: KubeVersion {
                version: "v1.37.0".to_owned(),
                normalized: "v1.37.0".to_owned(),
                major: "1".to_owned(),
                minor: "37".to_owned(),
            },
            api_versions: BUILT_IN_API_VERSIONS.iter().map(|version| (*version).to_owned()).collect(),
            helm_version: BuildInfo::default(),
        }
    }
}

impl Default for BuildInfo {
    fn default() -> Self {
        Self {
            version: "v4.3".to_owned(),
            git_commit: String::new(),
            git_tree_state: String::new(),
            go_version: "go1.26".to_owned(),
            kube_client_version: "v1.37".to_owned(),
        }
    }
}

/// A version of Kubernetes that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not parse {0:?} as version")]
pub struct BadKubeVersion(String);

impl KubeVersion {
    /// Reads a version such as `1.33` or `v1.33.4-gke.1245000`, as Kubernetes' `version.ParseGeneric`.
    ///
    /// # Errors
    /// Fewer than two numbers, a number with a leading zero, or no number at all.
    pub fn parse(version: &str) -> Result<Self, BadKubeVersion> {
        let bad = || BadKubeVersion(version.to_owned());
        let trimmed = version.trim();
        let digits = trimmed.strip_prefix('v').unwrap_or(trimmed);
        let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
        let numbers = digits[..end].trim_end_matches('.').split('.').collect::<Vec<_>>();
        let valid = |number: &&str| {
            !number.is_empty()
                && number.parse::<u32>().is_ok()
                && (*number == "0" || !number.starts_with('0'))
        };
        if numbers.len() < 2 || !numbers.iter().all(valid) {
            return Err(bad());
        }
        let mut normalized = numbers.clone();
        if normalized.len() == 2 {
            normalized.push("0");
        }
        Ok(Self {
            version: if version.starts_with('v') { version.to_owned() } else { format!("v{version}") },
            normalized: format!("v{}", normalized.join(".")),
            major: numbers[0].to_owned(),
            minor: numbers[1].to_owned(),
        })
    }
}

impl Object for Capabilities {
    fn type_name(&self) -> &str {
        "*common.Capabilities"
    }

    fn kind(&self) -> Kind {
        Kind::Ptr
    }

    fn field(&self, name: &str) -> Option<Value> {
        Some(match name {
            "KubeVersion" => Value::object(self.kube_version.clone()),
            "APIVersions" => Value::object(ApiVersions(Rc::clone(&self.api_versions))),
            "HelmVersion" => Value::object(self.helm_version.clone()),
            _ => return None,
        })
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        ["KubeVersion", "APIVersions", "HelmVersion"]
            .into_iter()
            .filter_map(|name| Some((name, self.field(name)?)))
            .collect()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Object for KubeVersion {
    fn type_name(&self) -> &str {
        "common.KubeVersion"
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn field(&self, name: &str) -> Option<Value> {
        Some(Value::string(match name {
            "Version" => self.version.as_str(),
            "Major" => &self.major,
            "Minor" => &self.minor,
            _ => return None,
        }))
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        ["Version", "Major", "Minor"].into_iter().filter_map(|name| Some((name, self.field(name)?))).collect()
    }

    fn method(&self, name: &str, _arguments: &[Value]) -> Option<Result<Value, CallError>> {
        match name {
            "String" => Some(Ok(Value::string(self.normalized.as_str()))),
            "GitVersion" => Some(Ok(Value::string(self.version.as_str()))),
            _ => None,
        }
    }

    fn display(&self) -> Option<String> {
        Some(self.normalized.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Object for BuildInfo {
    fn type_name(&self) -> &str {
        "version.BuildInfo"
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.fields().into_iter().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("Version", Value::string(self.version.as_str())),
            ("GitCommit", Value::string(self.git_commit.as_str())),
            ("GitTreeState", Value::string(self.git_tree_state.as_str())),
            ("GoVersion", Value::string(self.go_version.as_str())),
            ("KubeClientVersion", Value::string(self.kube_client_version.as_str())),
        ]
    }

    fn json(&self) -> Option<Value> {
        let named = [
            ("version", &self.version),
            ("git_commit", &self.git_commit),
            ("git_tree_state", &self.git_tree_state),
            ("go_version", &self.go_version),
        ];
        let mut entries: Vec<_> = named
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name, Value::string(value.as_str())))
            .collect();
        entries.push(("kube_client_version", Value::string(self.kube_client_version.as_str())));
        Some(Value::map(entries))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `common.VersionSet`: a list of strings with the method `Has`.
struct ApiVersions(Rc<[String]>);

impl ApiVersions {
    fn list(&self) -> Value {
        let items = self.0.iter().map(|version| Value::string(version.as_str())).collect();
        Value::List(Rc::new(List::new(Type::String, items)))
    }
}

impl Object for ApiVersions {
    fn type_name(&self) -> &str {
        "common.VersionSet"
    }

    fn kind(&self) -> Kind {
        Kind::Slice
    }

    fn is_true(&self) -> bool {
        !self.0.is_empty()
    }

    fn method(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, CallError>> {
        if name != "Has" {
            return None;
        }
        let has = |wanted: &Str| Value::Bool(self.0.iter().any(|version| *wanted == version.as_str()));
        Some(one_text(arguments).map(has))
    }

    fn elements(&self) -> Option<Value> {
        Some(self.list())
    }

    fn json(&self) -> Option<Value> {
        Some(self.list())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
