//! A file on its way in: bounded, and digested as it comes.

use std::{fs::File, io::SeekFrom};

use tokio::io::{AsyncSeekExt, AsyncWriteExt};

use super::Error;
use crate::digest::{Digest, Hasher};

/// What was received of an artifact. Another connection may go on where one has ended.
#[derive(Debug)]
pub(super) struct Download {
    file: tokio::fs::File,
    hasher: Hasher,
    received: u64,
    digest: Digest,
    size: Option<u64>,
    max: u64,
}

impl Download {
    pub(super) fn new(file: File, digest: Digest, size: Option<u64>, max: u64) -> Result<Self, Error> {
        if size.is_some_and(|size| size > max) {
            return Err(Error::TooBig { max });
        }
        let hasher = Hasher::new(digest.algorithm());
        Ok(Self { file: tokio::fs::File::from_std(file), hasher, received: 0, digest, size, max })
    }

    /// Returns the digest of the whole.
    pub(super) fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Returns the number of bytes received so far.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Takes the next bytes.
    pub(super) async fn take(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let received = self.received + bytes.len() as u64;
        if received > self.max {
            return Err(Error::TooBig { max: self.max });
        }
        if self.size.is_some_and(|size| received > size) {
            return Err(self.mismatch());
        }
        self.file.write_all(bytes).await.map_err(Error::scratch)?;
        self.hasher.update(bytes);
        self.received = received;
        Ok(())
    }

    /// Forgets what was received.
    pub(super) async fn restart(&mut self) -> Result<(), Error> {
        self.file.seek(SeekFrom::Start(0)).await.map_err(Error::scratch)?;
        self.file.set_len(0).await.map_err(Error::scratch)?;
        self.hasher = Hasher::new(self.digest.algorithm());
        self.received = 0;
        Ok(())
    }

    /// Returns the file, at its start, if it is the one that was asked for.
    pub(super) async fn finish(mut self) -> Result<File, Error> {
        if self.hasher.clone().finish() != self.digest {
            return Err(self.mismatch());
        }
        self.file.flush().await.map_err(Error::scratch)?;
        self.file.seek(SeekFrom::Start(0)).await.map_err(Error::scratch)?;
        Ok(self.file.into_std().await)
    }

    fn mismatch(&self) -> Error {
        Error::Mismatch { digest: self.digest.to_string() }
    }
}
