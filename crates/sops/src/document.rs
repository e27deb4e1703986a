//! A document from its bytes to its plaintext.

use crate::cipher::{Cipher, Decrypted};
use crate::error::{EmitError, Error, LoadError, MacError};
use crate::keys::{self, DataKey, KeyService, MasterKey};
use crate::metadata::Metadata;
use crate::options::{Limits, Options};
use crate::tree::{Branch, Value};
use crate::{Format, stores, walk};
use zeroize::Zeroizing;

/// An encrypted document.
pub struct Document {
    format: Format,
    branches: Vec<Branch>,
    metadata: Metadata,
}

impl Document {
    /// Reads a document, within the default limits.
    ///
    /// # Errors
    /// [`Error::Load`]: it isn't a SOPS document of this format, or it is larger than the limits allow.
    pub fn parse(bytes: &[u8], format: Format) -> Result<Self, Error> {
        Self::parse_with(bytes, format, &Limits::default())
    }

    /// Reads a document, within limits of one's own.
    ///
    /// # Errors
    /// See [`Document::parse`].
    pub fn parse_with(bytes: &[u8], format: Format, limits: &Limits) -> Result<Self, Error> {
        let refuse = |source| Error::Load { format, source };
        if bytes.len() > limits.bytes {
            return Err(refuse(LoadError::Limit { what: "size in bytes", limit: limits.bytes }));
        }
        let branches = stores::read(bytes, format, limits).map_err(refuse)?;
        Self::from_tree(branches, format, limits)
    }

    pub(crate) fn from_tree(
        mut branches: Vec<Branch>,
        format: Format,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let metadata =
            Metadata::take(&mut branches, format, limits).map_err(|source| Error::Load { format, source })?;
        Ok(Self { format, branches, metadata })
    }

    /// The groups of master keys; each group holds a part of the data key, or all of it if there is one group.
    ///
    /// Keys are in the order of sops: by kind, then as they stand in the document.
    #[must_use]
    pub fn key_groups(&self) -> &[Vec<MasterKey>] {
        &self.metadata.key_groups
    }

    /// How many groups are needed for the data key; 0 says nothing, as where there is one group.
    #[must_use]
    pub const fn shamir_threshold(&self) -> usize {
        self.metadata.shamir_threshold
    }

    /// All master keys of all groups.
    pub fn master_keys(&self) -> impl Iterator<Item = &MasterKey> {
        self.metadata.key_groups.iter().flatten()
    }

    /// Asks for the data key: in each group age first, then OpenPGP, then the others as they stand.
    ///
    /// # Errors
    /// [`Error::DataKey`], with the reason of each key that was asked.
    pub fn data_key(&self, keys: &dyn KeyService) -> Result<DataKey, Error> {
        Ok(keys::recover(&self.metadata.key_groups, self.metadata.shamir_threshold, keys)?)
    }

    /// Decrypts the values.
    ///
    /// # Errors
    /// [`Error::Tree`]: a value can't be decrypted; [`Error::Mac`]: the content was changed.
    pub fn decrypt(mut self, key: &DataKey, options: &Options) -> Result<Plain, Error> {
        let cipher = Cipher::new(key);
        let mac = walk::decrypt(&mut self.branches, &self.metadata, &cipher)?;
        if options.verify_mac {
            verify(&self.metadata, &cipher, &mac)?;
        }
        Ok(Plain { format: self.format, branches: self.branches })
    }
}

fn verify(metadata: &Metadata, cipher: &Cipher, mac: &str) -> Result<(), MacError> {
    if metadata.mac.is_empty() {
        return Err(MacError::Missing);
    }
    let original =
        cipher.decrypt(metadata.mac.as_bytes(), &metadata.last_modified).map_err(MacError::Undecryptable)?;
    match original {
        Decrypted::Value(Value::Str(original)) if original.as_slice() == mac.as_bytes() => Ok(()),
        _ => Err(MacError::Mismatch),
    }
}

/// A decrypted document. Its content is wiped when it is dropped.
pub struct Plain {
    format: Format,
    branches: Vec<Branch>,
}

impl Plain {
    /// Writes the content as `sops decrypt` prints it.
    ///
    /// # Errors
    /// [`Error::Emit`]: the content has no place in this format.
    pub fn emit(&self, format: Format) -> Result<Zeroizing<Vec<u8>>, Error> {
        stores::write(&self.branches, format).map_err(|source| self.refusal(format, source))
    }

    pub(crate) fn only_branch(&self) -> Result<&Branch, Error> {
        match self.branches.as_slice() {
            [branch] => Ok(branch),
            _ => Err(self.refusal(self.format, EmitError::NotOneDocument)),
        }
    }

    pub(crate) const fn refusal(&self, output: Format, source: EmitError) -> Error {
        Error::Emit { input: self.format, output, source }
    }
}
