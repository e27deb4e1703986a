//! URLs as dictionaries, and the addresses of hosts.

use std::rc::Rc;

use gotemplate::{CallError, Function, Functions, Str, Value};

use crate::Sources;
use crate::arguments::{NIL_DEREFERENCE, STRING, any, dict, map, plain, text};
use crate::random::Random;
use crate::url::Url;

pub(crate) fn register(functions: &mut Functions, sources: &Rc<dyn Sources>) {
    plain(functions, "urlParse", [STRING], |arguments| {
        let url = Url::parse(text(arguments, 0)?).map_err(|error| format!("unable to parse url: {error}"))?;
        let hostname = url.hostname().to_vec();
        let userinfo = url.user.as_ref().map(|user| user.write()).unwrap_or_default();
        Ok(Value::map([
            ("scheme", Value::string(url.scheme)),
            ("host", Value::string(url.host)),
            ("hostname", Value::string(hostname)),
            ("path", Value::string(url.path)),
            ("query", Value::string(url.query)),
            ("opaque", Value::string(url.opaque)),
            ("fragment", Value::string(url.fragment)),
            ("userinfo", Value::string(userinfo)),
        ]))
    });
    plain(functions, "urlJoin", [dict()], |arguments| {
        let parts = any(arguments, 0)?;
        let mut url = Url {
            scheme: part(parts, "scheme")?.to_vec(),
            host: part(parts, "host")?.to_vec(),
            path: part(parts, "path")?.to_vec(),
            query: part(parts, "query")?.to_vec(),
            opaque: part(parts, "opaque")?.to_vec(),
            fragment: part(parts, "fragment")?.to_vec(),
            ..Url::default()
        };
        let userinfo = part(parts, "userinfo")?;
        if !userinfo.is_empty() {
            let with_user = [b"proto://", &userinfo[..], b"@host"].concat();
            let parsed = Url::parse(&with_user)
                .map_err(|error| format!("unable to parse userinfo in dict: {error}"))?;
            url.user = parsed.user;
        }
        Ok(Value::string(url.write()))
    });
    let sources = Rc::clone(sources);
    functions.insert(
        "getHostByName",
        Function::new([STRING], move |_, arguments| {
            let addresses = sources.addresses(&text(arguments, 0)?.to_string_lossy());
            if addresses.is_empty() {
                return Ok(Value::from(""));
            }
            let chosen = Random::new(&*sources).below(addresses.len() as u64) as usize;
            Ok(Value::from(addresses[chosen].as_str()))
        }),
    );
}

/// A part of a URL; empty when the dictionary doesn't have it.
fn part(parts: &Value, key: &str) -> Result<Str, CallError> {
    match map(parts)?.and_then(|map| map.get(key.as_bytes())) {
        None => Ok(Str::default()),
        Some(Value::String(text)) => Ok(text),
        Some(Value::Nil) => Err(NIL_DEREFERENCE.into()),
        Some(other) => {
            let kind = other.kind();
            Err(format!("unable to parse {key} key, must be of type string, but {kind} found").into())
        }
    }
}
