//! `.Files`: the files of a chart that are neither templates nor values.

use std::any::Any;
use std::collections::BTreeMap;
use std::rc::Rc;

use gotemplate::{CallError, Kind, Object, Str, Value};

use super::glob::Glob;
use super::method::one_text;
use super::yaml;
use crate::chart::File;
use crate::text;

/// The files by their paths within the chart.
pub(super) struct Files(Rc<BTreeMap<Str, Str>>);

impl Files {
    pub(super) fn new(files: &[File]) -> Self {
        let entries = files.iter().map(|file| (Str::from(file.name.as_str()), file.data.clone()));
        Self(Rc::new(entries.collect()))
    }

    fn get(&self, name: &[u8]) -> Str {
        self.0.get(name).cloned().unwrap_or_default()
    }

    fn glob(&self, pattern: &Str) -> Self {
        let glob = Glob::new(&pattern.to_string_lossy());
        let matching = self.0.iter().filter(|(name, _)| glob.matches(&name.to_string_lossy()));
        Self(Rc::new(matching.map(|(name, data)| (name.clone(), data.clone())).collect()))
    }

    /// A map from base names to what `encode` makes of the contents, as YAML without the last line
    /// break. Of files with one base name the last by path wins; in Helm it is chance.
    fn as_yaml(&self, encode: impl Fn(&Str) -> Value) -> Value {
        let entries =
            self.0.iter().map(|(name, data)| (text::base(&name.to_string_lossy()).to_owned(), encode(data)));
        Value::string(yaml::to_yaml(&Value::map(entries)).unwrap_or_default())
    }

    fn lines(&self, name: &[u8]) -> Value {
        let data = self.get(name);
        if data.is_empty() {
            return Value::strings(Vec::<Str>::new());
        }
        let text = data.strip_suffix(b"\n").unwrap_or(&data);
        Value::strings(text.split(|byte| *byte == b'\n').map(Str::from))
    }
}

impl Object for Files {
    fn type_name(&self) -> &str {
        "engine.files"
    }

    fn kind(&self) -> Kind {
        Kind::Map
    }

    fn is_true(&self) -> bool {
        !self.0.is_empty()
    }

    fn method(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, CallError>> {
        let path = || one_text(arguments);
        Some(match name {
            "Get" => path().map(|path| Value::String(self.get(path))),
            "GetBytes" => path().map(|path| Value::object(Contents(self.get(path)))),
            "Glob" => path().map(|pattern| Value::object(self.glob(pattern))),
            "Lines" => path().map(|path| self.lines(path)),
            "AsConfig" => Ok(self.as_yaml(|data| Value::String(data.clone()))),
            "AsSecrets" => Ok(self.as_yaml(base64_of)),
            _ => return None,
        })
    }

    fn elements(&self) -> Option<Value> {
        let entries = self.0.iter().map(|(name, data)| (name.clone(), Value::object(Contents(data.clone()))));
        Some(Value::map(entries))
    }

    fn json(&self) -> Option<Value> {
        let entries = self.0.iter().map(|(name, data)| (name.clone(), base64_of(data)));
        Some(Value::map(entries))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A `[]byte` that becomes a list only when somebody looks into it.
struct Contents(Str);

impl Object for Contents {
    fn type_name(&self) -> &str {
        "[]uint8"
    }

    fn kind(&self) -> Kind {
        Kind::Slice
    }

    fn is_true(&self) -> bool {
        !self.0.is_empty()
    }

    fn elements(&self) -> Option<Value> {
        Some(Value::bytes(&self.0))
    }

    fn json(&self) -> Option<Value> {
        Some(base64_of(&self.0))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn base64_of(data: &Str) -> Value {
    Value::string(text::base64(data))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        Files::new(&[File::new("a/x.txt", "one\ntwo\n"), File::new("b.bin", &[0xff, 0][..])])
    }

    #[test]
    fn contents_are_bytes_that_to_string_makes_text() {
        let functions = sprig::functions(&(Rc::new(Nothing) as Rc<dyn sprig::Sources>));
        let mut environment = gotemplate::Environment::new("root", &functions);
        let template = r#"{{ range $path, $data := .Glob "**" }}{{ base $path }}:{{ typeOf $data }}:{{ toString $data | len }} {{ end }}{{ .Lines "a/x.txt" | join "," }}"#;
        environment.parse("t", template).expect("it parses");
        let mut output = Vec::new();
        let options = gotemplate::Options::default();
        environment.execute(b"t", &Value::object(files()), &mut output, &options).expect("it executes");
        assert_eq!(String::from_utf8_lossy(&output), "x.txt:[]uint8:8 b.bin:[]uint8:2 one,two");
    }

    /// These functions ask for neither time nor randomness.
    struct Nothing;

    impl sprig::Sources for Nothing {
        fn now(&self) -> jiff::Zoned {
            jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC)
        }

        fn random(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }
}
