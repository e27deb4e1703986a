//! The little YAML and JSON files that Secrets and ConfigMaps hold.

use krm::Node;
use zeroize::Zeroizing;

use super::error::NotYaml;

/// A map of a YAML or JSON file, whose keys are found in any case as Go's JSON does.
pub(super) struct Fields(Node);

impl Fields {
    /// Reads UTF-8, with or without a byte order mark, or UTF-16 with one.
    pub(super) fn new(bytes: &[u8]) -> Result<Self, NotYaml> {
        let text = decoded(bytes).ok_or(NotYaml::Encoding)?;
        let documents = krm::parse(&text).map_err(|e| NotYaml::Syntax(e.line))?;
        match documents.into_iter().next() {
            Some(document @ Node::Mapping(_)) => Ok(Self(document)),
            _ => Err(NotYaml::NotAMap),
        }
    }

    /// The text of a field, whatever its type; `None` when it is absent, null or empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        field(&self.0, name)?.text().filter(|text| !text.is_empty())
    }

    /// Whether a field says `true`.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// The items of a list, each by the texts of some of its fields.
    pub(super) fn rows<const N: usize>(&self, name: &str, columns: [&str; N]) -> Vec<[String; N]> {
        let items = field(&self.0, name).and_then(Node::as_seq).unwrap_or_default();
        let text = |item: &Node, column: &str| {
            field(item, column).and_then(Node::text).unwrap_or_default().to_owned()
        };
        items.iter().map(|item| columns.map(|column| text(item, column))).collect()
    }
}

/// The field of that very name, else the first of that name in another case.
fn field<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    node.get(name).or_else(|| {
        let mut entries = node.as_map()?.iter();
        entries.find(|(key, _)| key.text.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    })
}

fn decoded(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let units = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
        Some(Zeroizing::new(char::decode_utf16(units).map(|c| c.unwrap_or('\u{FFFD}')).collect()))
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => units(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => units(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] | rest => {
            std::str::from_utf8(rest).ok().map(|text| Zeroizing::new(text.to_owned()))
        }
    }
}
