//! Under which address the store is reached.

use std::num::ParseIntError;

/// Picks the address to advertise: the one that is given, or one that follows from the listening address.
///
/// Of the listening address, an empty host becomes `localhost` and `0.0.0.0` the host name; another host stays.
///
/// Source: `--storage-adv-addr` and `--storage-addr` of the source-controller (spec §4.1).
///
/// # Errors
///
/// Fails if the listening address has no port, or it is needed and the host name is empty.
pub fn advertised_address(
    advertised: Option<&str>,
    listening: &str,
    host_name: impl FnOnce() -> String,
) -> Result<String, InvalidAddress> {
    if let Some(advertised) = advertised.filter(|address| !address.is_empty()) {
        return Ok(advertised.to_owned());
    }
    let invalid = |reason| InvalidAddress { address: listening.into(), reason };
    let (host, port) = listening.rsplit_once(':').ok_or_else(|| invalid(Reason::NoPort))?;
    port.parse::<u16>().map_err(|error| invalid(Reason::Port(error)))?;
    let host = match host {
        "" => "localhost".to_owned(),
        "0.0.0.0" => host_name(),
        host => host.to_owned(),
    };
    if host.is_empty() {
        return Err(invalid(Reason::NoHostName));
    }
    Ok(format!("{host}:{port}"))
}

/// A listening address from which no other follows.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid storage address {address:?}")]
pub struct InvalidAddress {
    address: String,
    #[source]
    reason: Reason,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Reason {
    #[error("missing port in address")]
    NoPort,
    #[error("invalid port")]
    Port(#[source] ParseIntError),
    #[error("0.0.0.0 needs a host name, and there is none")]
    NoHostName,
}

#[cfg(test)]
mod tests {
    use super::advertised_address;

    #[test]
    fn the_address_follows_from_the_listening_one() {
        for (advertised, listening, expected) in [
            (None, ":9090", Some("localhost:9090")),
            (None, "0.0.0.0:9090", Some("pod-1:9090")),
            (None, "10.0.0.1:80", Some("10.0.0.1:80")),
            (None, "[::1]:80", Some("[::1]:80")),
            (Some(""), ":9090", Some("localhost:9090")),
            (
                Some("source-controller.flux-system.svc.cluster.local."),
                ":9090",
                Some("source-controller.flux-system.svc.cluster.local."),
            ),
            (None, "localhost", None),
            (None, "localhost:http", None),
        ] {
            let found = advertised_address(advertised, listening, || "pod-1".into()).ok();
            assert_eq!(found.as_deref(), expected, "{listening}");
        }
    }
}
