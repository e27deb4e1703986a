//! JSON pointers to fields (RFC 6901).

use serde_json::{Map, Value};

/// A pointer to something below the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer(Vec<String>);

/// A text is no pointer to a field that can be ignored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointerError {
    /// It doesn't begin with a slash.
    #[error("invalid JSON pointer {0:?}: must begin with '/'")]
    NoSlash(String),
    /// A tilde stands for nothing.
    #[error("invalid JSON pointer {0:?}: '~' must be followed by 0 or 1")]
    Escape(String),
    /// Without it an object has no identity.
    #[error("JSON pointer {0:?} can't be ignored: it is what identifies the object")]
    Identity(String),
}

impl Pointer {
    pub(super) fn parse(text: &str) -> Result<Self, PointerError> {
        let rest = text.strip_prefix('/').ok_or_else(|| PointerError::NoSlash(text.to_owned()))?;
        let tokens = rest.split('/').map(unescape).collect::<Option<Vec<_>>>();
        let tokens = tokens.ok_or_else(|| PointerError::Escape(text.to_owned()))?;
        let tokens_text: Vec<&str> = tokens.iter().map(String::as_str).collect();
        match tokens_text.as_slice() {
            ["apiVersion" | "kind" | "metadata"] | ["metadata", "name" | "namespace"] => {
                Err(PointerError::Identity(text.to_owned()))
            }
            _ => Ok(Self(tokens)),
        }
    }

    pub(super) fn tokens(&self) -> &[String] {
        &self.0
    }

    pub(super) fn get<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(object, |value, token| child(value, token))
    }

    /// Removes the field, if it is there.
    pub(super) fn remove(&self, object: &mut Value) {
        let Some((last, parents)) = self.0.split_last() else { return };
        let Some(parent) = parents.iter().try_fold(object, |value, token| child_mut(value, token)) else {
            return;
        };
        match parent {
            Value::Object(fields) => {
                fields.shift_remove(last);
            }
            Value::Array(items) => {
                if let Some(index) = index(last).filter(|index| *index < items.len()) {
                    items.remove(index);
                }
            }
            _ => {}
        }
    }

    /// Sets the field; maps on the way are made where they are missing, items of lists are not.
    pub(super) fn set(&self, object: &mut Value, value: Value) {
        let mut place = object;
        for token in &self.0 {
            if place.is_null() {
                *place = Value::Object(Map::new());
            }
            let next = match place {
                Value::Object(fields) => Some(fields.entry(token.as_str()).or_insert(Value::Null)),
                Value::Array(items) => index(token).and_then(|index| items.get_mut(index)),
                _ => None,
            };
            let Some(next) = next else { return };
            place = next;
        }
        *place = value;
    }
}

fn unescape(token: &str) -> Option<String> {
    let mut text = String::with_capacity(token.len());
    let mut rest = token.chars();
    while let Some(c) = rest.next() {
        text.push(match c {
            '~' => match rest.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            },
            other => other,
        });
    }
    Some(text)
}

pub(super) fn index(token: &str) -> Option<usize> {
    let canonical = token == "0" || (token.bytes().all(|b| b.is_ascii_digit()) && !token.starts_with('0'));
    canonical.then(|| token.parse().ok()).flatten()
}

fn child<'a>(value: &'a Value, token: &str) -> Option<&'a Value> {
    match value {
        Value::Object(fields) => fields.get(token),
        Value::Array(items) => items.get(index(token)?),
        _ => None,
    }
}

fn child_mut<'a>(value: &'a mut Value, token: &str) -> Option<&'a mut Value> {
    match value {
        Value::Object(fields) => fields.get_mut(token),
        Value::Array(items) => items.get_mut(index(token)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(pointer: &str, expected: Result<&[&str], &str>) {
        let parsed = Pointer::parse(pointer).map_err(|error| error.to_string());
        let expected = expected
            .map(|tokens| Pointer(tokens.iter().map(|token| (*token).to_owned()).collect()))
            .map_err(str::to_owned);
        assert_eq!(parsed, expected);
    }

    #[test]
    fn pointers_are_read() {
        check("/spec/replicas", Ok(&["spec", "replicas"]));
        check("/metadata/annotations/example.com~1a~0b", Ok(&["metadata", "annotations", "example.com/a~b"]));
        check("/data/", Ok(&["data", ""]));
    }

    #[test]
    fn what_is_no_pointer_is_told() {
        check("", Err("invalid JSON pointer \"\": must begin with '/'"));
        check("spec", Err("invalid JSON pointer \"spec\": must begin with '/'"));
        check("/a~2", Err("invalid JSON pointer \"/a~2\": '~' must be followed by 0 or 1"));
        check("/a~", Err("invalid JSON pointer \"/a~\": '~' must be followed by 0 or 1"));
        check(
            "/metadata",
            Err("JSON pointer \"/metadata\" can't be ignored: it is what identifies the object"),
        );
    }

    #[test]
    fn fields_and_items_are_found_set_and_removed() {
        let object = json!({"a": [{"b": 1}, {"b": 2}], "c": {}});
        for (pointer, found, set, removed) in [
            (
                "/a/1/b",
                Some(json!(2)),
                json!({"a": [{"b": 1}, {"b": 9}], "c": {}}),
                json!({"a": [{"b": 1}, {}], "c": {}}),
            ),
            (
                "/a/0",
                Some(json!({"b": 1})),
                json!({"a": [9, {"b": 2}], "c": {}}),
                json!({"a": [{"b": 2}], "c": {}}),
            ),
            ("/c/d/e", None, json!({"a": [{"b": 1}, {"b": 2}], "c": {"d": {"e": 9}}}), object.clone()),
            ("/a/-", None, object.clone(), object.clone()),
            ("/a/01", None, object.clone(), object.clone()),
            ("/a/7/b", None, object.clone(), object.clone()),
            ("/a/0/b/x", None, object.clone(), object.clone()),
        ] {
            let parsed = Pointer::parse(pointer).unwrap();
            assert_eq!(parsed.get(&object), found.as_ref(), "{pointer}");
            let (mut with, mut without) = (object.clone(), object.clone());
            parsed.set(&mut with, json!(9));
            parsed.remove(&mut without);
            assert_eq!((with, without), (set, removed), "{pointer}");
        }
    }
}
