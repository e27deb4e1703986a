//! Values of every kind under every verb.

use super::basic::{Flags, Integer};
use super::{MAX_NESTING, MAX_OUTPUT};
use crate::strconv::FloatForm;
use crate::types::{IntType, Kind, Type};
use crate::utf8;
use crate::value::{List, Map, Object, Value, is_nil_container};

/// What stands for every address.
const ADDRESS: u64 = 0xc0_0000_0000;

/// Writes one call's text.
pub(super) struct Printer<'a> {
    out: &'a mut Vec<u8>,
    /// The length of the output at which nothing more is written.
    end: usize,
    pub(super) flags: Flags,
    /// Whether an error is being written: then values show their contents, not their `String()`.
    erroring: bool,
    nesting: usize,
}

impl<'a> Printer<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        let end = out.len().saturating_add(MAX_OUTPUT + 1);
        Self { out, end, flags: Flags::default(), erroring: false, nesting: 0 }
    }

    pub(super) fn is_full(&self) -> bool {
        self.out.len() >= self.end
    }

    pub(super) fn push(&mut self, text: &[u8]) {
        let room = self.end.saturating_sub(self.out.len());
        self.out.extend_from_slice(&text[..text.len().min(room)]);
    }

    pub(super) fn push_char(&mut self, char: char) {
        utf8::push(self.out, char);
    }

    pub(super) fn fill(&mut self, byte: u8, count: usize) {
        let len = self.out.len().saturating_add(count).min(self.end.max(self.out.len()));
        self.out.resize(len, byte);
    }

    /// Prints an operand of the call.
    pub(super) fn print_operand(&mut self, value: &Value, verb: char) {
        match (value, verb) {
            (Value::Nil, 'T' | 'v') => self.padded(b"<nil>"),
            (Value::Nil, _) => self.bad_verb(verb, value),
            (_, 'T') => self.text(value.type_of().to_string().as_bytes()),
            (_, 'p') => self.pointer(value, verb),
            (Value::List(list), _) if is_bytes(list) => self.bytes_operand(value, list, verb),
            (Value::List(_) | Value::Map(_) | Value::Object(_), _) if self.has_own_way(value, verb) => {}
            _ => self.print_value(value, verb, 0),
        }
    }

    /// Prints a value inside another, or an operand whose own way of printing was asked for.
    fn print_value(&mut self, value: &Value, verb: char, depth: usize) {
        if depth > 0 && self.has_own_way(value, verb) {
            return;
        }
        match value {
            Value::Nil => self.push(b"<nil>"),
            Value::Bool(flag) if matches!(verb, 't' | 'v') => self.boolean(*flag),
            Value::Bool(_) => self.bad_verb(verb, value),
            Value::Int(number, int) => self.print_integer(*number, *int, value, verb),
            Value::Float(number) => self.print_float(*number, value, verb),
            Value::Complex(real, imaginary) => self.print_complex(*real, *imaginary, value, verb),
            Value::String(text) => self.print_string(text, value, verb),
            Value::List(list) => self.nested(|p| p.print_list(list, value, verb, depth)),
            Value::Map(map) => self.nested(|p| p.print_map(map, value, verb, depth)),
            Value::Object(object) => self.nested(|p| p.print_object(&**object, value, verb, depth)),
        }
    }

    fn nested(&mut self, print: impl FnOnce(&mut Self)) {
        if self.nesting >= MAX_NESTING {
            return self.push(b"<nested too deeply>");
        }
        self.nesting += 1;
        print(self);
        self.nesting -= 1;
    }

    /// Prints a value by its `String()` or `Error()`, if it has one and the verb takes a text.
    fn has_own_way(&mut self, value: &Value, verb: char) -> bool {
        if self.erroring {
            return false;
        }
        if verb == 'w' {
            self.bad_verb(verb, value);
            return true;
        }
        let Value::Object(object) = value else { return false };
        if self.flags.sharp_v || !matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') {
            return false;
        }
        let Some(text) = object.display() else { return false };
        self.print_string(text.as_bytes(), value, verb);
        true
    }

    /// `%!d(string=x)`: the verb doesn't fit the value.
    pub(super) fn bad_verb(&mut self, verb: char, value: &Value) {
        self.push(b"%!");
        self.push_char(verb);
        self.push(b"(");
        if value.is_nil() {
            self.push(b"<nil>");
        } else {
            self.erroring = true;
            self.push(value.type_of().to_string().as_bytes());
            self.push(b"=");
            self.print_operand(value, 'v');
            self.erroring = false;
        }
        self.push(b")");
    }

    fn print_integer(&mut self, number: i128, int: IntType, value: &Value, verb: char) {
        // The value is within its type, so its low 64 bits say all.
        let integer = Integer { bits: number as u64, is_signed: int.is_signed() };
        self.print_bits(integer, value, verb);
    }

    fn print_bits(&mut self, integer: Integer, value: &Value, verb: char) {
        match verb {
            'v' if self.flags.sharp_v && !integer.is_signed => self.hex_number(integer.bits, true),
            'v' | 'd' => self.integer(integer, 10, false, false),
            'b' => self.integer(integer, 2, false, false),
            'o' => self.integer(integer, 8, false, false),
            'O' => self.integer(integer, 8, true, false),
            'x' => self.integer(integer, 16, false, false),
            'X' => self.integer(integer, 16, false, true),
            'c' => self.character(integer.bits),
            'q' => self.quoted_character(integer.bits),
            'U' => self.unicode(integer.bits),
            _ => self.bad_verb(verb, value),
        }
    }

    fn print_float(&mut self, number: f64, value: &Value, verb: char) {
        match float_form(verb) {
            Some((form, upper, precision)) => self.float(number, form, upper, precision),
            None => self.bad_verb(verb, value),
        }
    }

    fn print_complex(&mut self, real: f64, imaginary: f64, value: &Value, verb: char) {
        let Some((form, upper, precision)) = float_form(verb) else { return self.bad_verb(verb, value) };
        self.push(b"(");
        self.float(real, form, upper, precision);
        let plus = std::mem::replace(&mut self.flags.plus, true);
        self.float(imaginary, form, upper, precision);
        self.flags.plus = plus;
        self.push(b"i)");
    }

    fn print_string(&mut self, text: &[u8], value: &Value, verb: char) {
        match verb {
            'v' if self.flags.sharp_v => self.quoted(text),
            'v' | 's' => self.text(text),
            'x' => self.hex_text(text, false),
            'X' => self.hex_text(text, true),
            'q' => self.quoted(text),
            _ => self.bad_verb(verb, value),
        }
    }

    /// A `[]byte` that is an operand itself: its Go syntax isn't that of one inside a container.
    fn bytes_operand(&mut self, value: &Value, list: &List, verb: char) {
        if verb != 'v' || !self.flags.sharp_v {
            return self.print_value(value, verb, 0);
        }
        self.push(b"[]byte");
        self.go_elements(list, |printer, item| {
            if let Value::Int(byte, _) = item {
                printer.hex_number(*byte as u64, true);
            }
        });
    }

    fn print_list(&mut self, list: &List, value: &Value, verb: char, depth: usize) {
        if is_bytes(list) && matches!(verb, 's' | 'q' | 'x' | 'X') {
            let bytes: Vec<u8> = list.borrow().iter().filter_map(as_byte).collect();
            return self.print_string(&bytes, value, verb);
        }
        let is_any = *list.element() == Type::Any;
        if self.flags.sharp_v {
            self.push(value.type_of().to_string().as_bytes());
            return self.go_elements(list, |p, item| p.print_element(item, is_any, verb, depth));
        }
        self.push(b"[");
        for (index, item) in list.to_vec().iter().enumerate() {
            if index > 0 {
                self.push(b" ");
            }
            if self.is_full() {
                return;
            }
            self.print_element(item, is_any, verb, depth);
        }
        self.push(b"]");
    }

    fn go_elements(&mut self, list: &List, mut print: impl FnMut(&mut Self, &Value)) {
        self.push(b"{");
        for (index, item) in list.to_vec().iter().enumerate() {
            if index > 0 {
                self.push(b", ");
            }
            if self.is_full() {
                return;
            }
            print(self, item);
        }
        self.push(b"}");
    }

    /// An element of a container; `is_any` says whether its static type is `interface {}`.
    fn print_element(&mut self, item: &Value, is_any: bool, verb: char, depth: usize) {
        if is_any && item.is_nil() && self.flags.sharp_v {
            return self.push(b"interface {}(nil)");
        }
        self.print_value(item, verb, depth + 1);
    }

    fn print_map(&mut self, map: &Map, value: &Value, verb: char, depth: usize) {
        let is_any = map.element() == Type::Any;
        let go_syntax = self.flags.sharp_v;
        if go_syntax {
            self.push(value.type_of().to_string().as_bytes());
            if map.is_nil() {
                return self.push(b"(nil)");
            }
        }
        self.push(if go_syntax { b"{" } else { b"map[" });
        for (index, (key, item)) in map.to_vec().into_iter().enumerate() {
            if index > 0 {
                self.push(if go_syntax { b", " } else { b" " });
            }
            if self.is_full() {
                return;
            }
            self.print_value(&Value::String(key), verb, depth + 1);
            self.push(b":");
            self.print_element(&item, is_any, verb, depth);
        }
        self.push(if go_syntax { b"}" } else { b"]" });
    }

    fn print_object(&mut self, object: &dyn Object, value: &Value, verb: char, depth: usize) {
        match object.kind() {
            Kind::Struct => self.print_struct(object.type_name(), object, verb, depth),
            Kind::Ptr if depth == 0 => {
                self.push(b"&");
                self.print_pointee(object, verb);
            }
            Kind::Ptr | Kind::Func | Kind::Invalid => self.pointer(value, verb),
            Kind::Slice | Kind::Map if self.flags.sharp_v && is_nil_container(object) => {
                self.push(object.type_name().as_bytes());
                self.push(b"(nil)");
            }
            Kind::Slice | Kind::Map => match object.elements() {
                Some(Value::List(list)) => self.print_list(&list, value, verb, depth),
                Some(Value::Map(map)) => self.print_map(&map, value, verb, depth),
                _ => self.push(b"[]"),
            },
            _ => self.print_scalar(object, value, verb),
        }
    }

    /// The struct that a pointer points to.
    pub(super) fn print_pointee(&mut self, object: &dyn Object, verb: char) {
        let name = object.type_name();
        self.print_struct(name.strip_prefix('*').unwrap_or(name), object, verb, 1);
    }

    fn print_struct(&mut self, type_name: &str, object: &dyn Object, verb: char, depth: usize) {
        let go_syntax = self.flags.sharp_v;
        if go_syntax {
            self.push(type_name.as_bytes());
        }
        self.push(b"{");
        for (index, (name, field)) in object.fields().into_iter().enumerate() {
            if index > 0 {
                self.push(if go_syntax { b", " } else { b" " });
            }
            if go_syntax || self.flags.plus_v {
                self.push(name.as_bytes());
                self.push(b":");
            }
            self.print_element(&field, true, verb, depth);
        }
        self.push(b"}");
    }

    /// An object of a defined scalar type, such as a duration: its JSON is the plain scalar.
    fn print_scalar(&mut self, object: &dyn Object, value: &Value, verb: char) {
        match object.json() {
            Some(Value::Bool(flag)) if matches!(verb, 't' | 'v') => self.boolean(flag),
            Some(Value::Int(number, int)) => self.print_integer(number, int, value, verb),
            Some(Value::Float(number)) => self.print_float(number, value, verb),
            Some(Value::String(text)) => self.print_string(&text, value, verb),
            _ if self.erroring => self.push(format!("?{}?", object.type_name()).as_bytes()),
            _ => self.bad_verb(verb, value),
        }
    }

    fn pointer(&mut self, value: &Value, verb: char) {
        if !matches!(value.kind(), Kind::Func | Kind::Map | Kind::Ptr | Kind::Slice) {
            return self.bad_verb(verb, value);
        }
        match verb {
            'v' if self.flags.sharp_v => {
                self.push(format!("({})(", value.type_of()).as_bytes());
                self.hex_number(ADDRESS, true);
                self.push(b")");
            }
            'v' | 'p' => self.hex_number(ADDRESS, !self.flags.sharp),
            'b' | 'o' | 'd' | 'x' | 'X' => self.print_bits(Integer::unsigned(ADDRESS), value, verb),
            _ => self.bad_verb(verb, value),
        }
    }
}

/// The form, whether letters are upper case, and the precision without one in the flags.
fn float_form(verb: char) -> Option<(FloatForm, bool, Option<usize>)> {
    Some(match verb {
        'v' | 'g' => (FloatForm::General, false, None),
        'G' => (FloatForm::General, true, None),
        'b' => (FloatForm::Binary, false, None),
        'x' => (FloatForm::Hex, false, None),
        'X' => (FloatForm::Hex, true, None),
        'f' | 'F' => (FloatForm::Fixed, false, Some(6)),
        'e' => (FloatForm::Exponent, false, Some(6)),
        'E' => (FloatForm::Exponent, true, Some(6)),
        _ => return None,
    })
}

fn is_bytes(list: &List) -> bool {
    *list.element() == Type::Int(IntType::Uint8)
}

fn as_byte(value: &Value) -> Option<u8> {
    match value {
        Value::Int(byte, _) => u8::try_from(*byte).ok(),
        _ => None,
    }
}
