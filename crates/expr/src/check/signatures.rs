//! The signatures of all functions and operators.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::types::Type;

/// One way to call a function.
#[derive(Debug)]
pub(super) struct Signature {
    pub(super) arguments: Vec<Type>,
    pub(super) result: Type,
}

/// A line for each function: name, then its signatures. The first argument of a method, whose name begins with a
/// dot, is its target. A capital letter is any type, `[A]` a list, `{A:B}` a map, `?A` an optional.
///
/// Source: cel-go, `common/stdlib/standard.go`, `cel/library.go` and `ext`.
const TABLE: &str = "
_+_ int,int>int uint,uint>uint double,double>double string,string>string bytes,bytes>bytes [A],[A]>[A] duration,duration>duration timestamp,duration>timestamp duration,timestamp>timestamp
_-_ int,int>int uint,uint>uint double,double>double duration,duration>duration timestamp,duration>timestamp timestamp,timestamp>duration
_*_ int,int>int uint,uint>uint double,double>double
_/_ int,int>int uint,uint>uint double,double>double
_%_ int,int>int uint,uint>uint
-_ int>int double>double
!_ bool>bool
_==_ A,A>bool
_!=_ A,A>bool
@in A,[A]>bool A,{A:B}>bool
_?_:_ bool,A,A>A
_&&_ bool,bool>bool
_||_ bool,bool>bool
_[_] [A],int>A {A:B},A>B ?[A],int>?A ?{A:B},A>?B
_[?_] [A],int>?A {A:B},A>?B ?[A],int>?A ?{A:B},A>?B
size string>int bytes>int [A]>int {A:B}>int
.size string>int bytes>int [A]>int {A:B}>int
type A>type
dyn A>dyn
bool bool>bool string>bool
bytes bytes>bytes string>bytes
double double>double int>double uint>double string>double
duration duration>duration string>duration
int int>int double>int duration>int string>int timestamp>int uint>int
string string>string bool>string bytes>string double>string duration>string int>string timestamp>string uint>string
timestamp timestamp>timestamp int>timestamp string>timestamp
uint uint>uint double>uint int>uint string>uint
.contains string,string>bool
.endsWith string,string>bool
.startsWith string,string>bool
matches string,string>bool
.matches string,string>bool
.getFullYear timestamp>int timestamp,string>int
.getMonth timestamp>int timestamp,string>int
.getDayOfYear timestamp>int timestamp,string>int
.getDayOfMonth timestamp>int timestamp,string>int
.getDate timestamp>int timestamp,string>int
.getDayOfWeek timestamp>int timestamp,string>int
.getHours timestamp>int timestamp,string>int duration>int
.getMinutes timestamp>int timestamp,string>int duration>int
.getSeconds timestamp>int timestamp,string>int duration>int
.getMilliseconds timestamp>int timestamp,string>int duration>int
.charAt string,int>string
.format string,[dyn]>string
.indexOf string,string>int string,string,int>int
.lastIndexOf string,string>int string,string,int>int
.join [string]>string [string],string>string
.lowerAscii string>string
.upperAscii string>string
.replace string,string,string>string string,string,string,int>string
.reverse string>string
.split string,string>[string] string,string,int>[string]
.substring string,int>string string,int,int>string
.trim string>string
strings.quote string>string
sets.contains [A],[A]>bool
sets.equivalent [A],[A]>bool
sets.intersects [A],[A]>bool
base64.decode string>bytes
base64.encode bytes>string
optional.none >?A
optional.of A>?A
optional.ofNonZeroValue A>?A
optional.unwrap [?A]>[A]
.unwrapOpt [?A]>[A]
.hasValue ?A>bool
.value ?A>A
.or ?A,?A>?A
.orValue ?A,A>A
.first [A]>?A
.last [A]>?A
";

/// Signatures by name.
pub(super) fn of(name: &str) -> Option<&'static [Signature]> {
    static ALL: LazyLock<HashMap<&'static str, Vec<Signature>>> = LazyLock::new(read);
    ALL.get(name).map(Vec::as_slice)
}

/// How many arguments a function takes in any of its ways, its target being one; nothing where it is unknown.
pub(crate) fn arities(name: &str) -> Option<Vec<usize>> {
    let method = of(&format!(".{name}")).unwrap_or_default();
    let found: Vec<usize> = of(name)
        .unwrap_or_default()
        .iter()
        .chain(method)
        .map(|signature| signature.arguments.len())
        .collect();
    (!found.is_empty()).then_some(found)
}

fn read() -> HashMap<&'static str, Vec<Signature>> {
    let mut all: HashMap<_, _> = TABLE
        .lines()
        .filter_map(|line| {
            let (name, signatures) = line.split_once(' ')?;
            Some((name, signatures.split(' ').filter_map(signature).collect()))
        })
        .collect();
    for order in ["_<_", "_<=_", "_>_", "_>=_"] {
        all.insert(order, orders());
    }
    all
}

/// Numbers are ordered across their types, all else within its own.
fn orders() -> Vec<Signature> {
    let numbers = [Type::Int, Type::Uint, Type::Double];
    let pairs = numbers.iter().flat_map(|a| numbers.iter().map(move |b| (a.clone(), b.clone())));
    let others = [Type::Bool, Type::String, Type::Bytes, Type::Timestamp, Type::Duration];
    pairs
        .chain(others.into_iter().map(|of| (of.clone(), of)))
        .map(|(a, b)| Signature { arguments: vec![a, b], result: Type::Bool })
        .collect()
}

fn signature(text: &str) -> Option<Signature> {
    let (arguments, result) = text.rsplit_once('>')?;
    let arguments =
        arguments.split(',').filter(|text| !text.is_empty()).map(read_type).collect::<Option<_>>()?;
    Some(Signature { arguments, result: read_type(result)? })
}

fn read_type(text: &str) -> Option<Type> {
    if let Some(of) = text.strip_prefix('?') {
        return read_type(of).map(Type::optional);
    }
    if let Some(of) = text.strip_prefix('[') {
        return read_type(of.strip_suffix(']')?).map(Type::list);
    }
    if let Some(of) = text.strip_prefix('{') {
        let (key, value) = of.strip_suffix('}')?.split_once(':')?;
        return Some(Type::map(read_type(key)?, read_type(value)?));
    }
    Some(match text {
        "bool" => Type::Bool,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "timestamp" => Type::Timestamp,
        "duration" => Type::Duration,
        "type" => Type::Meta,
        "dyn" => Type::Dyn,
        letter => Type::Parameter(letter.chars().next()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_understood() {
        for line in TABLE.lines().filter(|line| !line.is_empty()) {
            let (name, signatures) = line.split_once(' ').unwrap();
            let read = of(name).unwrap();
            assert_eq!(read.len(), signatures.split(' ').count(), "{line}");
        }
    }
}
