//! From text to tree: the grammar of CEL, with its macros expanded.
//!
//! Recursive descent with a bound on depth, so that time and memory are linear in the text.

mod issue;
mod lexer;
mod literal;
mod macros;

pub(crate) use self::issue::{Issue, Issues};
use self::lexer::{Lexeme, Token, lex};
use crate::ast::{Call, Element, Entry, Kind, MAX_DEPTH, Node, deeper};

/// Longest text that is parsed, in bytes.
const MAX_LENGTH: usize = 16 << 10;

/// Words that can't be names; as fields they can.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Words that are tokens of their own, so no fields either.
const KEYWORDS: [&str; 4] = ["in", "true", "false", "null"];

/// Functions whose name has a dot.
const QUALIFIED: [&str; 11] = [
    "base64.decode",
    "base64.encode",
    "json.encode",
    "optional.none",
    "optional.of",
    "optional.ofNonZeroValue",
    "optional.unwrap",
    "sets.contains",
    "sets.equivalent",
    "sets.intersects",
    "strings.quote",
];

const OPERAND: &str = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/// Parses a whole text.
pub(crate) fn parse(text: &str) -> Result<Node, Issues> {
    if text.len() > MAX_LENGTH {
        let message = format!("expression size exceeds limit: size: {}, limit {MAX_LENGTH}", text.len());
        return Err(Issues::one(0, message));
    }
    let mut parser = Parser { text, lexemes: lex(text)?, next: 0, depth: 0 };
    let node = parser.expression()?;
    match parser.token() {
        Token::End => Ok(node),
        _ => Err(parser.unexpected("<EOF>", |after| *after == Token::End)),
    }
}

struct Parser<'t> {
    text: &'t str,
    lexemes: Vec<Lexeme>,
    next: usize,
    depth: u16,
}

impl Parser<'_> {
    fn lexeme(&self) -> &Lexeme {
        // The last lexeme is the end, and it is never passed.
        &self.lexemes[self.next.min(self.lexemes.len() - 1)]
    }

    fn token(&self) -> &Token {
        &self.lexeme().token
    }

    fn at(&self) -> usize {
        self.lexeme().start
    }

    fn is(&self, symbol: &str) -> bool {
        matches!(self.token(), Token::Symbol(found) if *found == symbol)
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = self.is(symbol);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), Issues> {
        if self.take(symbol) {
            return Ok(());
        }
        Err(Issues::one(self.at(), format!("Syntax error: missing '{symbol}' at '{}'", self.shown())))
    }

    /// The token that comes next, for people.
    fn shown(&self) -> &str {
        let lexeme = self.lexeme();
        match lexeme.token {
            Token::End => "<EOF>",
            _ => &self.text[lexeme.start..lexeme.end],
        }
    }

    /// The words of ANTLR: a token is extraneous where all would be well without it, else it doesn't match.
    fn unexpected(&self, expected: &str, is_expected: impl Fn(&Token) -> bool) -> Issues {
        let after = self.lexemes.get(self.next + 1).is_some_and(|after| is_expected(&after.token));
        let fault = if after { "extraneous" } else { "mismatched" };
        Issues::one(self.at(), format!("Syntax error: {fault} input '{}' expecting {expected}", self.shown()))
    }

    fn no_operand(&self) -> Issues {
        self.unexpected(OPERAND, |token| match token {
            Token::Symbol(symbol) => ["[", "{", "(", ".", "-", "!"].contains(symbol),
            Token::Name(name) => name != "in",
            token => *token != Token::End,
        })
    }

    fn no_identifier(&self, since: usize) -> Issues {
        let input = &self.text[since..self.lexeme().end];
        Issues::one(self.at(), format!("Syntax error: no viable alternative at input '{input}'"))
    }

    fn node(&self, at: usize, kind: Kind) -> Result<Node, Issues> {
        let mut node = Node { kind, at, depth: 0 };
        node.depth = 1 + node.children().iter().map(|child| child.depth).max().unwrap_or_default();
        if node.depth > MAX_DEPTH { Err(too_deep(at)) } else { Ok(node) }
    }

    fn call(
        &self,
        at: usize,
        function: &str,
        target: Option<Node>,
        arguments: Vec<Node>,
    ) -> Result<Node, Issues> {
        let target = target.map(Box::new);
        let call = Call { function: function.to_owned(), target, arguments, pattern: None };
        self.node(at, Kind::Call(call))
    }

    fn expression(&mut self) -> Result<Node, Issues> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(too_deep(self.at()));
        }
        let node = deeper(|| self.conditional())?;
        self.depth -= 1;
        Ok(node)
    }

    fn conditional(&mut self) -> Result<Node, Issues> {
        let condition = self.alternatives()?;
        let at = self.at();
        if self.take("?") {
            let then = self.alternatives()?;
            self.expect(":")?;
            let otherwise = self.expression()?;
            return self.node(at, Kind::Ternary(Box::new([condition, then, otherwise])));
        }
        Ok(condition)
    }

    fn alternatives(&mut self) -> Result<Node, Issues> {
        let first = self.conjunction()?;
        if !self.is("||") {
            return Ok(first);
        }
        let at = self.at();
        let mut terms = vec![first];
        while self.take("||") {
            terms.push(self.conjunction()?);
        }
        self.node(at, Kind::Or(terms))
    }

    fn conjunction(&mut self) -> Result<Node, Issues> {
        let first = self.operation(0)?;
        if !self.is("&&") {
            return Ok(first);
        }
        let at = self.at();
        let mut terms = vec![first];
        while self.take("&&") {
            terms.push(self.operation(0)?);
        }
        self.node(at, Kind::And(terms))
    }

    /// Relations, sums and products, by precedence climbing.
    fn operation(&mut self, least: u8) -> Result<Node, Issues> {
        let mut left = self.unary()?;
        while let Some((function, precedence)) =
            self.operator().filter(|(_, precedence)| *precedence >= least)
        {
            let at = self.at();
            self.next += 1;
            let right = self.operation(precedence + 1)?;
            left = self.call(at, function, None, vec![left, right])?;
        }
        Ok(left)
    }

    fn operator(&self) -> Option<(&'static str, u8)> {
        Some(match self.token() {
            Token::Name(name) if name == "in" => ("@in", 0),
            Token::Symbol("<") => ("_<_", 0),
            Token::Symbol("<=") => ("_<=_", 0),
            Token::Symbol(">") => ("_>_", 0),
            Token::Symbol(">=") => ("_>=_", 0),
            Token::Symbol("==") => ("_==_", 0),
            Token::Symbol("!=") => ("_!=_", 0),
            Token::Symbol("+") => ("_+_", 1),
            Token::Symbol("-") => ("_-_", 1),
            Token::Symbol("*") => ("_*_", 2),
            Token::Symbol("/") => ("_/_", 2),
            Token::Symbol("%") => ("_%_", 2),
            _ => return None,
        })
    }

    fn unary(&mut self) -> Result<Node, Issues> {
        let at = self.at();
        let (symbol, function) = if self.is("!") { ("!", "!_") } else { ("-", "-_") };
        let mut odd = false;
        while self.is(symbol) && !(symbol == "-" && self.is_negative_number()) {
            self.next += 1;
            odd = !odd;
        }
        let operand = self.member()?;
        // Pairs cancel out while parsing, whatever they stand before (cel-go, visitor of unary operators).
        if odd { self.call(at, function, None, vec![operand]) } else { Ok(operand) }
    }

    fn is_negative_number(&self) -> bool {
        let number = self.lexemes.get(self.next + 1).map(|lexeme| &lexeme.token);
        self.is("-") && matches!(number, Some(Token::Int(_) | Token::MinInt | Token::Double(_)))
    }

    fn member(&mut self) -> Result<Node, Issues> {
        let mut node = self.primary()?;
        loop {
            let at = self.at();
            if self.take(".") {
                node = self.selection(node)?;
            } else if self.take("[") {
                let optional = self.take("?");
                let index = Box::new(self.expression()?);
                self.expect("]")?;
                node = self.node(at, Kind::Index { operand: Box::new(node), index, optional })?;
            } else if self.is("{") && qualified_name(&node).is_some() {
                return Err(Issues::one(at, "message literals are not supported"));
            } else {
                return Ok(node);
            }
        }
    }

    /// A field or a method, behind its dot.
    fn selection(&mut self, operand: Node) -> Result<Node, Issues> {
        let dot = self.lexemes[self.next.saturating_sub(1)].start;
        let optional = self.take("?");
        let field = self.identifier(dot, &[])?;
        let at = self.at();
        if !optional && self.take("(") {
            let arguments = self.list_of_expressions(")")?;
            return self.method(at, operand, &field, arguments);
        }
        self.node(dot, Kind::Select { operand: Box::new(operand), field, optional })
    }

    fn method(&self, at: usize, target: Node, name: &str, arguments: Vec<Node>) -> Result<Node, Issues> {
        let (target, arguments) = match macros::expand(self, at, target, name, arguments)? {
            macros::Expanded::Yes(node) => return Ok(node),
            macros::Expanded::No(target, arguments) => (target, arguments),
        };
        let qualified = qualified_name(&target).map(|prefix| format!("{prefix}.{name}"));
        match qualified.filter(|function| QUALIFIED.contains(&function.as_str())) {
            Some(function) => self.call(at, &function, None, arguments),
            None => self.call(at, name, Some(target), arguments),
        }
    }

    /// A name that isn't reserved; errors show the text since an offset.
    fn identifier(&mut self, since: usize, reserved: &[&str]) -> Result<String, Issues> {
        let at = self.at();
        let Token::Name(name) = self.token() else { return Err(self.no_identifier(since)) };
        let name = name.clone();
        if KEYWORDS.contains(&name.as_str()) {
            return Err(self.no_identifier(since));
        }
        if reserved.contains(&name.as_str()) {
            return Err(Issues::one(at, format!("reserved identifier: {name}")));
        }
        self.next += 1;
        Ok(name)
    }

    fn list_of_expressions(&mut self, end: &str) -> Result<Vec<Node>, Issues> {
        let mut list = Vec::new();
        if self.take(end) {
            return Ok(list);
        }
        loop {
            list.push(self.expression()?);
            if !self.take(",") {
                self.expect(end)?;
                return Ok(list);
            }
        }
    }

    fn primary(&mut self) -> Result<Node, Issues> {
        let at = self.at();
        if self.take("(") {
            let node = self.expression()?;
            self.expect(")")?;
            return Ok(node);
        }
        if self.take("[") {
            return self.list(at);
        }
        if self.take("{") {
            return self.map(at);
        }
        let leading_dot = self.take(".");
        if let Token::Name(name) = self.token()
            && (leading_dot || !KEYWORDS[1..].contains(&name.as_str()))
        {
            return self.name(at);
        }
        self.scalar(at)
    }

    fn name(&mut self, at: usize) -> Result<Node, Issues> {
        if matches!(self.token(), Token::Name(name) if name == "in") {
            return Err(self.no_operand());
        }
        let name = self.identifier(at, &RESERVED)?;
        let paren = self.at();
        if !self.take("(") {
            return self.node(at, Kind::Name(name));
        }
        let mut arguments = self.list_of_expressions(")")?;
        if name != "has" || arguments.len() != 1 {
            return self.call(paren, &name, None, arguments);
        }
        let invalid = |at| Issues::one(at, "invalid argument to has() macro");
        let Some(argument) = arguments.pop() else { return Err(invalid(paren)) };
        let Kind::Select { operand, field, optional: false } = argument.kind else {
            return Err(invalid(argument.at));
        };
        self.node(paren, Kind::Has { operand, field })
    }

    fn scalar(&mut self, at: usize) -> Result<Node, Issues> {
        let negative = self.is_negative_number();
        self.next += usize::from(negative);
        let kind = match self.token().clone() {
            Token::Int(value) => Kind::Int(if negative { -value } else { value }),
            Token::MinInt if negative => Kind::Int(i64::MIN),
            Token::MinInt => return Err(Issues::one(at, "invalid int literal")),
            Token::Double(value) => Kind::Double(if negative { -value } else { value }),
            Token::Uint(value) => Kind::Uint(value),
            Token::String(value) => Kind::String(value),
            Token::Bytes(value) => Kind::Bytes(value),
            Token::Name(name) if name == "true" => Kind::Bool(true),
            Token::Name(name) if name == "false" => Kind::Bool(false),
            Token::Name(name) if name == "null" => Kind::Null,
            _ => return Err(self.no_operand()),
        };
        self.next += 1;
        self.node(at, kind)
    }

    fn list(&mut self, at: usize) -> Result<Node, Issues> {
        let mut elements = Vec::new();
        while !self.take("]") {
            let optional = self.take("?");
            elements.push(Element { node: self.expression()?, optional });
            if !self.take(",") {
                self.expect("]")?;
                break;
            }
        }
        self.node(at, Kind::List(elements))
    }

    fn map(&mut self, at: usize) -> Result<Node, Issues> {
        let mut entries = Vec::new();
        while !self.take("}") {
            let optional = self.take("?");
            let key = self.expression()?;
            self.expect(":")?;
            entries.push(Entry { key, value: self.expression()?, optional });
            if !self.take(",") {
                self.expect("}")?;
                break;
            }
        }
        self.node(at, Kind::Map(entries))
    }
}

fn too_deep(at: usize) -> Issues {
    Issues::one(at, format!("expression recursion limit exceeded: {MAX_DEPTH}"))
}

/// `a.b.c` where a node is that.
pub(crate) fn qualified_name(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Name(name) => Some(name.clone()),
        Kind::Select { operand, field, optional: false } => {
            Some(format!("{}.{field}", qualified_name(operand)?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
