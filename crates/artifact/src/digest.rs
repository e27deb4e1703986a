//! Digests of stored files: `<algorithm>:<checksum>`.

use std::{
    fmt,
    io::{self, Read, Write},
    str::FromStr,
};

use sha2::Digest as _;

/// The checksum of a file and the algorithm that made it.
///
/// The text form is that of OCI: `sha256:` and the checksum in lower-case hexadecimal.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    algorithm: Algorithm,
    checksum: String,
}

impl Digest {
    /// Returns the digest of the bytes.
    #[must_use]
    pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// Reads to the end and returns the digest of what was read.
    ///
    /// # Errors
    ///
    /// Fails as the reader fails.
    pub fn of_reader(algorithm: Algorithm, mut reader: impl Read) -> io::Result<Self> {
        let mut hasher = Hasher::new(algorithm);
        let mut buffer = vec![0; 128 * 1024];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(hasher.finish()),
                Ok(n) => hasher.update(&buffer[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns the algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the checksum in lower-case hexadecimal.
    #[must_use]
    pub fn checksum(&self) -> &str {
        &self.checksum
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.checksum)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (algorithm, checksum) = text.split_once(':').ok_or(ParseDigestError::Format)?;
        let algorithm: Algorithm = algorithm.parse()?;
        let is_hex = checksum.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !is_hex {
            return Err(ParseDigestError::Format);
        }
        if checksum.len() != algorithm.hex_len() {
            return Err(ParseDigestError::Length);
        }
        Ok(Self { algorithm, checksum: checksum.to_owned() })
    }
}

/// Why a text isn't a digest.
///
/// The texts are those of go-digest, which users see in Flux's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseDigestError {
    /// There is no colon, or the checksum isn't lower-case hexadecimal.
    #[error("invalid checksum digest format")]
    Format,
    /// The checksum has another length than the algorithm's.
    #[error("invalid checksum digest length")]
    Length,
    /// The algorithm isn't known.
    #[error("unsupported digest algorithm")]
    Unsupported,
}

/// A digest algorithm; `--artifact-digest-algo` takes these names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// `sha1`: written if asked for, never accepted by a consumer.
    Sha1,
    /// `sha256`, the default.
    #[default]
    Sha256,
    /// `sha384`.
    Sha384,
    /// `sha512`.
    Sha512,
    /// `blake3`.
    Blake3,
}

impl Algorithm {
    /// Says whether a consumer may trust a digest of this algorithm.
    #[must_use]
    pub fn is_trusted(self) -> bool {
        self != Self::Sha1
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Blake3 => "blake3",
        }
    }

    fn hex_len(self) -> usize {
        match self {
            Self::Sha1 => 40,
            Self::Sha256 | Self::Blake3 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = ParseDigestError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512, Self::Blake3]
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
            .ok_or(ParseDigestError::Unsupported)
    }
}

/// Makes a digest of bytes that come piece by piece.
#[derive(Clone, Debug)]
pub struct Hasher {
    algorithm: Algorithm,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
    Sha384(sha2::Sha384),
    Sha512(sha2::Sha512),
    Blake3(Box<blake3::Hasher>),
}

impl Hasher {
    /// Starts a digest.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        let state = match algorithm {
            Algorithm::Sha1 => State::Sha1(sha1::Sha1::new()),
            Algorithm::Sha256 => State::Sha256(sha2::Sha256::new()),
            Algorithm::Sha384 => State::Sha384(sha2::Sha384::new()),
            Algorithm::Sha512 => State::Sha512(sha2::Sha512::new()),
            Algorithm::Blake3 => State::Blake3(Box::new(blake3::Hasher::new())),
        };
        Self { algorithm, state }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Sha1(state) => state.update(bytes),
            State::Sha256(state) => state.update(bytes),
            State::Sha384(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
            State::Blake3(state) => {
                state.update(bytes);
            }
        }
    }

    /// Returns the digest of all bytes taken.
    #[must_use]
    pub fn finish(self) -> Digest {
        let checksum = match self.state {
            State::Sha1(state) => hex::encode(state.finalize()),
            State::Sha256(state) => hex::encode(state.finalize()),
            State::Sha384(state) => hex::encode(state.finalize()),
            State::Sha512(state) => hex::encode(state.finalize()),
            State::Blake3(state) => hex::encode(state.finalize().as_bytes()),
        };
        Digest { algorithm: self.algorithm, checksum }
    }
}

/// A writer that passes bytes on, digests and counts them.
#[derive(Debug)]
pub(crate) struct HashWriter<W> {
    inner: W,
    hasher: Hasher,
    written: u64,
}

impl<W: Write> HashWriter<W> {
    pub(crate) fn new(inner: W, algorithm: Algorithm) -> Self {
        Self { inner, hasher: Hasher::new(algorithm), written: 0 }
    }

    pub(crate) fn finish(self) -> (W, Digest, u64) {
        (self.inner, self.hasher.finish(), self.written)
    }
}

impl<W: Write> Write for HashWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..n]);
        self.written += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, Digest, ParseDigestError};

    #[test]
    fn known_digests_come_out() {
        for (algorithm, digest) in [
            ("sha1", "sha1:a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("sha256", "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ("blake3", "blake3:6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"),
        ] {
            let algorithm: Algorithm = algorithm.parse().unwrap();
            assert_eq!(Digest::of(algorithm, b"abc").to_string(), digest);
            assert_eq!(Digest::of_reader(algorithm, &b"abc"[..]).unwrap().to_string(), digest);
        }
    }

    #[test]
    fn every_algorithm_reads_its_own_digest() {
        for name in ["sha1", "sha256", "sha384", "sha512", "blake3"] {
            let digest = Digest::of(name.parse().unwrap(), b"x");
            assert_eq!(digest.to_string().parse(), Ok(digest));
        }
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        let upper = format!("sha256:{}", "A".repeat(64));
        for (text, error) in [
            ("", ParseDigestError::Format),
            ("abc", ParseDigestError::Format),
            ("md5:abc", ParseDigestError::Unsupported),
            ("sha256:abc", ParseDigestError::Length),
            ("sha256:../../etc/passwd", ParseDigestError::Format),
            (&upper, ParseDigestError::Format),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(error), "{text}");
        }
    }
}
