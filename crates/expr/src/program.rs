use crate::ast::{Call, Kind, Node};
use crate::check::{Type, arities, check};
use crate::error::{EvalError, ParseError};
use crate::eval::{Failure, evaluate};
use crate::functions::{CONVERSIONS, clauses, regexp};
use crate::parse::{Issues, parse};
use crate::value::Val;
use crate::{Variables, eval};

/// A parsed expression.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) text: String,
    root: Node,
}

impl Program {
    pub(crate) fn parse(text: &str) -> Result<Self, ParseError> {
        let mut root = parse(text).map_err(|issues| refused(text, &issues))?;
        prepare(&mut root, false)?;
        Ok(Self { text: text.to_owned(), root })
    }

    pub(crate) fn compile(text: &str, variables: &[&str], wanted: &Type) -> Result<Self, ParseError> {
        let mut root = parse(text).map_err(|issues| refused(text, &issues))?;
        let found = check(&root, variables).map_err(|issues| refused(text, &issues))?;
        constant_formats(&root).map_err(|issues| refused(text, &issues))?;
        if found != *wanted {
            return Err(ParseError::OutputType { wanted: wanted.to_string(), found: found.to_string() });
        }
        prepare(&mut root, true)?;
        Ok(Self { text: text.to_owned(), root })
    }

    pub(crate) fn evaluate<'a>(&'a self, variables: &'a dyn Variables) -> Result<Val<'a>, EvalError> {
        evaluate(&self.root, variables).map_err(|failure| EvalError::Failed {
            expression: self.text.clone(),
            reason: failure.text().to_owned(),
        })
    }
}

fn refused(text: &str, issues: &Issues) -> ParseError {
    ParseError::Text { expression: text.to_owned(), issues: issues.render(text) }
}

/// Does beforehand what cel-go does when it optimizes a program: patterns are compiled and literals converted, so that
/// mistakes in them are found at once.
fn prepare(node: &mut Node, typed: bool) -> Result<(), ParseError> {
    for child in node.children_mut() {
        prepare(child, typed)?;
    }
    if let Kind::Index { index, .. } = &node.kind {
        check_index(index)?;
    }
    let Kind::Call(call) = &mut node.kind else { return Ok(()) };
    // Nothing is in an empty list; with types, what it is isn't even asked.
    if typed
        && call.function == "@in"
        && matches!(&call.arguments[1].kind, Kind::List(list) if list.is_empty())
    {
        node.kind = Kind::Bool(false);
        return Ok(());
    }
    if let Some(pattern) = literal_pattern(call) {
        call.pattern = Some(regexp::compile(pattern).map_err(|failure| program_error(&failure))?);
    }
    if !is_callable(call) {
        return Err(program_error(&Failure::new(format!("no such overload: {}", call.function))));
    }
    if is_conversion(call) && is_constant(&call.arguments) {
        evaluate(node, &NoVariables).map_err(|failure| program_error(&failure))?;
    }
    Ok(())
}

/// A function that is known must be called with one of its numbers of arguments. Of those with three or more any such
/// number will do, and none. One that is not known is found out later, unless it has no arguments.
fn is_callable(call: &Call) -> bool {
    let given = call.arguments.len() + usize::from(call.target.is_some());
    match arities(&call.function) {
        Some(known) if given == 0 || given > 2 => {
            known.contains(&given) || known.iter().any(|arity| *arity > 2)
        }
        Some(known) => known.contains(&given),
        None => given > 0,
    }
}

fn is_conversion(call: &Call) -> bool {
    let name = call.function.as_str();
    call.target.is_none() && (name == "dyn" || CONVERSIONS.contains(&name))
}

/// What is known before the evaluation: literals, conversions of such.
fn is_constant<'n>(nodes: impl IntoIterator<Item = &'n Node>) -> bool {
    nodes.into_iter().all(|node| match &node.kind {
        Kind::List(_) | Kind::Map(_) => is_constant(node.children()),
        Kind::Call(call) => is_conversion(call) && is_constant(&call.arguments),
        _ => node.is_scalar(),
    })
}

/// An index that is known must be of a type that can be one.
fn check_index(index: &Node) -> Result<(), ParseError> {
    if !is_constant([index]) {
        return Ok(());
    }
    let value = evaluate(index, &NoVariables).map_err(|failure| program_error(&failure))?;
    if eval::can_be_index(&value) {
        return Ok(());
    }
    Err(program_error(&Failure::new(format!("invalid qualifier type: {}", value.type_name()))))
}

fn program_error(failure: &Failure) -> ParseError {
    ParseError::Program { reason: failure.text().to_owned() }
}

fn literal_pattern(call: &Call) -> Option<&str> {
    let pattern = if call.target.is_some() { call.arguments.first() } else { call.arguments.get(1) };
    match (call.function.as_str(), pattern.map(|pattern| &pattern.kind)) {
        ("matches", Some(Kind::String(pattern))) => Some(pattern),
        _ => None,
    }
}

/// Formats whose text and values are literals are tried while the types are checked.
fn constant_formats(node: &Node) -> Result<(), Issues> {
    for child in node.children() {
        constant_formats(child)?;
    }
    let Kind::Call(Call { function, target: Some(target), arguments, .. }) = &node.kind else {
        return Ok(());
    };
    let [Node { kind: Kind::List(values), .. }] = arguments.as_slice() else { return Ok(()) };
    let Kind::String(pattern) = &target.kind else { return Ok(()) };
    if function != "format" {
        return Ok(());
    }
    if let Some(clauses) = clauses(pattern).filter(|clauses| *clauses < values.len()) {
        let given = values.len();
        let message =
            format!("too many arguments supplied to string.format (expected {clauses}, got {given})");
        return Err(Issues::one(node.at, message));
    }
    if !values.iter().all(|value| value.node.is_scalar()) {
        return Ok(());
    }
    match eval::evaluate(node, &NoVariables) {
        Ok(_) => Ok(()),
        Err(failure) => Err(Issues::one(node.at, failure.text())),
    }
}

struct NoVariables;

impl Variables for NoVariables {
    fn get(&self, _: &str) -> Option<&serde_json::Value> {
        None
    }
}
