//! Values to TOML, as BurntSushi/toml writes them, and back.

use gotemplate::strconv::{self, FloatForm};
use gotemplate::{Map, Str, Value};

/// Deeper values than this aren't written.
const MAX_DEPTH: usize = 200;
/// Longer texts than this aren't written.
const MAX_BYTES: usize = 64 << 20;

/// The value as TOML: keys sorted, a table's own values before its tables, tables indented.
///
/// # Errors
/// In the library's words: no table, or nil in a list.
pub(super) fn encode(value: &Value) -> Result<String, String> {
    let mut writer = Writer::default();
    match value {
        Value::Map(map) => writer.entries(&[], map)?,
        Value::List(_) if is_tables(value)? => {
            return Err("toml: top-level values must be Go maps or structs".to_owned());
        }
        Value::Nil => return Err("toml: cannot encode a nil value".to_owned()),
        // The library writes a lone value as it stands.
        other => writer.element(other, 0)?,
    }
    Ok(writer.out)
}

/// Reads TOML into values; whole numbers are `int64`, dates stay text.
///
/// # Errors
/// Not TOML.
pub(super) fn decode(text: &str) -> Result<Value, String> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
    Ok(from_toml(toml::Value::Table(table)))
}

fn from_toml(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::string(text),
        toml::Value::Integer(number) => Value::int64(number),
        toml::Value::Float(number) => Value::Float(number),
        toml::Value::Boolean(value) => Value::Bool(value),
        toml::Value::Datetime(time) => Value::string(time.to_string()),
        toml::Value::Array(items) => Value::list(items.into_iter().map(from_toml).collect()),
        toml::Value::Table(table) => {
            Value::map(table.into_iter().map(|(key, value)| (key, from_toml(value))))
        }
    }
}

#[derive(Default)]
struct Writer {
    out: String,
}

impl Writer {
    /// The entries of a table that stands at `path`.
    fn entries(&mut self, path: &[Str], map: &Map) -> Result<(), String> {
        self.check(path.len())?;
        for (key, value) in ordered(map)? {
            let path = [path, &[key]].concat();
            match &value {
                Value::Map(inner) => self.table(&path, inner)?,
                Value::List(list) if is_tables(&value)? => {
                    for item in list.to_vec() {
                        let Value::Map(inner) = &item else { continue };
                        self.line_break();
                        self.out.push_str(&format!("{}[[{}]]", indent(&path), dotted(&path)));
                        self.line_break();
                        self.entries(&path, inner)?;
                    }
                }
                other => {
                    let key = path.last().map(quoted_if_needed).unwrap_or_default();
                    self.out.push_str(&format!("{}{key} = ", indent(&path)));
                    self.element(other, 0)?;
                    self.line_break();
                }
            }
        }
        Ok(())
    }

    fn table(&mut self, path: &[Str], map: &Map) -> Result<(), String> {
        // A blank line between the tables at the top.
        if path.len() == 1 {
            self.line_break();
        }
        self.out.push_str(&format!("{}[{}]", indent(path), dotted(path)));
        self.line_break();
        self.entries(path, map)
    }

    /// A value on one line.
    fn element(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        self.check(depth)?;
        match value {
            Value::String(text) => self.out.push_str(&quoted(text)),
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Int(value, _) => self.out.push_str(&value.to_string()),
            Value::Float(value) => self.out.push_str(&float(*value)),
            Value::List(list) => {
                self.out.push('[');
                for (index, item) in list.to_vec().iter().enumerate() {
                    if index > 0 {
                        self.out.push_str(", ");
                    }
                    self.element(item, depth + 1)?;
                }
                self.out.push(']');
            }
            Value::Map(map) => self.inline_table(map, depth)?,
            Value::Object(object) if object.display().is_some() => {
                let text = object.display().unwrap_or_default();
                self.out.push_str(&quoted(&Str::from(text)));
            }
            other => return Err(format!("toml: unexpected type: {}", other.type_of())),
        }
        Ok(())
    }

    fn inline_table(&mut self, map: &Map, depth: usize) -> Result<(), String> {
        self.out.push('{');
        for (index, (key, value)) in ordered(map)?.iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            self.out.push_str(&format!("{} = ", quoted_if_needed(key)));
            self.element(value, depth + 1)?;
        }
        self.out.push('}');
        Ok(())
    }

    /// Values that share their parts or contain themselves have no end, or nearly none.
    fn check(&self, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(format!("toml: nested deeper than {MAX_DEPTH} levels"));
        }
        if self.out.len() > MAX_BYTES {
            return Err(format!("toml: longer than {MAX_BYTES} bytes"));
        }
        Ok(())
    }

    fn line_break(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }
}

/// The entries that aren't nil: plain values first, then tables and lists of tables.
fn ordered(map: &Map) -> Result<Vec<(Str, Value)>, String> {
    let mut direct = Vec::new();
    let mut tables = Vec::new();
    for (key, value) in map.to_vec() {
        match value {
            Value::Nil => {}
            value if value.as_map().is_some() || is_tables(&value)? => tables.push((key, value)),
            value => direct.push((key, value)),
        }
    }
    direct.extend(tables);
    Ok(direct)
}

/// Whether it is a list of tables and nothing else.
fn is_tables(value: &Value) -> Result<bool, String> {
    let Some(list) = value.as_list() else { return Ok(false) };
    let items = list.borrow();
    if items.iter().any(Value::is_nil) {
        return Err("toml: cannot encode array with nil element".to_owned());
    }
    Ok(!items.is_empty() && items.iter().all(|item| item.as_map().is_some()))
}

fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let text = strconv::format_float(value, FloatForm::General, None, 64);
    if text.contains(['e', '.']) { text } else { text + ".0" }
}

fn dotted(path: &[Str]) -> String {
    path.iter().map(quoted_if_needed).collect::<Vec<_>>().join(".")
}

fn indent(path: &[Str]) -> String {
    "  ".repeat(path.len().saturating_sub(1))
}

fn quoted_if_needed(key: &Str) -> String {
    let bare = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !key.is_empty() && key.iter().all(bare) { key.to_string() } else { quoted(key) }
}

fn quoted(text: &Str) -> String {
    let mut out = String::from("\"");
    for c in text.to_string_lossy().chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' || c == '\u{7f}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
