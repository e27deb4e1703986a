//! Macros that are written as methods.

use super::{Issues, Parser};
use crate::ast::{Kind, Loop, LoopKind, Node};

const SIMPLE_NAME: &str = "argument must be a simple name";

pub(super) enum Expanded {
    Yes(Node),
    /// No macro, what was given comes back.
    No(Node, Vec<Node>),
}

/// Expands `target.name(arguments)` where that is a macro.
pub(super) fn expand(
    parser: &Parser<'_>,
    at: usize,
    target: Node,
    name: &str,
    mut arguments: Vec<Node>,
) -> Result<Expanded, Issues> {
    let kind = match (name, arguments.len()) {
        ("all", 2) => LoopKind::All,
        ("exists", 2) => LoopKind::Exists,
        ("exists_one", 2) => LoopKind::ExistsOne,
        ("filter", 2) => LoopKind::Filter,
        ("map", 2 | 3) => LoopKind::Map,
        ("optMap" | "optFlatMap", 2) => {
            return optional(parser, at, target, name, arguments).map(Expanded::Yes);
        }
        _ => return Ok(Expanded::No(target, arguments)),
    };
    let message = match kind {
        LoopKind::Filter | LoopKind::Map => "argument is not an identifier",
        _ => SIMPLE_NAME,
    };
    let variable = variable(&arguments, message)?;
    let (Some(body), filter) = (arguments.pop(), arguments.drain(1..).next()) else {
        return Ok(Expanded::No(target, arguments));
    };
    let the = Loop { kind, range: target, variable, filter, body };
    parser.node(at, Kind::Loop(Box::new(the))).map(Expanded::Yes)
}

fn optional(
    parser: &Parser<'_>,
    at: usize,
    target: Node,
    name: &str,
    mut arguments: Vec<Node>,
) -> Result<Node, Issues> {
    let variable = variable(&arguments, SIMPLE_NAME)?;
    let body = Box::new(arguments.swap_remove(1));
    let flat = name == "optFlatMap";
    parser.node(at, Kind::OptMap { target: Box::new(target), variable, body, flat })
}

fn variable(arguments: &[Node], message: &str) -> Result<String, Issues> {
    match arguments.first().map(|first| (&first.kind, first.at)) {
        Some((Kind::Name(name), _)) => Ok(name.clone()),
        Some((_, at)) => Err(Issues::one(at, message)),
        None => Err(Issues::one(0, message)),
    }
}
