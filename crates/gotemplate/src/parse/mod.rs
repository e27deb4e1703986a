//! From text to a tree.

mod control;
mod lex;
mod number;
mod pipeline;
mod token;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

pub(crate) use lex::Delimiters;

use crate::error::ParseError;
use crate::function::Names;
use crate::node::{
    Command, Expression, Name, Node, Position, ROOT_VARIABLE, Row, Source, Syntax, Tree, Variable, VariableId,
};
use crate::strconv;
use crate::string::Str;
use lex::Lexer;
use token::{Token, TokenKind};

/// How deep actions and parentheses may nest. Go allows 10000 parentheses and any number of actions.
const MAX_NESTING: usize = 1000;

/// The templates of one text, parsed. Copies share them, also between threads.
#[derive(Clone, Debug)]
pub struct Parsed {
    pub(crate) trees: Arc<[Arc<Tree>]>,
}

impl Parsed {
    /// The template that has the name of the text.
    pub(crate) fn main(&self) -> Option<&Arc<Tree>> {
        self.trees.iter().find(|tree| tree.name == tree.source.name)
    }
}

/// How texts are parsed: by what opens and closes an action, and by the names of the functions.
///
/// Unlike an [`Environment`](crate::Environment) it goes between threads, so that several can parse.
#[derive(Clone, Debug)]
pub struct Grammar {
    pub(crate) delimiters: Arc<Delimiters>,
    pub(crate) names: Arc<Names>,
}

impl Grammar {
    /// Parses the text of a template and of those that it defines.
    pub fn parse(
        &self,
        name: impl Into<Str>,
        text: impl Into<Str>,
    ) -> std::result::Result<Parsed, ParseError> {
        parse(name.into(), &text.into(), self).map_err(|error| *error)
    }
}

fn parse(name: Str, text: &Str, grammar: &Grammar) -> Result<Parsed> {
    if Position::try_from(text.len()).is_err() {
        let message = "text is too long".to_owned();
        return Err(Box::new(ParseError { file: name.to_string(), line: 1, message }));
    }
    let source = Source { name: name.clone(), text: text.clone(), syntax: Syntax::default() };
    let mut parser = Parser::new(text, source, grammar);
    let root = parser.template()?;
    parser.add(name, root)?;
    let Parser { mut source, templates, .. } = parser;
    source.syntax.shrink();
    let source = Arc::new(source);
    let tree = |(name, root)| Arc::new(Tree { name, source: Arc::clone(&source), root });
    Ok(Parsed { trees: templates.into_iter().map(tree).collect() })
}

type Result<T> = std::result::Result<T, Box<ParseError>>;

struct Parser<'a> {
    /// The text of the source.
    input: &'a [u8],
    source: Source,
    lexer: Lexer<'a>,
    functions: &'a Names,
    /// The last token and those that were given back.
    tokens: [Token; 3],
    /// How many of them are still to be read.
    given_back: usize,
    templates: HashMap<Str, Row<Node>>,
    /// The variables of all templates but `$`, by name.
    variables: HashMap<&'a [u8], VariableId>,
    open: Open,
    nesting: usize,
    scope: Scope,
}

/// Parts whose row isn't complete yet. Those of an inner level lie behind those of the level around it.
#[derive(Default)]
struct Open {
    nodes: Vec<Node>,
    commands: Vec<Command>,
    words: Vec<Expression>,
}

/// What a template doesn't share with the one it is defined in.
struct Scope {
    variables: Vec<VariableId>,
    range_depth: usize,
    /// The delimiter that began the action; none outside of actions.
    action: Option<Position>,
}

impl<'a> Parser<'a> {
    fn new(input: &'a [u8], source: Source, grammar: &'a Grammar) -> Self {
        let functions = &*grammar.names;
        let mut lexer = Lexer::new(input, &grammar.delimiters);
        lexer.break_is_keyword = functions.slot(b"break").is_none();
        lexer.continue_is_keyword = functions.slot(b"continue").is_none();
        let nothing = Token { kind: TokenKind::Eof, start: 0, end: 0 };
        Self {
            input,
            source,
            lexer,
            functions,
            tokens: [nothing; 3],
            given_back: 0,
            templates: HashMap::new(),
            variables: HashMap::new(),
            open: Open::default(),
            nesting: 0,
            scope: Scope::new(),
        }
    }

    /// The whole text. Definitions stand only at this level.
    fn template(&mut self) -> Result<Row<Node>> {
        while self.peek().kind != TokenKind::Eof {
            if self.peek().kind == TokenKind::LeftDelimiter {
                let delimiter = self.next();
                if self.next_non_space().kind == TokenKind::Define {
                    self.definition()?;
                    continue;
                }
                self.give_back_2(delimiter);
            }
            match self.text_or_action()? {
                control::Item::Node(node) => self.open.nodes.push(node),
                end => return Err(self.fail(&format!("unexpected {}", end.describe()))),
            }
        }
        Ok(self.source.syntax.add_row(self.open.nodes.drain(..)))
    }

    /// Keeps a template of this text. A name may be defined twice only if one body is empty.
    fn add(&mut self, name: Str, root: Row<Node>) -> Result<()> {
        match self.templates.entry(name) {
            Entry::Vacant(entry) => {
                entry.insert(root);
            }
            Entry::Occupied(mut entry) if self.source.is_empty(*entry.get()) => {
                entry.insert(root);
            }
            Entry::Occupied(_) if self.source.is_empty(root) => {}
            Entry::Occupied(entry) => {
                let name = strconv::quote(entry.key());
                let text = format!("template: multiple definition of template {name}");
                return Err(self.fail(&text));
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Token {
        match self.given_back.checked_sub(1) {
            Some(rest) => self.given_back = rest,
            None => self.tokens[0] = self.lexer.next(),
        }
        self.tokens[self.given_back]
    }

    fn peek(&mut self) -> Token {
        let token = self.next();
        self.give_back();
        token
    }

    fn next_non_space(&mut self) -> Token {
        loop {
            let token = self.next();
            if token.kind != TokenKind::Space {
                return token;
            }
        }
    }

    fn peek_non_space(&mut self) -> Token {
        let token = self.next_non_space();
        self.give_back();
        token
    }

    fn give_back(&mut self) {
        self.given_back += 1;
    }

    /// Gives back the last token and the one before it.
    fn give_back_2(&mut self, before: Token) {
        self.tokens[1] = before;
        self.given_back = 2;
    }

    /// Gives back the last token and the two before it.
    fn give_back_3(&mut self, first: Token, second: Token) {
        self.tokens[1] = second;
        self.tokens[2] = first;
        self.given_back = 3;
    }

    fn expect(&mut self, kind: TokenKind, context: &str) -> Result<Token> {
        let token = self.next_non_space();
        if token.kind == kind { Ok(token) } else { Err(self.unexpected(token, context)) }
    }

    fn text(&self, token: Token) -> &'a [u8] {
        &self.input[token.start as usize..token.end as usize]
    }

    fn unquote(&self, token: Token) -> Result<Str> {
        let text = strconv::unquote(self.text(token));
        text.map(|text| Str::from(&*text)).ok_or_else(|| self.fail("invalid syntax"))
    }

    fn variable(&mut self, token: Token) -> Variable {
        let text = self.text(token);
        let id = if text == b"$" {
            ROOT_VARIABLE
        } else {
            // A text has fewer variables than bytes, whose number fits.
            let next = self.variables.len() as VariableId + 1;
            *self.variables.entry(text).or_insert(next)
        };
        Variable { name: name(token), id }
    }

    #[cold]
    fn fail(&self, message: &str) -> Box<ParseError> {
        let line = self.source.line(self.tokens[0].start);
        Box::new(ParseError { file: self.source.name.to_string(), line, message: message.to_owned() })
    }

    #[cold]
    fn unexpected(&self, token: Token, context: &str) -> Box<ParseError> {
        if token.kind != TokenKind::Error {
            let token = token.kind.describe(self.text(token));
            return self.fail(&format!("unexpected {token} in {context}"));
        }
        let message = self.lexer.error();
        let line = self.scope.action.map(|action| self.source.line(action));
        let Some(line) = line.filter(|line| *line != self.source.line(token.start)) else {
            return self.fail(message);
        };
        let began = if message.ends_with(" action") { "" } else { " in action" };
        let file = &self.source.name;
        self.fail(&format!("{message}{began} started at {file}:{line}"))
    }

    /// Parses something that nests, with a bound.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.nesting >= MAX_NESTING {
            return Err(self.fail("max expression depth exceeded"));
        }
        self.nesting += 1;
        let parsed = crate::stack::grow(|| parse(self));
        self.nesting -= 1;
        parsed
    }
}

impl Scope {
    fn new() -> Self {
        Self { variables: vec![ROOT_VARIABLE], range_depth: 0, action: None }
    }
}

fn name(token: Token) -> Name {
    Name { start: token.start, end: token.end }
}
