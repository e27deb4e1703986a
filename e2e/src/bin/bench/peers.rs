//! What Flux's controllers needed for the same.

/// Flux's source- and kustomize-controller (2.9 line, `--concurrent=20`) on two cores.
pub(crate) struct Peer {
    number: usize,
    phase: &'static str,
    /// Seconds.
    pub(crate) wall: f64,
    /// Seconds of kustomize- and source-controller together.
    pub(crate) cpu: f64,
    /// Seconds of API server and etcd.
    pub(crate) server: f64,
    /// Requests for each Kustomization.
    pub(crate) requests: f64,
}

const PEERS: [Peer; 5] = [
    Peer { number: 100, phase: "install", wall: 18.0, cpu: 18.3, server: 12.0, requests: 26.0 },
    Peer { number: 100, phase: "upgrade", wall: 25.0, cpu: 29.0, server: 14.0, requests: 19.0 },
    Peer { number: 100, phase: "unchanged", wall: 25.0, cpu: 34.0, server: 13.0, requests: 18.0 },
    Peer { number: 300, phase: "install", wall: 166.0, cpu: 221.0, server: 72.0, requests: 25.0 },
    Peer { number: 300, phase: "upgrade", wall: 181.0, cpu: 247.0, server: 73.0, requests: 18.0 },
];

impl Peer {
    /// The figures for so many Kustomizations, where somebody measured them.
    pub(crate) fn of(number: usize, phase: &str) -> Option<&'static Self> {
        PEERS.iter().find(|peer| peer.number == number && peer.phase == phase)
    }
}
