//! Go's `string`: immutable bytes, usually UTF-8, cheap to copy.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// A Go string. It derefs to its bytes; copies of long ones share them.
#[derive(Clone)]
pub struct Str(Bytes);

/// Most texts of templates and values are short: those are held in place, without memory of their own.
#[derive(Clone)]
enum Bytes {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Arc<[u8]>),
}

/// The longest text that is held in place: as long as it makes a [`Str`] no larger.
const SHORT: usize = 22;

impl Str {
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Short { length, bytes } => &bytes[..usize::from(*length)],
            Bytes::Long(bytes) => bytes,
        }
    }

    /// The text with every invalid byte replaced by U+FFFD, as Go's range over a string sees it.
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        // Looking for invalid bytes one by one is slow, and most text has none.
        self.to_str().map_or_else(|| String::from_utf8_lossy(self), Cow::Borrowed)
    }

    /// The text when it is UTF-8.
    pub fn to_str(&self) -> Option<&str> {
        std::str::from_utf8(self).ok()
    }
}

impl Default for Str {
    fn default() -> Self {
        Self(Bytes::Short { length: 0, bytes: [0; SHORT] })
    }
}

impl Deref for Str {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq for Str {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Str {}

impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Str {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Str {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl Borrow<[u8]> for Str {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl From<&[u8]> for Str {
    fn from(text: &[u8]) -> Self {
        match u8::try_from(text.len()) {
            Ok(length) if text.len() <= SHORT => {
                let mut bytes = [0; SHORT];
                bytes[..text.len()].copy_from_slice(text);
                Self(Bytes::Short { length, bytes })
            }
            _ => Self(Bytes::Long(Arc::from(text))),
        }
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        text.as_bytes().into()
    }
}

impl From<Vec<u8>> for Str {
    fn from(bytes: Vec<u8>) -> Self {
        bytes.as_slice().into()
    }
}

impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_string_lossy())
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string_lossy(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_same_whether_it_is_held_in_place_or_shared() {
        for length in [0, 1, SHORT - 1, SHORT, SHORT + 1, 1000] {
            let bytes = vec![b'x'; length];
            let text = Str::from(bytes.as_slice());
            assert_eq!(*text, bytes[..]);
            assert_eq!(text, text.clone());
            assert!(text < Str::from([&bytes[..], b"y"].concat()), "{length}");
        }
    }

    #[test]
    fn a_text_takes_three_words() {
        assert_eq!(size_of::<Str>(), 24);
    }
}
