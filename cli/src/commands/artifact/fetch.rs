use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use artifact::digest::{Digest, Hasher};
use proto::artifact::v1::{FetchRequest, FetchResponse, Source};

use super::{Client, explain, get, parse_source};
use crate::output;

/// What to download.
pub(super) enum Wanted {
    /// The artifact of this digest.
    Digest(Digest),
    /// Whatever is current of this source.
    Current(Source),
}

impl Wanted {
    /// Reads `<algorithm>:<checksum>` or `Kind/name`.
    pub(super) fn parse(text: &str, namespace: &str) -> Result<Self> {
        if text.contains(':') {
            return Ok(Self::Digest(parse_digest(text)?));
        }
        Ok(Self::Current(parse_source(text, namespace)?))
    }
}

fn parse_digest(text: &str) -> Result<Digest> {
    let digest: Digest = text.parse().with_context(|| format!("invalid digest {text:?}"))?;
    ensure!(digest.algorithm().is_trusted(), "digests of {} prove nothing", digest.algorithm());
    Ok(digest)
}

/// Downloads an artifact to a file, which only appears once its digest has been checked.
///
/// Until then the bytes are in a file beside it that ends in `.partial`; the next call takes up from there.
pub(super) async fn run(client: &mut Client, wanted: &Wanted, output: &Path) -> Result<()> {
    let (digest, path) = match wanted {
        Wanted::Digest(digest) => (digest.clone(), String::new()),
        Wanted::Current(source) => {
            let artifact = get::current(client, source.clone()).await?;
            (parse_digest(&artifact.digest)?, artifact.path)
        }
    };
    if has_digest(output, &digest)? {
        output::success(&format!("{} is complete", output.display()));
        return Ok(());
    }
    output::action(&format!("fetching artifact {digest}"));
    let mut partial = Partial::open(output, &digest)?;
    download(client, &digest, &path, &mut partial).await?;
    partial.finish(&digest, output)?;
    output::success(&format!("digest {digest}"));
    output::success(&format!("artifact written to {}", output.display()));
    Ok(())
}

fn has_digest(path: &Path, digest: &Digest) -> Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error).with_context(|| format!("failed to open {path:?}")),
    };
    let found = Digest::of_reader(digest.algorithm(), file);
    Ok(found.with_context(|| format!("failed to read {path:?}"))? == *digest)
}

async fn download(client: &mut Client, digest: &Digest, path: &str, partial: &mut Partial) -> Result<()> {
    if partial.length > 0 {
        output::action(&format!("resuming at byte {}", partial.length));
    }
    let request = FetchRequest { digest: digest.to_string(), offset: partial.length, path: path.to_owned() };
    let failed = || format!("failed to fetch artifact {digest}");
    let mut stream = match client.fetch(request).await {
        Ok(answer) => answer.into_inner(),
        // More bytes than the artifact has: they are of something else.
        Err(status) if status.code() == tonic::Code::OutOfRange && partial.length > 0 => {
            partial.restart(digest)?;
            let request = FetchRequest { digest: digest.to_string(), offset: 0, path: path.to_owned() };
            client.fetch(request).await.map_err(|status| explain(&status)).with_context(failed)?.into_inner()
        }
        Err(status) => return Err(explain(&status)).with_context(failed),
    };
    let mut total = None;
    while let Some(chunk) = stream.message().await.map_err(|status| explain(&status)).with_context(failed)? {
        total = Some(chunk.total_size);
        partial.append(&chunk).with_context(failed)?;
    }
    if total != Some(partial.length) {
        bail!(
            "the stream of artifact {digest} was cut after {} bytes\nhint: call again to resume",
            partial.length
        );
    }
    Ok(())
}

/// The bytes that are there already.
struct Partial {
    path: PathBuf,
    file: File,
    length: u64,
    hasher: Hasher,
}

impl Partial {
    /// Opens what an earlier call has left, or the output itself if somebody else's download stopped in it.
    fn open(output: &Path, digest: &Digest) -> Result<Self> {
        let path = partial_path(output);
        if output.is_file() && !path.exists() {
            fs::rename(output, &path).with_context(|| format!("failed to rename {output:?}"))?;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).with_context(|| format!("failed to open {path:?}"))?;
        let mut partial = Self { path, file, length: 0, hasher: Hasher::new(digest.algorithm()) };
        partial.read_back()?;
        Ok(partial)
    }

    fn read_back(&mut self) -> Result<()> {
        let mut buffer = vec![0; 128 * 1024];
        loop {
            let count =
                self.file.read(&mut buffer).with_context(|| format!("failed to read {:?}", self.path))?;
            if count == 0 {
                return Ok(());
            }
            self.hasher.update(&buffer[..count]);
            self.length += count as u64;
        }
    }

    fn restart(&mut self, digest: &Digest) -> Result<()> {
        output::warning(&format!("{} is not a part of this artifact: starting again", self.path.display()));
        self.file.set_len(0).with_context(|| format!("failed to truncate {:?}", self.path))?;
        self.file.seek(SeekFrom::Start(0)).with_context(|| format!("failed to seek in {:?}", self.path))?;
        self.length = 0;
        self.hasher = Hasher::new(digest.algorithm());
        Ok(())
    }

    fn append(&mut self, chunk: &FetchResponse) -> Result<()> {
        ensure!(chunk.offset == self.length, "the stream has a gap at byte {}", self.length);
        let end = self.length.saturating_add(chunk.data.len() as u64);
        ensure!(end <= chunk.total_size, "the stream has more than the {} bytes announced", chunk.total_size);
        self.file.write_all(&chunk.data).with_context(|| format!("failed to write {:?}", self.path))?;
        self.hasher.update(&chunk.data);
        self.length = end;
        Ok(())
    }

    /// Gives the file its name if the digest is right, and removes it otherwise.
    fn finish(self, digest: &Digest, output: &Path) -> Result<()> {
        let found = self.hasher.finish();
        if found != *digest {
            fs::remove_file(&self.path).with_context(|| format!("failed to remove {:?}", self.path))?;
            bail!(
                "digest mismatch: expected {digest}, but the bytes have {found}\nhint: call again to start over"
            );
        }
        self.file.sync_all().with_context(|| format!("failed to write {:?}", self.path))?;
        fs::rename(&self.path, output).with_context(|| format!("failed to rename {:?}", self.path))
    }
}

fn partial_path(output: &Path) -> PathBuf {
    let mut name = OsString::from(output);
    name.push(".partial");
    PathBuf::from(name)
}
