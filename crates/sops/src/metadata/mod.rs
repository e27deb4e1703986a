//! What a document says about its encryption.

mod fields;
mod flat;
mod time;

use crate::Format;
use crate::error::LoadError;
use crate::keys::MasterKey;
use crate::options::Limits;
use crate::rules::{self, Rule};
use crate::tree::{Branch, Entry, Value};
use fields::Fields;

/// The key of the metadata.
const KEY: &str = "sops";
/// With this the keys of metadata begin where they stand among the values.
const PREFIX: &str = "sops_";
/// Keys with this ending aren't encrypted if a document has no rule of its own.
const DEFAULT_UNENCRYPTED_SUFFIX: &str = "_unencrypted";
/// Most groups of keys: parts of a data key are numbered by a byte.
const MOST_GROUPS: usize = 255;

/// The metadata of a document.
pub(crate) struct Metadata {
    pub(crate) key_groups: Vec<Vec<MasterKey>>,
    pub(crate) shamir_threshold: usize,
    pub(crate) rule: Rule,
    pub(crate) mac: String,
    pub(crate) mac_only_encrypted: bool,
    /// The time of the last change as it was when the MAC was encrypted.
    pub(crate) last_modified: String,
}

impl Metadata {
    /// Takes the metadata out of a document.
    ///
    /// Source: sops `stores.ExtractMetadata`: those of the first branch count, all others are dropped.
    pub(crate) fn take(branches: &mut [Branch], format: Format, limits: &Limits) -> Result<Self, LoadError> {
        let branch = match format {
            Format::Dotenv => {
                let flat = branches.first_mut().map(take_prefixed).unwrap_or_default();
                (!flat.is_empty()).then(|| flat::unflattened(&flat, limits)).transpose()?
            }
            Format::Ini => {
                let section = take_section(branches)?;
                section.map(|flat| flat::unflattened(&flat::unescaped(flat), limits)).transpose()?
            }
            Format::Yaml | Format::Json | Format::Binary => take_section(branches)?,
        };
        let branch = branch.ok_or(LoadError::NoMetadata)?;
        Self::read(&Fields::of(&branch), limits)
    }

    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, LoadError> {
        Ok(Self {
            key_groups: key_groups(fields, limits)?,
            shamir_threshold: fields.number("shamir_threshold")?,
            rule: rule(fields, limits)?,
            mac: fields.text("mac")?,
            mac_only_encrypted: fields.boolean("mac_only_encrypted")?,
            last_modified: time::normal(&fields.text("lastmodified")?)
                .ok_or_else(|| LoadError::metadata("lastmodified isn't a time"))?,
        })
    }
}

/// Takes the entries `sops` out of all branches; returns that of the first.
fn take_section(branches: &mut [Branch]) -> Result<Option<Branch>, LoadError> {
    let mut found = None;
    for (index, branch) in branches.iter_mut().enumerate() {
        let is_section = |entry: &mut Entry| matches!(entry, Entry::Pair(key, _) if key == KEY);
        for entry in branch.extract_if(.., is_section) {
            match entry {
                _ if index > 0 => {}
                Entry::Pair(_, Value::Map(_)) if found.is_some() => {
                    return Err(LoadError::metadata("Found duplicate sops entry"));
                }
                Entry::Pair(_, Value::Map(section)) => found = Some(section),
                _ => return Err(LoadError::metadata("Found sops entry that is not a mapping")),
            }
        }
    }
    Ok(found)
}

/// Takes the entries that begin with `sops_`, without that beginning.
fn take_prefixed(branch: &mut Branch) -> Branch {
    let is_metadata = |entry: &mut Entry| matches!(entry, Entry::Pair(key, _) if key.starts_with(PREFIX));
    let taken = branch.extract_if(.., is_metadata);
    taken
        .map(|entry| match entry {
            Entry::Pair(key, value) => Entry::Pair(key[PREFIX.len()..].to_owned(), value),
            comment @ Entry::Comment(_) => comment,
        })
        .collect()
}

/// The keys beside the groups win over the groups.
fn key_groups(fields: &Fields<'_>, limits: &Limits) -> Result<Vec<Vec<MasterKey>>, LoadError> {
    let single = fields.master_keys()?;
    let groups = if single.is_empty() {
        let groups = fields.list("key_groups")?;
        groups.iter().map(Fields::master_keys).collect::<Result<Vec<_>, _>>()?
    } else {
        vec![single]
    };
    let keys: usize = groups.iter().map(Vec::len).sum();
    if keys > limits.master_keys || groups.len() > limits.master_keys {
        return Err(LoadError::Limit { what: "number of master keys", limit: limits.master_keys });
    }
    if groups.len() > MOST_GROUPS {
        return Err(LoadError::Limit { what: "number of key groups", limit: MOST_GROUPS });
    }
    if groups.is_empty() {
        return Err(LoadError::metadata("No keys found in file"));
    }
    Ok(groups)
}

fn rule(fields: &Fields<'_>, limits: &Limits) -> Result<Rule, LoadError> {
    let regex = |field: &str, text: &str| rules::regex(field, text, limits.regex_bytes);
    let mut rules = Vec::new();
    for field in [
        "unencrypted_suffix",
        "encrypted_suffix",
        "unencrypted_regex",
        "encrypted_regex",
        "unencrypted_comment_regex",
        "encrypted_comment_regex",
    ] {
        let text = fields.text(field)?;
        if text.is_empty() {
            continue;
        }
        rules.push(match field {
            "unencrypted_suffix" => Rule::UnencryptedSuffix(text),
            "encrypted_suffix" => Rule::EncryptedSuffix(text),
            "unencrypted_regex" => Rule::UnencryptedRegex(regex(field, &text)?),
            "encrypted_regex" => Rule::EncryptedRegex(regex(field, &text)?),
            "unencrypted_comment_regex" => Rule::UnencryptedCommentRegex(regex(field, &text)?),
            _ => Rule::EncryptedCommentRegex(regex(field, &text)?),
        });
    }
    if rules.len() > 1 {
        return Err(LoadError::metadata(
            "Cannot use more than one of encrypted_suffix, unencrypted_suffix, encrypted_regex, unencrypted_regex, \
             encrypted_comment_regex, or unencrypted_comment_regex in the same file",
        ));
    }
    Ok(rules.pop().unwrap_or_else(|| Rule::UnencryptedSuffix(DEFAULT_UNENCRYPTED_SUFFIX.to_owned())))
}
