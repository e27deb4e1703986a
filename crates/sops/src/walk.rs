//! Decrypting a tree, value by value, and the MAC over it.

use crate::cipher::{Cipher, Decrypted};
use crate::error::{TreeError, ValueError};
use crate::metadata::Metadata;
use crate::rules::Place;
use crate::tree::{Branch, Comment, Entry, Item, Text, Value, fixed_float};
use sha2::{Digest as _, Sha512};

/// With this the MAC begins where it covers encrypted values only: SHA-256 of `sops`.
const MAC_ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b, 0x0b,
    0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// Decrypts all documents in place; returns the MAC over their content, in upper-case hexadecimal.
///
/// Source: sops `Tree.Decrypt`.
pub(crate) fn decrypt(
    branches: &mut [Branch],
    metadata: &Metadata,
    cipher: &Cipher,
) -> Result<String, TreeError> {
    let mut hash = Sha512::new();
    if metadata.mac_only_encrypted {
        hash.update(MAC_ONLY_ENCRYPTED);
    }
    let mut walker =
        Walker { metadata, cipher, hash, keys: Vec::new(), path: Vec::new(), comments: Vec::new() };
    for branch in branches {
        walker.branch(branch)?;
    }
    Ok(walker.hash.finalize().iter().map(|byte| format!("{byte:02X}")).collect())
}

struct Walker<'a> {
    metadata: &'a Metadata,
    cipher: &'a Cipher,
    hash: Sha512,
    /// The keys above the value.
    keys: Vec<String>,
    /// The keys and positions above the value, for messages.
    path: Vec<Step>,
    comments: Vec<Vec<Text>>,
}

enum Step {
    Key(String),
    Index(usize),
}

impl Walker<'_> {
    fn branch(&mut self, branch: &mut Branch) -> Result<(), TreeError> {
        self.comments.push(Vec::new());
        for entry in branch {
            match entry {
                Entry::Comment(comment) => {
                    self.note(comment);
                    self.key_comment(comment)?;
                }
                Entry::Pair(key, value) => {
                    self.keys.push(key.clone());
                    self.path.push(Step::Key(key.clone()));
                    if self.value(value)?.is_some() {
                        return Err(self.error(ValueError::UnexpectedComment));
                    }
                    self.path.pop();
                    self.keys.pop();
                    self.forget_comments();
                }
            }
        }
        self.comments.pop();
        Ok(())
    }

    fn list(&mut self, items: &mut [Item]) -> Result<(), TreeError> {
        self.comments.push(Vec::new());
        let mut index = 0;
        for item in items {
            self.path.push(Step::Index(index));
            match item {
                Item::Comment(comment) => {
                    self.note(comment);
                    // What was a comment may turn out to be a value.
                    if let Some(Decrypted::Value(value)) = self.comment(comment)? {
                        *item = Item::Value(value);
                    }
                }
                Item::Value(value) => {
                    // Sops encrypts a comment in a list to a value.
                    if let Some(text) = self.value(value)? {
                        *item = Item::Comment(Comment { text, inline: false });
                    } else {
                        index += 1;
                    }
                    self.forget_comments();
                }
            }
            self.path.pop();
        }
        self.comments.pop();
        Ok(())
    }

    /// Decrypts a value in place; returns the text if it turns out to have been a comment.
    fn value(&mut self, value: &mut Value) -> Result<Option<Text>, TreeError> {
        match value {
            Value::Null => Ok(None),
            Value::Map(branch) => self.branch(branch).map(|()| None),
            Value::List(items) => self.list(items).map(|()| None),
            _ => self.leaf(value),
        }
    }

    fn leaf(&mut self, value: &mut Value) -> Result<Option<Text>, TreeError> {
        let encrypted = self.is_encrypted(false);
        if encrypted {
            match self.decrypted(value).map_err(|e| self.error(e))? {
                Decrypted::Value(plain) => *value = plain,
                // The MAC was computed when this was a comment, and comments don't count. Sops forgets that and
                // refuses its own documents; see COMPATIBILITY.md.
                Decrypted::Comment(text) => return Ok(Some(text)),
            }
        }
        if encrypted || !self.metadata.mac_only_encrypted {
            self.cover(value);
        }
        Ok(None)
    }

    fn decrypted(&self, value: &Value) -> Result<Decrypted, ValueError> {
        match value {
            Value::Str(text) => self.cipher.decrypt(text, &self.associated_data()),
            other => Err(ValueError::NotText(other.type_name())),
        }
    }

    fn key_comment(&self, comment: &mut Comment) -> Result<(), TreeError> {
        match self.comment(comment)? {
            None => Ok(()),
            Some(Decrypted::Value(Value::Str(text))) => {
                comment.text = text;
                Ok(())
            }
            Some(Decrypted::Value(other)) => Err(self.error(ValueError::NotAComment(other.type_name()))),
            Some(Decrypted::Comment(_)) => Ok(()),
        }
    }

    /// Decrypts a comment in place, as long as it is one; returns what else was found.
    fn comment(&self, comment: &mut Comment) -> Result<Option<Decrypted>, TreeError> {
        if !self.is_encrypted(true) {
            return Ok(None);
        }
        match self.cipher.decrypt(&comment.text, &self.associated_data()) {
            Ok(Decrypted::Comment(text)) => {
                // Sops forgets here where the comment stood.
                *comment = Comment { text, inline: false };
                Ok(None)
            }
            Ok(value) => Ok(Some(value)),
            // Old versions of sops left comments as they were.
            Err(_) => Ok(None),
        }
    }

    fn note(&mut self, comment: &Comment) {
        if let Some(comments) = self.comments.last_mut() {
            comments.push(comment.text.clone());
        }
    }

    fn forget_comments(&mut self) {
        if let Some(comments) = self.comments.last_mut() {
            comments.clear();
        }
    }

    fn is_encrypted(&self, is_comment: bool) -> bool {
        let place = Place { keys: &self.keys, comments: &self.comments, is_comment };
        self.metadata.rule.encrypts(&place)
    }

    fn associated_data(&self) -> String {
        let mut path = self.keys.join(":");
        path.push(':');
        path
    }

    fn cover(&mut self, value: &Value) {
        match value {
            Value::Str(bytes) | Value::Bytes(bytes) => self.hash.update(bytes.as_slice()),
            Value::Int(int) => self.hash.update(int.to_string()),
            Value::Float(float) => self.hash.update(fixed_float(*float)),
            Value::Bool(true) => self.hash.update("True"),
            Value::Bool(false) => self.hash.update("False"),
            Value::Time(time) => self.hash.update(time.as_bytes()),
            Value::Null | Value::List(_) | Value::Map(_) => {}
        }
    }

    fn error(&self, source: ValueError) -> TreeError {
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Index(index) => path.push_str(&format!("[{index}]")),
                Step::Key(key) if path.is_empty() => path.push_str(key),
                Step::Key(key) => path.push_str(&format!(".{key}")),
            }
        }
        TreeError { path, source }
    }
}
