//! Patches for objects that exist, mostly.

use crate::dice::Dice;
use crate::objects;
use crate::scalars;
use crate::value::{Value, map};

/// Keys that tell list elements and objects apart.
const KEYS: &[&str] =
    &["name", "containerPort", "port", "mountPath", "protocol", "topologyKey", "whenUnsatisfiable", "ip"];

/// Thins an object out and changes some of what is left.
pub(crate) fn strategic(object: &Value, dice: &mut Dice) -> Value {
    let Value::Map(entries) = object else { return object.clone() };
    let mut out = Vec::new();
    for (key, value) in entries {
        match key.as_str() {
            "apiVersion" | "kind" => out.push((key.clone(), value.clone())),
            "metadata" => out.push((key.clone(), metadata(value, dice))),
            _ if dice.one_in(4) => {}
            _ => out.push((key.clone(), change(value, dice, 0))),
        }
    }
    if dice.one_in(25) {
        out.push(("$patch".to_owned(), Value::text(dice.pick(&["delete", "replace", "merge"]))));
    }
    Value::Map(out)
}

fn metadata(value: &Value, dice: &mut Dice) -> Value {
    let keep = |key: &str| key == "name" || key == "namespace";
    let mut entries = match value {
        Value::Map(entries) => entries.iter().filter(|(k, _)| keep(k)).cloned().collect(),
        _ => Vec::new(),
    };
    if dice.one_in(3) {
        let key = dice.pick(&["labels", "annotations"]);
        let value = match dice.below(4) {
            0 => Value::text("null"),
            1 => map! {"app": "null"},
            2 => map! {"app": "patched", "note": "'1'"},
            _ => map! {"new": scalars::string(dice)},
        };
        entries.push((key.to_owned(), value));
    }
    Value::Map(entries)
}

fn change(value: &Value, dice: &mut Dice, depth: usize) -> Value {
    match value {
        Value::Map(entries) => change_map(entries, dice, depth),
        Value::List(items) => change_list(items, dice, depth),
        _ if dice.one_in(3) => match dice.below(4) {
            0 => Value::text("null"),
            1 => scalars::any(dice),
            _ => Value::text(scalars::word(dice)),
        },
        scalar => scalar.clone(),
    }
}

fn change_map(entries: &[(String, Value)], dice: &mut Dice, depth: usize) -> Value {
    let mut out: Vec<(String, Value)> = Vec::new();
    for (key, value) in entries {
        if KEYS.contains(&key.as_str()) {
            if !dice.one_in(200) {
                out.push((key.clone(), value.clone()));
            }
        } else if !dice.one_in(3) {
            out.push((key.clone(), change(value, dice, depth + 1)));
        }
    }
    match dice.below(25) {
        0 => {
            out.push(("$patch".to_owned(), Value::text(dice.pick(&["delete", "replace", "merge", "other"]))))
        }
        1 | 2 => out.push(("added".to_owned(), objects::tree(dice, 1))),
        3 => out.clear(),
        _ => {}
    }
    Value::Map(out)
}

fn change_list(items: &[Value], dice: &mut Dice, depth: usize) -> Value {
    let mut out = Vec::new();
    for item in items {
        if !dice.one_in(3) {
            out.push(change(item, dice, depth + 1));
        }
    }
    // Elements without their key are merged in an order of the original's that isn't ours yet.
    let has =
        |key: &str| items.first().is_some_and(|item| item.get(key).is_some() && item.get("port").is_none());
    match dice.below(20) {
        0 => out.reverse(),
        1 => out.push(map! {"$patch": dice.pick(&["replace", "delete"])}),
        2 => out.push(map! {"name": dice.pick(&["main", "extra"]), "$patch": "delete"}),
        3 | 4 => out.push(objects::container(dice.pick(&["extra", "main"]), dice)),
        5 => out.push(scalars::string(dice)),
        6 if has("containerPort") => return objects::ports("containerPort", dice),
        7 if has("name") => out.insert(0, map! {"name": "first", "value": "x"}),
        _ => {}
    }
    out.into()
}

/// All JSON pointers into a value.
pub(crate) fn pointers(value: &Value) -> Vec<String> {
    let mut out = Vec::new();
    collect(value, "", &mut out);
    out
}

fn collect(value: &Value, path: &str, out: &mut Vec<String>) {
    let mut enter = |key: &str, value: &Value| {
        let path = format!("{path}/{}", key.trim_matches(['"', '\'']).replace('~', "~0").replace('/', "~1"));
        collect(value, &path, out);
        out.push(path);
    };
    match value {
        Value::Map(entries) => entries.iter().for_each(|(key, value)| enter(key, value)),
        Value::List(items) => items.iter().enumerate().for_each(|(i, item)| enter(&i.to_string(), item)),
        _ => {}
    }
}

/// A list of operations.
pub(crate) fn json(object: &Value, dice: &mut Dice) -> Value {
    let pointers = pointers(object);
    let count = dice.between(1, 3);
    (0..count).map(|_| operation(&pointers, dice)).collect::<Vec<_>>().into()
}

fn operation(pointers: &[String], dice: &mut Dice) -> Value {
    // Copies of these would show the original's bookkeeping, which ours keeps elsewhere.
    let shows_bookkeeping = |path: &String| matches!(path.as_str(), "/metadata" | "/metadata/annotations");
    let pointers: Vec<String> = pointers.iter().filter(|path| !shows_bookkeeping(path)).cloned().collect();
    let pointers = pointers.as_slice();
    let path: String = dice.choose(pointers).clone();
    let new = if dice.one_in(3) { format!("{path}/new") } else { new_beside(&path, dice) };
    match dice.below(12) {
        0..=3 => map! {"op": "replace", "path": path, "value": value(dice)},
        4..=6 => map! {"op": "add", "path": new, "value": value(dice)},
        7 | 8 => map! {"op": "remove", "path": path},
        9 => map! {"op": "copy", "from": path, "path": elsewhere(pointers, dice)},
        10 => map! {"op": "move", "from": path, "path": new},
        _ => map! {"op": "test", "path": path, "value": value(dice)},
    }
}

fn elsewhere(pointers: &[String], dice: &mut Dice) -> String {
    let path: &String = dice.choose(pointers);
    new_beside(path, dice)
}

fn new_beside(path: &str, dice: &mut Dice) -> String {
    let (parent, last) = path.rsplit_once('/').unwrap_or(("", ""));
    let last = if last.parse::<usize>().is_ok() {
        dice.pick(&["-", "0", "1", "-1", "5"])
    } else {
        dice.pick(&["new", "added~1x", "data"])
    };
    format!("{parent}/{last}")
}

fn value(dice: &mut Dice) -> Value {
    match dice.below(4) {
        0 => objects::tree(dice, 2),
        1 => Value::text(dice.pick(&["1", "true", "null", "1.5", "\"1\"", "9007199254740993", "1e3"])),
        _ => scalars::string(dice),
    }
}
