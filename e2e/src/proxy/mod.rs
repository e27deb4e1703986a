//! A proxy between a controller and the API server, that misbehaves on demand.
//!
//! It speaks plain HTTP to the controller, passes the caller's token on, and keeps a list of the writes. A
//! [trap](Proxy::trap) stops everything at a certain write, so that the controller can be killed right there; a
//! [fault](Fault) spoils answers for as long as it is set.

mod call;
mod fault;
mod forward;
mod trap;

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use axum::{Router, body::Body, extract::Request, http::Response};
use kube::config::Kubeconfig;
use tokio::sync::{oneshot, watch};

pub use call::Call;
pub use fault::{Fault, Spoil};
pub use trap::Moment;

use crate::{Cluster, User, scratch, serve::Server};
use forward::Upstream;
use trap::Trap;

/// Stands between one user and the API server.
pub struct Proxy {
    state: Arc<State>,
    kubeconfig: PathBuf,
    folder: PathBuf,
    _server: Server,
}

/// One write that came by.
#[derive(Debug, Clone)]
pub struct Write {
    /// What it was about.
    pub call: Call,
    /// When it came.
    pub at: Instant,
    /// What the server answered; `None` if the write never got there, or if the answer is still to come.
    pub code: Option<u16>,
}

struct State {
    upstream: Upstream,
    log: Mutex<Vec<Write>>,
    trap: Mutex<Option<Trap>>,
    fault: Mutex<Option<Fault>>,
    /// Whether requests are held back; they hang up when it turns false.
    held: watch::Sender<bool>,
    /// Counts the times that open answers were cut.
    cuts: watch::Sender<u64>,
}

impl Proxy {
    /// Starts to listen for this user's requests.
    pub async fn start(cluster: &Cluster, user: User) -> Result<Self> {
        let direct = cluster.kubeconfig(user);
        let mut config = Kubeconfig::read_from(&direct).context("failed to read kubeconfig")?;
        let entry = config.clusters.first_mut().and_then(|named| named.cluster.as_mut());
        let entry = entry.context("a kubeconfig names a cluster")?;
        let address = entry.server.take().context("a cluster has an address")?;
        let state = Arc::new(State {
            upstream: Upstream::new(address)?,
            log: Mutex::default(),
            trap: Mutex::default(),
            fault: Mutex::default(),
            held: watch::Sender::new(false),
            cuts: watch::Sender::new(0),
        });
        let server = Server::http(router(&state)).await?;
        entry.server = Some(format!("http://{}", server.host()));
        entry.certificate_authority_data = None;
        let folder = scratch::folder("proxy")?;
        let kubeconfig = folder.join("kubeconfig");
        // JSON is YAML.
        fs::write(&kubeconfig, serde_json::to_vec(&config)?).context("failed to write kubeconfig")?;
        Ok(Self { state, kubeconfig, folder, _server: server })
    }

    /// The kubeconfig file that leads here.
    pub fn kubeconfig(&self) -> PathBuf {
        self.kubeconfig.clone()
    }

    /// The writes since the last call of [`forget`](Self::forget), in the order in which they came.
    pub fn writes(&self) -> Vec<Write> {
        lock(&self.state.log).clone()
    }

    /// Begins a new list of writes.
    pub fn forget(&self) {
        lock(&self.state.log).clear();
    }

    /// Stops everything at the `number`-th write from now on, counted from 1, and tells which one it was.
    ///
    /// From then until [`release`](Self::release) no request is passed on and no answer is given.
    pub fn trap(&self, number: usize, moment: Moment) -> oneshot::Receiver<Call> {
        let (trap, sprung) = Trap::new(number, moment);
        *lock(&self.state.trap) = Some(trap);
        sprung
    }

    /// Takes the trap away; whoever is held back is hung up on.
    pub fn release(&self) {
        *lock(&self.state.trap) = None;
        self.state.held.send_replace(false);
    }

    /// Spoils requests from now on, or no more.
    pub fn fault(&self, fault: Option<Fault>) {
        *lock(&self.state.fault) = fault;
        // Whoever waits in silence is let go.
        self.cut();
    }

    /// Breaks every answer that is under way: mostly the watches.
    pub fn cut(&self) {
        self.state.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Waits until no write came for so long.
    pub async fn quiet(&self, length: Duration, limit: Duration) -> Result<()> {
        let begin = Instant::now();
        crate::wait::until("the writes to end", limit, async || {
            let last = lock(&self.state.log).last().map_or(begin, |write| write.at);
            Ok((last.max(begin).elapsed() > length).then_some(()))
        })
        .await
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        scratch::remove(&self.folder);
    }
}

fn router(state: &Arc<State>) -> Router {
    let state = Arc::clone(state);
    Router::new().fallback(move |request: Request| {
        let state = Arc::clone(&state);
        async move { state.serve(request).await }
    })
}

impl State {
    async fn serve(&self, request: Request) -> Response<Body> {
        let call = Call::of(request.method(), request.uri());
        if *self.held.borrow() {
            return self.hold().await;
        }
        let fault = lock(&self.fault).clone().filter(|fault| fault.meets(&call));
        if let Some(answer) = fault.as_ref().and_then(Fault::instead) {
            return answer;
        }
        if fault.as_ref().is_some_and(Fault::is_silent) {
            return self.silence().await;
        }
        let answer = if call.is_write() {
            self.write(&call, request).await
        } else {
            self.upstream.pass(request).await
        };
        let answer = forward::until_cut(answer, self.cuts.subscribe());
        match fault {
            Some(fault) => fault.spoil(answer),
            None => answer,
        }
    }

    /// Passes a write on, unless it is where the trap is.
    async fn write(&self, call: &Call, request: Request) -> Response<Body> {
        let sprung = lock(&self.trap).as_mut().and_then(Trap::count);
        let entry = {
            let mut log = lock(&self.log);
            log.push(Write { call: call.clone(), at: Instant::now(), code: None });
            log.len() - 1
        };
        if sprung == Some(Moment::Before) {
            return self.spring(call).await;
        }
        let answer = self.upstream.pass_whole(request).await;
        // The list may have been begun anew meanwhile.
        if let Some(write) = lock(&self.log).get_mut(entry) {
            write.code = Some(answer.status().as_u16());
        }
        if sprung == Some(Moment::After) { self.spring(call).await } else { answer }
    }

    async fn spring(&self, call: &Call) -> Response<Body> {
        self.held.send_replace(true);
        if let Some(trap) = lock(&self.trap).take() {
            trap.tell(call);
        }
        self.hold().await
    }

    async fn hold(&self) -> Response<Body> {
        // An error means that the proxy is gone, and this connection with it.
        let _ = self.held.subscribe().wait_for(|held| !*held).await;
        forward::hung_up()
    }

    async fn silence(&self) -> Response<Body> {
        let _ = self.cuts.subscribe().changed().await;
        forward::hung_up()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
