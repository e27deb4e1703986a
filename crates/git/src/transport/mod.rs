//! One conversation with a server: who are you, which references, this commit please.

mod client;
mod http;
mod pack;

use std::rc::Rc;

use gix::{
    ObjectId,
    protocol::{Handshake, LsRefsCommand, handshake::Ref, ls_refs::RefPrefixes},
};
use gix_transport::{Protocol, Service, client::blocking_io::http::Transport};
use url::Url;

use crate::{
    credentials::{Credentials, shown},
    error::{Cause, Error, protocol},
    options::{Clock, Limits, Options},
};
use client::Client;
use http::Backend;

pub(crate) use pack::History;

/// A server after the handshake.
pub(crate) struct Connection {
    client: Rc<Client>,
    transport: Transport<Backend>,
    handshake: Handshake,
    clock: Clock,
    limits: Limits,
}

/// A reference of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteRef {
    pub(crate) name: String,
    /// What the reference holds: a commit or an annotated tag.
    pub(crate) object: ObjectId,
    /// What is left after following tags.
    pub(crate) peeled: ObjectId,
}

const AGENT: &str = concat!("git/ferrite-", env!("CARGO_PKG_VERSION"));

/// Says hello to the server. The outer error is about what was given, the inner one about the wire.
pub(crate) fn connect(
    url: &Url,
    credentials: &Credentials,
    options: &Options,
    clock: Clock,
) -> Result<Result<Connection, Cause>, Error> {
    let client = Rc::new(Client::new(url, credentials, clock.clone())?);
    Ok(shake_hands(url, client, options, clock))
}

fn shake_hands(url: &Url, client: Rc<Client>, options: &Options, clock: Clock) -> Result<Connection, Cause> {
    client.limit_replies(options.limits.references);
    let address = gix::url::parse(shown(url)).map_err(|error| Cause::Protocol(error.to_string()))?;
    let backend = Backend::new(Rc::clone(&client));
    let mut transport = Transport::new_http(backend, address, Protocol::V2, false);
    let handshake = gix::protocol::handshake(
        &mut transport,
        Service::UploadPack,
        // Credentials are the client's business; being asked for them here means they were refused.
        |_| Ok(None),
        Vec::new(),
        &mut gix::progress::Discard,
    );
    let handshake = handshake.map_err(|error| client.failure().unwrap_or_else(|| protocol(&error)))?;
    refuse_sha256(&handshake)?;
    Ok(Connection { client, transport, handshake, clock, limits: options.limits })
}

fn refuse_sha256(handshake: &Handshake) -> Result<(), Cause> {
    let format = handshake.capabilities.capability("object-format");
    match format.and_then(|format| format.value().map(ToString::to_string)) {
        Some(name) if name != "sha1" => {
            Err(Cause::Protocol(format!("object format {name} is not supported")))
        }
        _ => Ok(()),
    }
}

impl Connection {
    /// Lists the references that begin with one of the prefixes, or all when there is none.
    pub(crate) fn references(&mut self, prefixes: &[&str]) -> Result<Vec<RemoteRef>, Cause> {
        // Older protocols sent all references with the handshake.
        let refs = match &self.handshake.refs {
            Some(refs) => refs.clone(),
            None => self.list(prefixes)?,
        };
        Ok(refs
            .into_iter()
            .filter_map(remote_ref)
            .filter(|found| {
                prefixes.is_empty() || prefixes.iter().any(|prefix| found.name.starts_with(prefix))
            })
            .collect())
    }

    fn list(&mut self, prefixes: &[&str]) -> Result<Vec<Ref>, Cause> {
        self.client.limit_replies(self.limits.references);
        let wanted = (!prefixes.is_empty()).then(|| {
            let mut wanted = RefPrefixes::new();
            wanted.extend(prefixes.iter().map(|&prefix| prefix.into()));
            wanted
        });
        LsRefsCommand::new(wanted, &self.handshake.capabilities, ("agent", Some(AGENT.into())))
            .invoke_blocking(&mut self.transport, &mut gix::progress::Discard, false)
            .map_err(|error| self.client.failure().unwrap_or_else(|| protocol(&error)))
    }
}

fn remote_ref(found: Ref) -> Option<RemoteRef> {
    let (name, object, peeled) = match found {
        Ref::Peeled { full_ref_name, tag, object } => (full_ref_name, tag, object),
        Ref::Direct { full_ref_name, object } => (full_ref_name, object, object),
        Ref::Symbolic { full_ref_name, tag, object, .. } => (full_ref_name, tag.unwrap_or(object), object),
        Ref::Unborn { .. } => return None,
    };
    // A name that isn't text can't be asked for.
    let name = String::from_utf8(name.into()).ok()?;
    Some(RemoteRef { name, object, peeled })
}
