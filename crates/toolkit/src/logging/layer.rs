//! Turns an event and the spans around it into one line.

use serde_json::{Map, Value, json};
use tracing::field::Visit;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::fields::Fields;
use super::{LIBRARIES, Sink};
use crate::args::LogEncoding;

pub(super) struct Lines {
    encoding: LogEncoding,
    sink: Sink,
}

impl Lines {
    pub(super) fn new(encoding: LogEncoding, sink: Sink) -> Self {
        Self { encoding, sink }
    }
}

impl<S> Layer<S> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        span.extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            values.record(fields as &mut dyn Visit);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut around = Map::new();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(own) = span.extensions().get::<Fields>() {
                around.extend(with_object(own.0.clone()));
            }
        }
        let line = Line::new(event.metadata(), fields.0, around);
        (self.sink)(&line.encode(self.encoding));
    }
}

/// Adds `<Kind>: {name, namespace}` to the fields of a reconcile, as controller-runtime does.
fn with_object(fields: Map<String, Value>) -> Map<String, Value> {
    let (Some(Value::String(kind)), Some(namespace), Some(name)) =
        (fields.get("controllerKind"), fields.get("namespace"), fields.get("name"))
    else {
        return fields;
    };
    let (kind, object) = (kind.clone(), json!({"name": name, "namespace": namespace}));
    let mut with = Map::new();
    for (key, value) in fields {
        let is_kind = key == "controllerKind";
        with.insert(key, value);
        if is_kind {
            with.insert(kind.clone(), object.clone());
        }
    }
    with
}

struct Line {
    level: &'static str,
    time: String,
    logger: Option<String>,
    message: String,
    fields: Map<String, Value>,
}

impl Line {
    fn new(metadata: &Metadata<'_>, mut own: Map<String, Value>, around: Map<String, Value>) -> Self {
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let message = own.shift_remove("message").map(text).unwrap_or_default();
        let logger = own.shift_remove("logger").map(text).or_else(|| library(metadata.target()));
        let error = own.shift_remove("error");
        let mut fields = around;
        fields.extend(own);
        fields.extend(error.map(|e| ("error".to_owned(), e)));
        let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
        Self { level: level(*metadata.level()), time, logger, message, fields }
    }

    fn encode(self, encoding: LogEncoding) -> String {
        match encoding {
            LogEncoding::Json => self.json(),
            LogEncoding::Console => self.console(),
        }
    }

    fn json(self) -> String {
        let mut line = Map::new();
        line.insert("level".to_owned(), self.level.into());
        line.insert("ts".to_owned(), self.time.into());
        line.extend(self.logger.map(|logger| ("logger".to_owned(), logger.into())));
        line.insert("msg".to_owned(), self.message.into());
        for (key, value) in self.fields {
            // A field can't take the place of what every line has.
            let key = if line.contains_key(&key) { format!("{key}_") } else { key };
            line.insert(key, value);
        }
        format!("{}\n", Value::Object(line))
    }

    fn console(self) -> String {
        let mut columns = vec![self.time, self.level.to_uppercase()];
        columns.extend(self.logger);
        // People get the line as it is meant, terminals get no control characters.
        columns.push(
            self.message.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect(),
        );
        if !self.fields.is_empty() {
            columns.push(Value::Object(self.fields).to_string());
        }
        format!("{}\n", columns.join("\t"))
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// The library that an event comes from, if it isn't our own.
fn library(target: &str) -> Option<String> {
    let name = target.split("::").next()?;
    LIBRARIES.contains(&name).then(|| name.to_owned())
}
