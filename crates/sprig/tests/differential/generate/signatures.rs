//! The functions, each with what it takes and gives.

/// What a function takes or gives. `Sep` to `Base32` are texts with a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Bool,
    /// An `int` that may be a size, so it stays small.
    Count,
    /// 0 or 1: beyond the length of a slice Go's answer depends on its capacity.
    Index,
    Int64,
    Float,
    /// Whatever numeric functions take for a number.
    Number,
    List,
    /// A `[]string` or a list of texts.
    Texts,
    Map,
    /// A `map[string]string`, which no parameter takes.
    TextMap,
    Any,
    Time,
    Version,
    Sep,
    Key,
    Pattern,
    Replacement,
    VersionText,
    Constraint,
    Layout,
    Date,
    Zone,
    Duration,
    Url,
    UrlMap,
    Path,
    NumberText,
    Json,
    Base64,
    Base32,
    TypeName,
}

pub(super) struct Signature {
    pub(super) name: &'static str,
    pub(super) takes: Vec<Kind>,
    /// The kinds that repeat at the end, for variadic functions.
    pub(super) repeats: Vec<Kind>,
    pub(super) gives: Kind,
    /// Whether most calls fail.
    pub(super) mostly_fails: bool,
}

/// Name, parameters, those in brackets any number of times, and the result. What depends on time,
/// chance or the order of a map isn't here, nor what makes keys. A `!` marks what mostly fails.
const FUNCTIONS: &str = "
abbrev count text > text
abbrevboth count count text > text
trunc count text > text
trim text > text
upper text > text
lower text > text
title text > text
untitle text > text
substr count count text > text
repeat count text > text
trimall text text > text
trimAll text text > text
trimSuffix text text > text
trimPrefix text text > text
nospace text > text
initials text > text
swapcase text > text
snakecase text > text
camelcase text > text
kebabcase text > text
wrap count text > text
wrapWith count sep text > text
contains text text > bool
hasPrefix text text > bool
hasSuffix text text > bool
quote [any] > text
squote [any] > text
cat [any] > text
indent count text > text
nindent count text > text
replace sep text text > text
plural text text count > text
sha1sum text > text
sha256sum text > text
sha512sum text > text
adler32sum text > text
toString any > text
atoi number-text > int64
int64 number > int64
int number > int64
float64 number > float
seq [count] > text
toDecimal number > int64
split sep text > text-map
splitList sep text > texts
splitn sep count text > text-map
toStrings any > texts
until count > list
untilStep count count count > list
add1 number > int64
add [number] > int64
sub number number > int64
div number number > int64
mod number number > int64
mul number [number] > int64
add1f number > float
addf [number] > float
subf number [number] > float
divf number [number] > float
mulf number [number] > float
biggest number [number] > int64
max number [number] > int64
min number [number] > int64
maxf number [number] > float
minf number [number] > float
ceil number > float
floor number > float
round number count > float
join sep texts > text
sortAlpha texts > texts
default any any > any
empty any > bool
coalesce [any] > any
all [any] > bool
any [any] > bool
compact list > list
mustCompact list > list
fromJson json > any
toJson any > text
toPrettyJson any > text
toRawJson any > text
mustFromJson json > any
mustToJson any > text
mustToPrettyJson any > text
mustToRawJson any > text
ternary any any bool > any
deepCopy any > any
mustDeepCopy any > any
typeOf any > text
typeIs type-name any > bool
typeIsLike type-name any > bool
kindOf any > text
kindIs type-name any > bool
deepEqual any any > bool
base path > text
dir path > text
clean path > text
ext path > text
isAbs path > bool
osBase path > text
osClean path > text
osDir path > text
osExt path > text
osIsAbs path > bool
b64enc text > text
b64dec base64 > text
b32enc text > text
b32dec base32 > text
tuple [any] > list
list [any] > list
dict [key any] > map
get map key > any
set map key text > map
set map key number > map
unset map key > map
hasKey map key > bool
pluck key [map] > list
pick map [key] > map
omit map [key] > map
merge map [map] > map
mergeOverwrite map [map] > map
mustMerge map [map] > map
mustMergeOverwrite map [map] > map
append list any > list
push list any > list
mustAppend list any > list
mustPush list any > list
prepend list any > list
mustPrepend list any > list
first list > any
mustFirst list > any
rest list > list
mustRest list > list
last list > any
mustLast list > any
initial list > list
mustInitial list > list
reverse list > list
mustReverse list > list
uniq list > list
mustUniq list > list
without list [any] > list
mustWithout list [any] > list
has any list > bool
mustHas any list > bool
slice list [index] > list
mustSlice list [index] > list
concat [list] > list
dig key any map > any
dig key key any map > any
chunk count list > list
mustChunk count list > list
semver version-text > version
semverCompare constraint version-text > bool
regexMatch pattern text > bool
mustRegexMatch pattern text > bool
regexFindAll pattern text count > texts
mustRegexFindAll pattern text count > texts
regexFind pattern text > text
mustRegexFind pattern text > text
regexReplaceAll pattern text replacement > text
mustRegexReplaceAll pattern text replacement > text
regexReplaceAllLiteral pattern text text > text
mustRegexReplaceAllLiteral pattern text text > text
regexSplit pattern text count > texts
mustRegexSplit pattern text count > texts
regexQuoteMeta text > text
! decryptAES text base64 > text
! buildCustomCert base64 base64 > any
env text > text
expandenv text > text
! toDate layout date > time
! mustToDate layout date > time
urlParse url > map
urlJoin url-map > text
date layout time > text
date_in_zone layout time zone > text
dateInZone layout time zone > text
htmlDate time > text
htmlDateInZone time zone > text
date_modify duration time > time
dateModify duration time > time
mustDateModify duration time > time
must_date_modify duration time > time
unixEpoch time > text
duration number > text
durationRound duration > text
hello > text
! fail text > text
and any [any] > any
or any [any] > any
not any > bool
len list > count
len map > count
len text-map > count
index text-map key > text
len text > count
index list count > any
index map key > any
print [any] > text
println [any] > text
html [any] > text
js [any] > text
urlquery [any] > text
eq number number > bool
eq text text > bool
! eq any any > bool
ne any any > bool
lt count count > bool
le float float > bool
gt text text > bool
ge int64 count > bool
! lt any any > bool
! index any any > any
! len any > count
! index list count count > any
! slice any index > any
! call any > any
without texts [text] > list
has text texts > bool
concat texts texts > list
uniq texts > list
ternary text text any > text
";

/// All of them, or those of which most calls succeed.
pub(super) fn all(with_failing: bool) -> Vec<Signature> {
    let signatures = FUNCTIONS.lines().filter(|line| !line.is_empty()).map(read);
    signatures.filter(|signature| with_failing || !signature.mostly_fails).collect()
}

fn read(line: &'static str) -> Signature {
    let (line, mostly_fails) = match line.strip_prefix("! ") {
        Some(line) => (line, true),
        None => (line, false),
    };
    let (call, gives) = line.split_once("> ").expect("a function gives something");
    let (call, repeats) = match call.split_once('[') {
        Some((call, repeats)) => (call, repeats.trim_end_matches([' ', ']'])),
        None => (call, ""),
    };
    let mut words = call.split_whitespace();
    let name = words.next().expect("a function has a name");
    let repeats = repeats.split_whitespace().map(kind).collect();
    Signature { name, takes: words.map(kind).collect(), repeats, gives: kind(gives), mostly_fails }
}

fn kind(word: &str) -> Kind {
    match word {
        "text" => Kind::Text,
        "bool" => Kind::Bool,
        "count" => Kind::Count,
        "index" => Kind::Index,
        "int64" => Kind::Int64,
        "float" => Kind::Float,
        "number" => Kind::Number,
        "list" => Kind::List,
        "texts" => Kind::Texts,
        "map" => Kind::Map,
        "text-map" => Kind::TextMap,
        "any" => Kind::Any,
        "time" => Kind::Time,
        "version" => Kind::Version,
        "sep" => Kind::Sep,
        "key" => Kind::Key,
        "replacement" => Kind::Replacement,
        "pattern" => Kind::Pattern,
        "version-text" => Kind::VersionText,
        "constraint" => Kind::Constraint,
        "layout" => Kind::Layout,
        "date" => Kind::Date,
        "zone" => Kind::Zone,
        "duration" => Kind::Duration,
        "url" => Kind::Url,
        "url-map" => Kind::UrlMap,
        "path" => Kind::Path,
        "number-text" => Kind::NumberText,
        "json" => Kind::Json,
        "base64" => Kind::Base64,
        "base32" => Kind::Base32,
        "type-name" => Kind::TypeName,
        _ => unreachable!("{word} isn't a kind"),
    }
}
