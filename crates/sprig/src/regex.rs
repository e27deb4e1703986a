//! Regular expressions. Compiled ones are kept for as long as the functions live.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use gotemplate::{CallError, Function, Functions, Kind, Object, Str, Type, Value};

use crate::arguments::{Answer, INT, STRING, int, plain, text};
use crate::limits::{MAX_BYTES, check_elements};
use crate::regexp::{ParseError, Regexp, quote_meta};

/// Most expressions that are kept; when there are more, all are dropped.
const MAX_KEPT: usize = 256;

/// What a function does with an expression, a text and its further arguments.
type Action = fn(&Regexp, &[u8], &[Value]) -> Answer;

pub(crate) fn register(functions: &mut Functions) {
    let kept = Rc::new(Expressions::default());
    let mut add = |name: &'static str, must: &'static str, parameters: &[Type], action: Action| {
        for (name, panics) in [(name, true), (must, false)] {
            let kept = Rc::clone(&kept);
            let body = move |arguments: &[Value]| kept.run(arguments, panics, action);
            functions.insert(name, Function::new(parameters, move |_, arguments| body(arguments)));
        }
    };
    add("regexFindAll", "mustRegexFindAll", &[STRING, STRING, INT], |regexp, subject, arguments| {
        let found = regexp.find_all(subject, int(arguments, 2)?);
        check_elements(found.len())?;
        if found.is_empty() {
            return Ok(Value::object(NilStrings));
        }
        Ok(Value::strings(found.into_iter().map(|range| &subject[range])))
    });
    add("regexFind", "mustRegexFind", &[STRING, STRING], |regexp, subject, _| {
        Ok(Value::string(&subject[regexp.find(subject).unwrap_or(Range::default())]))
    });
    add("regexReplaceAll", "mustRegexReplaceAll", &[STRING, STRING, STRING], |regexp, subject, arguments| {
        let template = text(arguments, 2)?;
        let replaced = regexp.replace_all(subject, template, MAX_BYTES);
        Ok(Value::string(replaced.map_err(|error| error.to_string())?))
    });
    add(
        "regexReplaceAllLiteral",
        "mustRegexReplaceAllLiteral",
        &[STRING, STRING, STRING],
        |regexp, subject, arguments| {
            let replacement = text(arguments, 2)?;
            let replaced = regexp.replace_all_literal(subject, replacement, MAX_BYTES);
            Ok(Value::string(replaced.map_err(|error| error.to_string())?))
        },
    );
    add("regexSplit", "mustRegexSplit", &[STRING, STRING, INT], |regexp, subject, arguments| {
        let limit = int(arguments, 2)?;
        let parts = regexp.split(subject, limit);
        check_elements(parts.len())?;
        Ok(if limit == 0 { Value::object(NilStrings) } else { Value::strings(parts) })
    });
    let for_match = Rc::clone(&kept);
    functions.insert(
        "regexMatch",
        Function::new([STRING, STRING], move |_, arguments| {
            let regexp = for_match.get(text(arguments, 0)?);
            let subject = text(arguments, 1)?;
            Ok(Value::Bool(regexp.is_ok_and(|regexp| regexp.is_match(subject))))
        }),
    );
    functions.insert(
        "mustRegexMatch",
        Function::new([STRING, STRING], move |_, arguments| {
            kept.run(arguments, false, |regexp, subject, _| Ok(Value::Bool(regexp.is_match(subject))))
        }),
    );
    plain(functions, "regexQuoteMeta", [STRING], |arguments| {
        Ok(Value::string(quote_meta(text(arguments, 0)?)))
    });
}

/// The compiled expressions by their patterns.
#[derive(Default)]
struct Expressions {
    kept: RefCell<HashMap<Str, Rc<Regexp>>>,
}

impl Expressions {
    fn get(&self, pattern: &Str) -> Result<Rc<Regexp>, ParseError> {
        if let Some(regexp) = self.kept.borrow().get(pattern.as_bytes()) {
            return Ok(Rc::clone(regexp));
        }
        let regexp = Rc::new(Regexp::compile(pattern)?);
        let mut kept = self.kept.borrow_mut();
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(pattern.clone(), Rc::clone(&regexp));
        Ok(regexp)
    }

    /// Runs the action with the expression that the first argument is. A wrong pattern is an error,
    /// or in functions that aren't called `must…` a panic, whose text says more.
    fn run(&self, arguments: &[Value], panics: bool, action: Action) -> Answer {
        let pattern = text(arguments, 0)?;
        let regexp = self.get(pattern).map_err(|error| {
            CallError::from(if panics { Regexp::panic_text(pattern, &error) } else { error.to_string() })
        })?;
        action(&regexp, text(arguments, 1)?, arguments)
    }
}

/// A nil `[]string`: an empty list, but `null` in JSON and YAML.
struct NilStrings;

impl Object for NilStrings {
    fn type_name(&self) -> &str {
        "[]string"
    }

    fn kind(&self) -> Kind {
        Kind::Slice
    }

    fn is_true(&self) -> bool {
        false
    }

    fn json(&self) -> Option<Value> {
        Some(Value::Nil)
    }

    fn elements(&self) -> Option<Value> {
        Some(Value::strings::<Str>([]))
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().is::<Self>()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
