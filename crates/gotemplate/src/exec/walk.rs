//! Text, actions and control structures.

use super::{At, Context, Operand, Result};
use crate::error::{Error, LimitError};
use crate::fmt;
use crate::node::{Branch, Node, Part, Pipe, Row, TemplateCall};
use crate::stack;
use crate::strconv;
use crate::types::{IntType, Kind};
use crate::value::{List, Map, Value};

/// How a list of nodes ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Normal,
    Break,
    Continue,
}

impl<'e> Context<'e> {
    pub(super) fn walk_list(&mut self, dot: &Operand, list: Row<Node>) -> Result<Flow> {
        let syntax = self.syntax();
        for node in syntax.row(list) {
            let flow = match *node {
                Node::Text { start, end } => {
                    let tree = self.tree;
                    self.write(tree.source.slice(start, end))?;
                    Flow::Normal
                }
                Node::Action(pipe) => {
                    self.walk_action(dot, syntax.get(pipe))?;
                    Flow::Normal
                }
                Node::If(branch) => self.walk_if(dot, syntax.get(branch))?,
                Node::With(branch) => self.walk_with(dot, syntax.get(branch))?,
                Node::Range(branch) => self.walk_range(dot, syntax.get(branch))?,
                Node::Template(call) => {
                    self.walk_template(dot, syntax.get(call))?;
                    Flow::Normal
                }
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if flow != Flow::Normal {
                return Ok(flow);
            }
        }
        Ok(Flow::Normal)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.output.extend_from_slice(bytes);
        self.budget.write(bytes.len()).map_err(|limit| self.exceeded(limit))
    }

    fn step(&self) -> Result<()> {
        self.budget.step().map_err(|limit| self.exceeded(limit))
    }

    fn walk_action(&mut self, dot: &Operand, pipe: &'e Pipe) -> Result<()> {
        self.step()?;
        let value = self.pipeline(dot, pipe)?;
        if !pipe.variables.is_empty() {
            return Ok(());
        }
        match &value {
            Value::String(text) => self.write(text),
            value => {
                self.at = At::Part(Part::Action(pipe));
                if value.kind() == Kind::Func {
                    let (action, kind) = (self.print(self.at), value.type_of());
                    return Err(self.fail(format!("can't print {action} of type {kind}")));
                }
                let start = self.output.len();
                fmt::print_value(&mut self.output, value);
                let written = self.output.len() - start;
                if written > fmt::MAX_OUTPUT {
                    return Err(self.exceeded(LimitError::Output(fmt::MAX_OUTPUT as u64)));
                }
                self.budget.write(written).map_err(|limit| self.exceeded(limit))
            }
        }
    }

    fn walk_if(&mut self, dot: &Operand, branch: &'e Branch) -> Result<Flow> {
        self.step()?;
        let mark = self.variables.len();
        let body =
            if self.pipeline(dot, &branch.pipe)?.is_true() { Some(branch.body) } else { branch.otherwise };
        let flow = match body {
            Some(body) => stack::grow(|| self.walk_list(dot, body))?,
            None => Flow::Normal,
        };
        self.variables.truncate(mark);
        Ok(flow)
    }

    fn walk_with(&mut self, dot: &Operand, branch: &'e Branch) -> Result<Flow> {
        self.step()?;
        let mark = self.variables.len();
        let value = self.pipeline(dot, &branch.pipe)?;
        let flow = if value.is_true() {
            let dot = Operand::concrete(value);
            stack::grow(|| self.walk_list(&dot, branch.body))?
        } else if let Some(otherwise) = branch.otherwise {
            stack::grow(|| self.walk_list(dot, otherwise))?
        } else {
            Flow::Normal
        };
        self.variables.truncate(mark);
        Ok(flow)
    }

    fn walk_range(&mut self, dot: &Operand, branch: &'e Branch) -> Result<Flow> {
        self.step()?;
        let mark = self.variables.len();
        let value = self.pipeline(dot, &branch.pipe)?;
        let mut flow = Flow::Normal;
        if !self.iterate(branch, &value)?
            && let Some(otherwise) = branch.otherwise
        {
            flow = stack::grow(|| self.walk_list(dot, otherwise))?;
        }
        self.variables.truncate(mark);
        // A break of an outer range gets no further than this one, but a continue does.
        Ok(if flow == Flow::Break { Flow::Normal } else { flow })
    }

    /// Whether there was anything to iterate over.
    fn iterate(&mut self, branch: &'e Branch, value: &Value) -> Result<bool> {
        match value {
            Value::Nil => Ok(false),
            Value::Int(count, int) => self.iterate_int(branch, value, *count, *int),
            Value::List(list) => self.iterate_list(branch, list),
            Value::Map(map) => self.iterate_map(branch, map),
            Value::Object(object) if matches!(object.kind(), Kind::Slice | Kind::Map) => {
                match object.elements() {
                    Some(Value::List(list)) => self.iterate_list(branch, &list),
                    Some(Value::Map(map)) => self.iterate_map(branch, &map),
                    _ => Err(self.cant_iterate(value)),
                }
            }
            value => Err(self.cant_iterate(value)),
        }
    }

    fn cant_iterate(&self, value: &Value) -> Box<Error> {
        let text = match value {
            // Go looks at what a pointer points to.
            Value::Object(object) if object.kind() == Kind::Ptr && object.display().is_none() => {
                let fields = object.fields();
                let fields: Vec<_> = fields.iter().map(|(_, field)| lossy(field)).collect();
                format!("{{{}}}", fields.join(" "))
            }
            value => lossy(value),
        };
        self.fail(format!("range can't iterate over {text}"))
    }

    fn iterate_int(&mut self, branch: &'e Branch, value: &Value, count: i128, int: IntType) -> Result<bool> {
        if branch.pipe.variables.len() > 1 {
            let value = lossy(value);
            return Err(self.fail(format!("can't use {value} to iterate over more than one variable")));
        }
        for number in 0..count {
            let element = Operand::concrete(Value::Int(number, int));
            if self.iteration(branch, Operand::default(), &element)? == Flow::Break {
                break;
            }
        }
        Ok(count > 0)
    }

    fn iterate_list(&mut self, branch: &'e Branch, list: &List) -> Result<bool> {
        let length = list.len();
        for index in 0..length {
            // The body may have changed the list.
            let Some(value) = list.get(index) else { break };
            let element = Operand::element(value, list.element());
            let index = Operand::concrete(Value::int(index as i64));
            if self.iteration(branch, index, &element)? == Flow::Break {
                break;
            }
        }
        Ok(length > 0)
    }

    fn iterate_map(&mut self, branch: &'e Branch, map: &Map) -> Result<bool> {
        let entries = map.to_vec();
        let element = map.element();
        let iterated = !entries.is_empty();
        for (key, value) in entries {
            let key = Operand::concrete(Value::String(key));
            if self.iteration(branch, key, &Operand::element(value, &element))? == Flow::Break {
                break;
            }
        }
        Ok(iterated)
    }

    fn iteration(&mut self, branch: &'e Branch, index: Operand, element: &Operand) -> Result<Flow> {
        self.step()?;
        let pipe = &branch.pipe;
        let mark = self.variables.len();
        match (self.syntax().row(pipe.variables), pipe.is_assignment) {
            ([], _) => {}
            ([one], true) => self.assign(one, element.clone())?,
            ([first, second, ..], true) => {
                self.assign(first, index)?;
                self.assign(second, element.clone())?;
            }
            // The pipeline has declared them: they are the last ones.
            ([_], false) => self.variables[mark - 1].1 = element.clone(),
            ([_, _, ..], false) => {
                self.variables[mark - 1].1 = element.clone();
                self.variables[mark - 2].1 = index;
            }
        }
        let flow = stack::grow(|| self.walk_list(element, branch.body))?;
        self.variables.truncate(mark);
        Ok(flow)
    }

    fn walk_template(&mut self, dot: &Operand, call: &'e TemplateCall) -> Result<()> {
        self.step()?;
        self.at = At::Part(Part::Template(call));
        let environment = self.environment;
        let Some(tree) = environment.template(&call.name) else {
            let name = strconv::quote(&call.name);
            return Err(self.fail(format!("template {name} not defined")));
        };
        let dot = match &call.pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => Value::Nil,
        };
        self.at = At::Part(Part::Template(call));
        self.execute_tree(tree, &Operand::concrete(dot))
    }
}

/// What Go's `%v` makes of the value.
fn lossy(value: &Value) -> String {
    String::from_utf8_lossy(&fmt::sprint(std::slice::from_ref(value))).into_owned()
}
