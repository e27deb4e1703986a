//! The data key of a document, from the parts that groups of master keys hold.

use super::{KeyKind, KeyService, MasterKey, shamir};
use crate::error::{DataKeyError, GroupFailure, KeyFailure};
use zeroize::Zeroizing;

const BYTES: usize = 32;

/// The key that encrypted the values of a document; wiped when it is dropped.
pub struct DataKey(Zeroizing<[u8; BYTES]>);

impl DataKey {
    /// Takes the bytes for a data key.
    ///
    /// # Errors
    /// [`DataKeyError::Size`]: there aren't 32 of them.
    pub fn new(bytes: &[u8]) -> Result<Self, DataKeyError> {
        let key = bytes.try_into().map_err(|_| DataKeyError::Size(bytes.len()))?;
        Ok(Self(Zeroizing::new(key)))
    }

    pub(crate) fn bytes(&self) -> &[u8; BYTES] {
        &self.0
    }
}

/// Asks the keys of each group until one gives its part, and puts the parts together.
///
/// All groups are asked, as in sops, so that the explanation of a failure is whole.
pub(crate) fn recover(
    groups: &[Vec<MasterKey>],
    threshold: usize,
    keys: &dyn KeyService,
) -> Result<DataKey, DataKeyError> {
    let mut parts = Vec::new();
    let mut failures: Vec<GroupFailure> = Vec::new();
    for group in groups {
        match part(group, keys) {
            Ok(part) => {
                parts.push(part);
                failures.push(None);
            }
            Err(failure) => failures.push(Some(failure)),
        }
    }
    let enough = if groups.len() > 1 { parts.len() >= threshold } else { parts.len() == 1 };
    if !enough {
        return Err(DataKeyError::NotEnough { threshold, groups: failures });
    }
    match parts.as_slice() {
        [whole] if groups.len() == 1 => DataKey::new(whole),
        parts => DataKey::new(&shamir::combine(parts).map_err(DataKeyError::Parts)?),
    }
}

fn part(group: &[MasterKey], keys: &dyn KeyService) -> Result<Zeroizing<Vec<u8>>, Vec<KeyFailure>> {
    let mut ordered: Vec<&MasterKey> = group.iter().collect();
    ordered.sort_by_key(|key| match key.kind() {
        KeyKind::Age => 0,
        KeyKind::Pgp => 1,
        _ => 2,
    });
    let mut failures = Vec::new();
    for key in ordered {
        match keys.decrypt(key) {
            Ok(part) => return Ok(part),
            Err(error) => failures.push(KeyFailure { key: key.name(), error }),
        }
    }
    Err(failures)
}
