//! Actions that control others.

use std::mem;

use super::token::{Token, TokenKind};
use super::{Parser, Result, Scope};
use crate::node::{Branch, Id, Node, Pipe, Row, TemplateCall};
use crate::string::Str;

/// An element of a list, or what ends the list.
pub(super) enum Item {
    Node(Node),
    Else,
    End,
}

impl Item {
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Self::Node(_) => "action",
            Self::Else => "{{else}}",
            Self::End => "{{end}}",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Control {
    If,
    With,
    Range,
}

impl Control {
    fn name(self) -> &'static str {
        match self {
            Self::If => "if",
            Self::With => "with",
            Self::Range => "range",
        }
    }

    fn node(self, branch: Id<Branch>) -> Node {
        match self {
            Self::If => Node::If(branch),
            Self::With => Node::With(branch),
            Self::Range => Node::Range(branch),
        }
    }
}

impl Parser<'_> {
    /// `{{define "name"}} list {{end}}`, after its keyword.
    pub(super) fn definition(&mut self) -> Result<()> {
        let context = "define clause";
        let outer = mem::replace(&mut self.scope, Scope::new());
        let name = self.next_non_space();
        if !matches!(name.kind, TokenKind::String | TokenKind::RawString) {
            return Err(self.unexpected(name, context));
        }
        let name = self.unquote(name)?;
        self.expect(TokenKind::RightDelimiter, context)?;
        let (root, end) = self.nested(Self::list)?;
        if !matches!(end, Item::End) {
            return Err(self.fail(&format!("unexpected {} in {context}", end.describe())));
        }
        self.add(name, root)?;
        self.scope = outer;
        Ok(())
    }

    /// Nodes up to the end or else that closes them.
    fn list(&mut self) -> Result<(Row<Node>, Item)> {
        let first = self.open.nodes.len();
        while self.peek_non_space().kind != TokenKind::Eof {
            match self.text_or_action()? {
                Item::Node(node) => self.open.nodes.push(node),
                end => return Ok((self.source.syntax.add_row(self.open.nodes.drain(first..)), end)),
            }
        }
        Err(self.fail("unexpected EOF"))
    }

    pub(super) fn text_or_action(&mut self) -> Result<Item> {
        let token = self.next_non_space();
        match token.kind {
            TokenKind::Text => Ok(Item::Node(Node::Text { start: token.start, end: token.end })),
            TokenKind::LeftDelimiter => {
                self.scope.action = Some(token.start);
                let item = self.action()?;
                self.scope.action = None;
                Ok(item)
            }
            _ => Err(self.unexpected(token, "input")),
        }
    }

    fn action(&mut self) -> Result<Item> {
        let token = self.next_non_space();
        let node = match token.kind {
            TokenKind::Block => self.block()?,
            TokenKind::Break => self.loop_control(Node::Break, "{{break}}")?,
            TokenKind::Continue => self.loop_control(Node::Continue, "{{continue}}")?,
            TokenKind::Else => return self.else_clause(),
            TokenKind::End => {
                self.expect(TokenKind::RightDelimiter, "end")?;
                return Ok(Item::End);
            }
            TokenKind::If => self.branch(Control::If)?,
            TokenKind::Range => self.branch(Control::Range)?,
            TokenKind::With => self.branch(Control::With)?,
            TokenKind::Template => self.template_call()?,
            _ => {
                self.give_back();
                let pipe = self.pipeline("command", TokenKind::RightDelimiter)?;
                Node::Action(self.source.syntax.add(pipe))
            }
        };
        Ok(Item::Node(node))
    }

    fn loop_control(&mut self, node: Node, name: &str) -> Result<Node> {
        let token = self.next_non_space();
        if token.kind != TokenKind::RightDelimiter {
            return Err(self.unexpected(token, name));
        }
        if self.scope.range_depth == 0 {
            return Err(self.fail(&format!("{name} outside {{{{range}}}}")));
        }
        Ok(node)
    }

    /// `{{else}}`; `{{else if …}}` and `{{else with …}}` leave their keyword to be read.
    fn else_clause(&mut self) -> Result<Item> {
        if !matches!(self.peek_non_space().kind, TokenKind::If | TokenKind::With) {
            self.expect(TokenKind::RightDelimiter, "else")?;
        }
        Ok(Item::Else)
    }

    /// `if`, `with` or `range`, after the keyword.
    fn branch(&mut self, control: Control) -> Result<Node> {
        let variables = self.scope.variables.len();
        let branch = self.nested(|parser| parser.branch_parts(control))?;
        self.scope.variables.truncate(variables);
        Ok(control.node(self.source.syntax.add(branch)))
    }

    fn branch_parts(&mut self, control: Control) -> Result<Branch> {
        let pipe = self.pipeline(control.name(), TokenKind::RightDelimiter)?;
        let is_range = usize::from(control == Control::Range);
        self.scope.range_depth += is_range;
        let (body, end) = self.list()?;
        self.scope.range_depth -= is_range;
        let otherwise = match end {
            Item::Else => Some(self.otherwise(control)?),
            _ => None,
        };
        Ok(Branch { pipe, body, otherwise })
    }

    fn otherwise(&mut self, control: Control) -> Result<Row<Node>> {
        // The end of an "else if" also ends the if that it belongs to.
        match (control, self.peek().kind) {
            (Control::If, TokenKind::If) | (Control::With, TokenKind::With) => {
                self.next();
                let branch = self.branch(control)?;
                return Ok(self.source.syntax.add_row([branch]));
            }
            _ => {}
        }
        let (nodes, end) = self.list()?;
        match end {
            Item::End => Ok(nodes),
            end => Err(self.fail(&format!("expected end; found {}", end.describe()))),
        }
    }

    /// `{{block "name" pipeline}} list {{end}}`: a definition and its call in one.
    fn block(&mut self) -> Result<Node> {
        let context = "block clause";
        let (token, name) = self.template_name(context)?;
        let pipe = self.pipeline(context, TokenKind::RightDelimiter)?;
        let outer = mem::replace(&mut self.scope, Scope::new());
        let last = self.tokens[0];
        let (root, end) = self.nested(Self::list)?;
        if !matches!(end, Item::End) {
            // Go blames the template around the block, which has read no further than the name.
            self.tokens[0] = last;
            return Err(self.fail(&format!("unexpected {} in {context}", end.describe())));
        }
        self.add(name.clone(), root)?;
        self.scope = outer;
        Ok(self.call(token, name, Some(pipe)))
    }

    fn template_call(&mut self) -> Result<Node> {
        let context = "template clause";
        let (token, name) = self.template_name(context)?;
        if self.next_non_space().kind == TokenKind::RightDelimiter {
            return Ok(self.call(token, name, None));
        }
        self.give_back();
        let pipe = self.pipeline(context, TokenKind::RightDelimiter)?;
        Ok(self.call(token, name, Some(pipe)))
    }

    fn template_name(&mut self, context: &str) -> Result<(Token, Str)> {
        let token = self.next_non_space();
        match token.kind {
            TokenKind::String | TokenKind::RawString => Ok((token, self.unquote(token)?)),
            _ => Err(self.unexpected(token, context)),
        }
    }

    fn call(&mut self, token: Token, name: Str, pipe: Option<Pipe>) -> Node {
        Node::Template(self.source.syntax.add(TemplateCall { position: token.start, name, pipe }))
    }
}
