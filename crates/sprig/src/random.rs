//! Random texts and numbers, from the caller's [`Sources`].

use std::rc::Rc;

use gotemplate::{CallError, Function, Functions, Type, Value, utf8};

use crate::Sources;
use crate::arguments::{Answer, INT, STRING, int, text};
use crate::encoding::base64;
use crate::limits;

const ALPHANUMERIC: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// How many random bytes are fetched at once.
const BLOCK: usize = 256;

pub(crate) fn register(functions: &mut Functions, sources: &Rc<dyn Sources>) {
    let mut add = |name: &'static str, parameters: &[Type], body: fn(&mut Random<'_>, &[Value]) -> Answer| {
        let sources = Rc::clone(sources);
        let body = move |arguments: &[Value]| body(&mut Random::new(&*sources), arguments);
        functions.insert(name, Function::new(parameters, move |_, arguments| body(arguments)));
    };
    add("randAlphaNum", &[INT], |random, arguments| random.characters(arguments, ALPHANUMERIC));
    add("randAlpha", &[INT], |random, arguments| random.characters(arguments, &ALPHANUMERIC[10..]));
    add("randNumeric", &[INT], |random, arguments| random.characters(arguments, &ALPHANUMERIC[..10]));
    add("randAscii", &[INT], |random, arguments| {
        let printable: Vec<u8> = (b' '..=b'~').collect();
        random.characters(arguments, &printable)
    });
    add("randBytes", &[INT], |random, arguments| {
        let too_many = || CallError::from("runtime error: makeslice: len out of range");
        let count = usize::try_from(int(arguments, 0)?).map_err(|_| too_many())?;
        limits::check_bytes(count)?;
        let mut bytes = vec![0; count];
        random.sources.random(&mut bytes);
        Ok(Value::string(base64(&bytes)))
    });
    add("randInt", &[INT, INT], |random, arguments| {
        let (low, high) = (int(arguments, 0)?, int(arguments, 1)?);
        match high.wrapping_sub(low) {
            range @ 1.. => Ok(Value::int((random.below(range as u64) as i64).wrapping_add(low))),
            _ => Err("invalid argument to Intn".into()),
        }
    });
    add("shuffle", &[STRING], |random, arguments| {
        let mut runes: Vec<char> = utf8::runes(text(arguments, 0)?).map(|(_, rune)| rune.char).collect();
        for last in (1..runes.len()).rev() {
            runes.swap(last, random.below(last as u64 + 1) as usize);
        }
        Ok(Value::from(runes.into_iter().collect::<String>()))
    });
    add("uuidv4", &[], |random, _| {
        let mut bytes = [0; 16];
        random.sources.random(&mut bytes);
        // RFC 9562, section 5.4: the version and the variant.
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hexadecimal = hex::encode(bytes);
        let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|group| &hexadecimal[group]);
        Ok(Value::from(groups.join("-")))
    });
}

/// Numbers from random bytes.
pub(crate) struct Random<'a> {
    sources: &'a dyn Sources,
    block: [u8; BLOCK],
    used: usize,
}

impl<'a> Random<'a> {
    pub(crate) fn new(sources: &'a dyn Sources) -> Self {
        Self { sources, block: [0; BLOCK], used: BLOCK }
    }

    /// A number below a limit that isn't 0, each as likely.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        // What is beyond the last whole multiple of the limit would make small numbers likelier.
        let end = u64::MAX - u64::MAX % limit;
        loop {
            let number = self.number();
            if number < end {
                return number % limit;
            }
        }
    }

    fn number(&mut self) -> u64 {
        if self.used == BLOCK {
            self.sources.random(&mut self.block);
            self.used = 0;
        }
        let bytes = &self.block[self.used..self.used + 8];
        self.used += 8;
        bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// So many characters of an alphabet; a negative count is none.
    fn characters(&mut self, arguments: &[Value], alphabet: &[u8]) -> Answer {
        let count = usize::try_from(int(arguments, 0)?).unwrap_or(0);
        limits::check_bytes(count)?;
        let text: Vec<u8> =
            (0..count).map(|_| alphabet[self.below(alphabet.len() as u64) as usize]).collect();
        Ok(Value::string(text))
    }
}
