//! Tar headers as Go's `archive/tar` writes them: USTAR, and PAX only where USTAR can't hold the value.

/// Size of a block, and of a header, in bytes.
pub(super) const BLOCK: usize = 512;

const NAME: usize = 100;
const PREFIX: usize = 155;
/// Largest size that eleven octal digits hold.
const MAX_OCTAL_SIZE: u64 = 0o777_7777_7777;

/// One entry of an archive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header<'a> {
    path: &'a str,
    mode: u32,
    size: u64,
    kind: u8,
}

impl<'a> Header<'a> {
    pub(super) fn dir(path: &'a str, mode: u32) -> Self {
        Self { path, mode, size: 0, kind: b'5' }
    }

    pub(super) fn file(path: &'a str, mode: u32, size: u64) -> Self {
        Self { path, mode, size, kind: b'0' }
    }

    /// Returns the blocks that stand before the content.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut records = String::new();
        let split = split_path(self.path);
        if split.is_none() {
            records += &pax_record("path", self.path);
        }
        if self.size > MAX_OCTAL_SIZE {
            records += &pax_record("size", &self.size.to_string());
        }

        let mut out = Vec::with_capacity(BLOCK);
        if !records.is_empty() {
            out.extend(pax_blocks(self.path, &records));
        }
        let size = if self.size > MAX_OCTAL_SIZE { 0 } else { self.size };
        match split {
            Some((prefix, name)) => out.extend(block(prefix, name, self.mode, size, self.kind)),
            None => out.extend(block("", &ascii(self.path), self.mode, size, self.kind)),
        }
        out
    }
}

/// Returns how many bytes are missing to a whole block.
pub(super) fn padding(size: u64) -> usize {
    let rest = usize::try_from(size % BLOCK as u64).unwrap_or_default();
    (BLOCK - rest) % BLOCK
}

/// Splits a path over the two fields of USTAR; `None` if it doesn't fit or isn't ASCII.
fn split_path(path: &str) -> Option<(&str, &str)> {
    if !path.is_ascii() {
        return None;
    }
    if path.len() <= NAME {
        return Some(("", path));
    }
    let head = path.get(..path.len().min(PREFIX + 1))?;
    let at = head.rfind('/')?;
    let (prefix, name) = (path.get(..at)?, path.get(at + 1..)?);
    (!prefix.is_empty() && !name.is_empty() && name.len() <= NAME).then_some((prefix, name))
}

fn pax_blocks(path: &str, records: &str) -> Vec<u8> {
    let (dir, base) = path.rsplit_once('/').unwrap_or(("", path));
    let name =
        if dir.is_empty() { format!("PaxHeaders.0/{base}") } else { format!("{dir}/PaxHeaders.0/{base}") };
    let size = records.len() as u64;
    let mut out = block("", ascii(&name).trim_end_matches('/'), 0, size, b'x').to_vec();
    out.extend_from_slice(records.as_bytes());
    out.resize(out.len() + padding(size), 0);
    out
}

/// Returns what readers without PAX see of a name. None that is cut may look like a folder.
fn ascii(name: &str) -> String {
    let mut name: String = name.chars().filter(char::is_ascii).collect();
    if name.len() > NAME {
        name.truncate(NAME);
        name.truncate(name.trim_end_matches('/').len());
    }
    name
}

/// Returns `<length> <key>=<value>\n`, where the length counts its own digits.
fn pax_record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + rest.to_string().len();
    if length.to_string().len() != rest.to_string().len() {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n")
}

fn block(prefix: &str, name: &str, mode: u32, size: u64, kind: u8) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, width: usize, bytes: &[u8]| {
        let n = bytes.len().min(width);
        block[at..at + n].copy_from_slice(&bytes[..n]);
    };
    put(0, NAME, name.as_bytes());
    put(100, 8, format!("{mode:07o}").as_bytes());
    put(108, 8, b"0000000");
    put(116, 8, b"0000000");
    put(124, 12, format!("{size:011o}").as_bytes());
    put(136, 12, b"00000000000");
    put(148, 8, b"        ");
    put(156, 1, &[kind]);
    put(257, 8, b"ustar\x0000");
    // Go fills the device numbers of every USTAR header, and leaves them out of PAX headers.
    if kind != b'x' {
        put(329, 8, b"0000000");
        put(337, 8, b"0000000");
    }
    put(345, PREFIX, prefix.as_bytes());

    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

#[cfg(test)]
mod tests {
    use super::{Header, pax_record, split_path};

    #[test]
    fn a_pax_record_counts_its_own_length() {
        for n in [1, 80, 88, 89, 90, 91, 92, 980, 989, 990] {
            let record = pax_record("path", &"a".repeat(n));
            let (length, _) = record.split_once(' ').unwrap();
            assert_eq!(length.parse(), Ok(record.len()), "{n}");
        }
    }

    #[test]
    fn long_paths_are_split_at_a_slash() {
        let (dir, base) = ("d".repeat(60), "b".repeat(60));
        assert_eq!(split_path(&format!("{dir}/{base}")), Some((&*dir, &*base)));
        assert_eq!(split_path(&"b".repeat(101)), None);
        assert_eq!(split_path("ü"), None);
    }

    #[test]
    fn only_what_ustar_cannot_hold_takes_a_pax_header() {
        assert_eq!(Header::file("a", 0o600, 1).encode().len(), 512);
        assert_eq!(Header::file(&"a".repeat(101), 0o600, 1).encode().len(), 512 * 3);
        assert_eq!(Header::file("a", 0o600, 1 << 33).encode().len(), 512 * 3);
    }
}
