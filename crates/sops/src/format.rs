/// Largest prefix of a name that tells nothing: only its end counts.
const DOCKER_CONFIG: &str = ".dockerconfigjson";

/// The formats of SOPS documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// YAML, one or several documents.
    Yaml,
    /// A JSON object.
    Json,
    /// `KEY=value` lines.
    Dotenv,
    /// Sections of `key = value` lines.
    Ini,
    /// Any bytes, in a JSON envelope.
    Binary,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 5] = [Self::Yaml, Self::Json, Self::Dotenv, Self::Ini, Self::Binary];

    /// Tells the format from the name of a file or of a key of a Secret.
    ///
    /// What has no known ending is [`Format::Binary`]; `.dockerconfigjson` is JSON.
    ///
    /// Source: kustomize-controller `internal/decryptor`, `formatForPath`.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        let ends_with = |ending: &str| name.ends_with(ending);
        match () {
            () if ends_with(".yaml") || ends_with(".yml") => Self::Yaml,
            () if ends_with(".json") || ends_with(DOCKER_CONFIG) => Self::Json,
            () if ends_with(".env") => Self::Dotenv,
            () if ends_with(".ini") => Self::Ini,
            () => Self::Binary,
        }
    }

    /// The text by which Flux knows that bytes of this format are encrypted.
    #[must_use]
    pub const fn marker(self) -> &'static str {
        match self {
            Self::Yaml => "mac: ENC[",
            Self::Json | Self::Binary => "\"mac\": \"ENC[",
            Self::Dotenv => "sops_mac=ENC[",
            Self::Ini => "[sops]",
        }
    }

    /// The format's name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yaml => "YAML",
            Self::Json => "JSON",
            Self::Dotenv => "dotenv",
            Self::Ini => "INI",
            Self::Binary => "binary",
        }
    }
}

/// Tells whether bytes look encrypted: whether the format's marker is in them.
#[must_use]
pub fn is_encrypted(bytes: &[u8], format: Format) -> bool {
    let marker = format.marker().as_bytes();
    bytes.windows(marker.len()).any(|window| window == marker)
}
