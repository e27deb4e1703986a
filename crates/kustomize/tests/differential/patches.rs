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
            if !dice.one_in(400) {
                out.push((key.clone(), value.clone()));
            }
        } else if !dice.one_in(3) {
            out.push((key.clone(), change(value, dice, depth + 1)));
        }
    }
    match dice.below(25) {
        0 => {
            let said = if dice.one_in(20) { "other" } else { dice.pick(&["delete", "replace", "merge"]) };
            out.push(("$patch".to_owned(), Value::text(said)));
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
    let plain = items.first().is_none_or(|item| item.as_text().is_some());
    match dice.below(20) {
        0 => out.reverse(),
        1 => out.push(map! {"$patch": dice.pick(&["replace", "delete"])}),
        2 => out.push(map! {"name": dice.pick(&["main", "extra"]), "$patch": "delete"}),
        3 | 4 if !plain => out.push(objects::container(dice.pick(&["extra", "main"]), dice)),
        5 if plain || dice.one_in(8) => out.push(scalars::string(dice)),
        6 if has("containerPort") => return objects::ports("containerPort", dice),
        7 if has("name") => out.insert(0, map! {"name": "first", "value": "x"}),
        _ => {}
    }
    out.into()
}

/// A value inside of another, by its JSON pointer.
#[derive(Clone)]
pub(crate) struct Place<'a> {
    pub(crate) pointer: String,
    pub(crate) value: &'a Value,
}

impl Place<'_> {
    /// Whether builds mostly fail once it has changed: all that says who an object is.
    pub(crate) fn is_identity(&self) -> bool {
        ["/apiVersion", "/kind", "/metadata", "/metadata/name", "/metadata/namespace"]
            .contains(&self.pointer.as_str())
    }
}

/// All values inside of one.
pub(crate) fn places(value: &Value) -> Vec<Place<'_>> {
    let mut out = Vec::new();
    collect(value, "", &mut out);
    out
}

fn collect<'a>(value: &'a Value, path: &str, out: &mut Vec<Place<'a>>) {
    let mut enter = |key: &str, value: &'a Value| {
        let key = key.trim_matches(['"', '\'']).replace('~', "~0").replace('/', "~1");
        let pointer = format!("{path}/{key}");
        collect(value, &pointer, out);
        out.push(Place { pointer, value });
    };
    match value {
        Value::Map(entries) => entries.iter().for_each(|(key, value)| enter(key, value)),
        Value::List(items) => items.iter().enumerate().for_each(|(i, item)| enter(&i.to_string(), item)),
        _ => {}
    }
}

/// A list of operations.
pub(crate) fn json(object: &Value, dice: &mut Dice) -> Value {
    let is_wild = dice.one_in(12);
    // Copies of these would show the original's bookkeeping, which ours keeps elsewhere.
    let shows_bookkeeping = |path: &str| matches!(path, "/metadata" | "/metadata/annotations");
    let mut places = places(object);
    places.retain(|p| !shows_bookkeeping(&p.pointer) && (is_wild || !p.is_identity()));
    let mut operations = Vec::new();
    for _ in 0..dice.between(1, 3) {
        if places.is_empty() {
            break;
        }
        let place = dice.choose(&places).clone();
        operations.push(operation(&place, &places, dice));
        if !is_wild {
            // What comes next must not need what this one may have moved.
            let parent = place.pointer.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned();
            places.retain(|p| !p.pointer.starts_with(&parent));
        }
    }
    operations.into()
}

fn operation(place: &Place<'_>, places: &[Place<'_>], dice: &mut Dice) -> Value {
    let path = place.pointer.clone();
    if dice.one_in(25) {
        return map! {"op": "add", "path": "/metadata/annotations/added", "value": scalars::string(dice)};
    }
    match dice.below(13) {
        0..=3 => map! {"op": "replace", "path": path, "value": value(dice)},
        4..=7 => map! {"op": "add", "path": new(place, dice), "value": value(dice)},
        8 | 9 => map! {"op": "remove", "path": path},
        10 => {
            let to = new(dice.choose(places), dice);
            map! {"op": "copy", "from": path, "path": to}
        }
        11 => {
            let to = new(place, dice);
            if to.starts_with(&format!("{path}/")) {
                return map! {"op": "remove", "path": path};
            }
            map! {"op": "move", "from": path, "path": to}
        }
        _ if dice.one_in(8) => map! {"op": "test", "path": path, "value": value(dice)},
        _ => map! {"op": "test", "path": path, "value": place.value.clone()},
    }
}

/// Where something can be added: in the value or beside it.
fn new(place: &Place<'_>, dice: &mut Dice) -> String {
    let path = &place.pointer;
    match place.value {
        Value::Map(_) if dice.one_in(2) => format!("{path}/{}", dice.pick(&["new", "added~1x", "data"])),
        Value::List(_) if dice.one_in(2) => format!("{path}/{}", dice.pick(&["-", "0"])),
        _ if dice.one_in(40) => format!("{path}/new"),
        _ => beside(path, dice),
    }
}

fn beside(path: &str, dice: &mut Dice) -> String {
    let (parent, last) = path.rsplit_once('/').unwrap_or(("", ""));
    let last = if last.parse::<usize>().is_ok() {
        if dice.one_in(20) { dice.pick(&["-1", "5"]) } else { dice.pick(&["-", "0", last]) }
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
