//! From text to parts.

use std::borrow::Cow;

use super::error::ErrorKind;
use super::runes;

/// What is wrong, and at which byte the substitution begins that it's in.
pub(super) type Failure = (ErrorKind, usize);

/// A piece of a text, or of an argument.
pub(super) enum Part<'t> {
    Text(Cow<'t, str>),
    Call(Call<'t>),
}

/// A variable and what is done with its value.
pub(super) struct Call<'t> {
    pub(super) name: &'t str,
    pub(super) function: Function,
    pub(super) arguments: Vec<Part<'t>>,
    /// Where it begins, in bytes.
    pub(super) at: usize,
}

/// What is done with a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Value,
    Length,
    Upper(Extent),
    Lower(Extent),
    Default,
    Part,
    TrimPrefix(Extent),
    TrimSuffix(Extent),
    ReplaceFirst,
    ReplaceAll,
    ReplacePrefix,
    ReplaceSuffix,
}

/// How far a function reaches: the first letter or all of them, the shortest match or the longest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Least,
    Most,
}

/// Takes a text apart.
pub(super) fn parse(text: &str, max_depth: usize) -> Result<Vec<Part<'_>>, Failure> {
    let mut parser = Parser { text, position: 0, max_depth };
    let mut parts = Vec::new();
    loop {
        if parser.takes("${") {
            parts.push(Part::Call(parser.call(1)?));
            continue;
        }
        match parser.run(Escapes::Dollar, |_| false) {
            Some(text) => parts.push(Part::Text(text)),
            None => return Ok(parts),
        }
    }
}

/// Which characters can be escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    None,
    /// `$$`
    Dollar,
    /// `$$`, `\/` and `\\`
    DollarAndBackslash,
}

struct Parser<'t> {
    text: &'t str,
    position: usize,
    max_depth: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.position..]
    }

    /// The next character; the text ends at a NUL, as Flux's does.
    fn peek(&self) -> Option<char> {
        self.rest().chars().next().filter(|char| *char != '\0')
    }

    fn takes(&mut self, token: &str) -> bool {
        let is_next = self.rest().starts_with(token);
        if is_next {
            self.position += token.len();
        }
        is_next
    }

    /// Takes characters as long as they fit.
    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|char| !fits(char)).unwrap_or(rest.len())];
        self.position += taken.len();
        taken
    }

    /// Takes text up to a substitution, a character that stops it, or the end; `None` where that is at once.
    fn run(&mut self, escapes: Escapes, stops: impl Fn(char) -> bool) -> Option<Cow<'t, str>> {
        let mut whole = Cow::Borrowed("");
        loop {
            let plain = self.take_while(|char| !matches!(char, '\0' | '$' | '\\') && !stops(char));
            append(&mut whole, plain);
            if self.rest().starts_with("${") {
                break;
            }
            let Some(char) = self.peek().filter(|char| !stops(*char)) else { break };
            let escaped = match char {
                '$' => escapes != Escapes::None && self.rest().starts_with("$$"),
                _ => escapes == Escapes::DollarAndBackslash && self.rest()[1..].starts_with(['/', '\\']),
            };
            if escaped {
                self.position += 1;
                // The escaped character, without a look at what it is.
                whole.to_mut().push_str(&self.rest()[..1]);
            } else {
                append(&mut whole, &self.rest()[..1]);
            }
            self.position += 1;
        }
        (!whole.is_empty()).then_some(whole)
    }

    /// What follows `${`.
    fn call(&mut self, depth: usize) -> Result<Call<'t>, Failure> {
        let at = self.position - 2;
        if depth > self.max_depth {
            return Err((ErrorKind::Depth(self.max_depth), at));
        }
        self.function(at, depth).map_err(|failure| failure.unwrap_or_else(|kind| (kind, at)))
    }

    fn function(&mut self, at: usize, depth: usize) -> Result<Call<'t>, Nested> {
        if self.takes("#") {
            let name = self.take_while(runes::is_in_name);
            let call = Call { name, function: Function::Length, arguments: Vec::new(), at };
            return if name.is_empty() { Err(ErrorKind::BadSubstitution.into()) } else { self.closed(call) };
        }
        let name = self.take_while(runes::is_in_name);
        if name.is_empty() {
            return Err(ErrorKind::VariableName.into());
        }
        let mut call = Call { name, function: Function::Value, arguments: Vec::new(), at };
        match self.peek() {
            Some(':') => self.part_or_default(call, depth),
            Some('=') => {
                self.position += 1;
                self.default(call, depth)
            }
            Some(',' | '^') => {
                call.function = self.case();
                self.closed(call)
            }
            Some('/') => self.replace(call, depth),
            Some('#') => {
                let extent = if self.takes("##") { Extent::Most } else { self.least("#") };
                self.trim(call, Function::TrimPrefix(extent), depth)
            }
            Some('%') => {
                let extent = if self.takes("%%") { Extent::Most } else { self.least("%") };
                self.trim(call, Function::TrimSuffix(extent), depth)
            }
            _ if self.takes("}") => Ok(call),
            _ => Err(ErrorKind::MissingClosingBrace.into()),
        }
    }

    fn least(&mut self, sign: &str) -> Extent {
        self.takes(sign);
        Extent::Least
    }

    /// `}`, or else it's a bad substitution.
    fn closed(&mut self, call: Call<'t>) -> Result<Call<'t>, Nested> {
        if self.takes("}") { Ok(call) } else { Err(ErrorKind::BadSubstitution.into()) }
    }

    /// An argument: one substitution, or a text that isn't empty.
    fn argument(
        &mut self,
        escapes: Escapes,
        stops: impl Fn(char) -> bool,
        depth: usize,
    ) -> Result<Part<'t>, Nested> {
        if self.takes("${") {
            return Ok(Part::Call(self.call(depth + 1)?));
        }
        Ok(Part::Text(self.run(escapes, stops).ok_or(ErrorKind::Argument)?))
    }

    /// The first letter or all; two different signs are taken, and do nothing.
    fn case(&mut self) -> Function {
        for (sign, function) in [
            ("^^", Function::Upper(Extent::Most)),
            (",,", Function::Lower(Extent::Most)),
            ("^,", Function::Value),
            (",^", Function::Value),
            ("^", Function::Upper(Extent::Least)),
        ] {
            if self.takes(sign) {
                return function;
            }
        }
        self.takes(",");
        Function::Lower(Extent::Least)
    }

    fn part_or_default(&mut self, call: Call<'t>, depth: usize) -> Result<Call<'t>, Nested> {
        self.position += 1;
        match self.rest().chars().next() {
            Some('=' | '-' | '?' | '+') => {
                self.position += 1;
                self.default(call, depth)
            }
            // Flux's scanner steps back too far over a character of several bytes, or not at all at the end.
            None => Err(ErrorKind::BadSubstitution.into()),
            Some(char) if !char.is_ascii() => Err(ErrorKind::BadSubstitution.into()),
            Some(_) => self.part(call, depth),
        }
    }

    fn part(&mut self, mut call: Call<'t>, depth: usize) -> Result<Call<'t>, Nested> {
        call.function = Function::Part;
        call.arguments.push(self.argument(Escapes::None, |char| matches!(char, ':' | '}'), depth)?);
        if self.takes("}") {
            return Ok(call);
        }
        if self.take_while(|char| char == ':').is_empty() {
            return Err(ErrorKind::BadSubstitution.into());
        }
        call.arguments.push(self.argument(Escapes::None, |char| char == '}', depth)?);
        self.closed(call)
    }

    fn default(&mut self, mut call: Call<'t>, depth: usize) -> Result<Call<'t>, Nested> {
        call.function = Function::Default;
        while !self.takes("}") {
            call.arguments.push(self.argument(Escapes::None, |char| char == '}', depth)?);
        }
        Ok(call)
    }

    fn trim(&mut self, mut call: Call<'t>, function: Function, depth: usize) -> Result<Call<'t>, Nested> {
        call.function = function;
        call.arguments.push(self.argument(Escapes::None, |char| char == '}', depth)?);
        self.closed(call)
    }

    fn replace(&mut self, mut call: Call<'t>, depth: usize) -> Result<Call<'t>, Nested> {
        self.position += 1;
        call.function = match self.peek() {
            Some('/') => Function::ReplaceAll,
            Some('#') => Function::ReplacePrefix,
            Some('%') => Function::ReplaceSuffix,
            _ => Function::ReplaceFirst,
        };
        if call.function != Function::ReplaceFirst {
            self.position += 1;
        }
        call.arguments.push(self.argument(Escapes::DollarAndBackslash, |char| char == '/', depth)?);
        if self.take_while(|char| char == '/').is_empty() {
            return Err(ErrorKind::BadSubstitution.into());
        }
        if self.peek() != Some('}') {
            call.arguments.push(self.argument(Escapes::DollarAndBackslash, |char| char == '}', depth)?);
        }
        self.closed(call)
    }
}

fn append<'t>(whole: &mut Cow<'t, str>, piece: &'t str) {
    if whole.is_empty() {
        *whole = Cow::Borrowed(piece);
    } else if !piece.is_empty() {
        whole.to_mut().push_str(piece);
    }
}

/// A failure that may have its place already: that of a substitution further inside.
enum Nested {
    Here(ErrorKind),
    Inside(Failure),
}

impl Nested {
    fn unwrap_or_else(self, place: impl FnOnce(ErrorKind) -> Failure) -> Failure {
        match self {
            Self::Here(kind) => place(kind),
            Self::Inside(failure) => failure,
        }
    }
}

impl From<ErrorKind> for Nested {
    fn from(kind: ErrorKind) -> Self {
        Self::Here(kind)
    }
}

impl From<Failure> for Nested {
    fn from(failure: Failure) -> Self {
        Self::Inside(failure)
    }
}
