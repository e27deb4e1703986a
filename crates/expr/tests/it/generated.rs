//! Random expressions over the recorded objects: most are well-typed by chance only, which is the point.

use crate::cases::Case;

/// A small generator of its own, so that a seed means the same for ever.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn of(&mut self, choices: &[&'static str]) -> &'static str {
        choices[self.below(choices.len())]
    }
}

/// The expression of a seed.
pub(crate) fn case(seed: u64) -> Case {
    let mut random = Random::new(seed);
    let compile = random.below(3) == 0;
    let depth = 1 + random.below(4);
    Case { expression: boolean(&mut random, compile, depth), compile }
}

fn boolean(random: &mut Random, compile: bool, depth: usize) -> String {
    let choice = random.below(if depth == 0 { 2 } else { 9 });
    let depth = depth.saturating_sub(1);
    let any = |random: &mut Random| value(random, compile, depth);
    match choice {
        0 => random.of(&["true", "false"]).to_owned(),
        1 => {
            let operator = random.of(&["==", "!=", "<", "<=", ">", ">=", "in"]);
            format!("{} {operator} {}", any(random), any(random))
        }
        2 | 3 => {
            let operator = random.of(&["&&", "||"]);
            format!("({} {operator} {})", boolean(random, compile, depth), boolean(random, compile, depth))
        }
        4 => format!("!({})", boolean(random, compile, depth)),
        5 => {
            let name = random.of(&["all", "exists", "exists_one"]);
            format!("{}.{name}(x, {})", any(random), boolean(random, compile, depth))
        }
        6 => {
            let name = random.of(&["contains", "startsWith", "endsWith", "matches"]);
            format!("{}.{name}({})", any(random), any(random))
        }
        7 => format!("has({}.{})", any(random), random.of(&["name", "phase", "x"])),
        _ => {
            let name = random.of(&["sets.contains", "sets.equivalent", "sets.intersects"]);
            format!("{name}({}, {})", any(random), any(random))
        }
    }
}

fn value(random: &mut Random, compile: bool, depth: usize) -> String {
    if depth == 0 || random.below(3) == 0 {
        return leaf(random, compile);
    }
    let depth = depth - 1;
    let any = |random: &mut Random| value(random, compile, depth);
    match random.below(12) {
        0 => format!("{}.{}", any(random), random.of(&["name", "x", "conditions", "a"])),
        1 => format!("{}[{}]", any(random), any(random)),
        2 => {
            let operator = random.of(&["+", "-", "*", "/", "%"]);
            format!("({} {operator} {})", any(random), any(random))
        }
        3 => format!("{}.?{}.orValue({})", any(random), random.of(&["name", "x"]), any(random)),
        4 => format!("{}.map(x, {})", any(random), any(random)),
        5 => format!("{}.filter(x, {})", any(random), boolean(random, compile, depth)),
        6 => format!("size({})", any(random)),
        7 => {
            let name = random.of(&[
                "string",
                "int",
                "uint",
                "double",
                "type",
                "dyn",
                "bool",
                "bytes",
                "duration",
                "timestamp",
            ]);
            format!("{name}({})", any(random))
        }
        8 => format!("[{}, {}]", any(random), any(random)),
        9 => format!("{{{}: {}}}", any(random), any(random)),
        10 => format!("({} ? {} : {})", boolean(random, compile, depth), any(random), any(random)),
        _ => {
            let call = random.of(&[
                "lowerAscii()",
                "trim()",
                "reverse()",
                "split(',')",
                "substring(1)",
                "charAt(0)",
                "indexOf('a')",
                "lastIndexOf('a', 2)",
                "replace('a', 'b')",
                "join('-')",
                "size()",
                "first()",
                "last()",
                "value()",
                "hasValue()",
                "getHours()",
                "getFullYear()",
                "format([1])",
                "unwrapOpt()",
                "optMap(x, x)",
            ]);
            format!("{}.{call}", any(random))
        }
    }
}

fn leaf(random: &mut Random, compile: bool) -> String {
    const OBJECTS: [&str; 14] = [
        "status",
        "status.conditions",
        "metadata.labels",
        "spec.list",
        "spec.mixed",
        "spec.words",
        "status.phase",
        "spec.replicas",
        "spec.ratio",
        "status.missing",
        "status.nothing",
        "data.n",
        "spec.nested",
        "type",
    ];
    const DEPENDENCY: [&str; 8] = [
        "dep",
        "self",
        "dep.metadata.name",
        "dep.metadata.generation",
        "dep.status.conditions",
        "self.spec.components",
        "dep.missing",
        "dep.metadata",
    ];
    const LITERALS: [&str; 21] = [
        "0",
        "1",
        "-1",
        "2u",
        "1.5",
        "'a'",
        "''",
        "'abc,d'",
        "b'a'",
        "null",
        "true",
        "[]",
        "[1, 2]",
        "['a', 'b']",
        "{}",
        "{'a': 1}",
        "x",
        "duration('90s')",
        "timestamp('2026-01-02T03:04:05Z')",
        "optional.of(1)",
        "optional.none()",
    ];
    let known: &[&str] = if compile { &DEPENDENCY } else { &OBJECTS };
    if random.below(2) == 0 {
        known[random.below(known.len())].to_owned()
    } else {
        random.of(&LITERALS).to_owned()
    }
}
