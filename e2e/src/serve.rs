//! Small HTTP servers on free ports of the loopback address.

use std::{
    collections::BTreeSet,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener as StdListener},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{Response, StatusCode},
    serve::Listener,
};
use base64::Engine;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// A server that ends when it is dropped.
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves plain HTTP.
    pub async fn http(router: Router) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("failed to listen")?;
        Self::on(listener, router)
    }

    /// Serves HTTPS with a certificate of its own.
    pub async fn https(router: Router, identity: &Identity) -> Result<Self> {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("failed to listen")?;
        Self::on(TlsListener { tcp, acceptor: identity.acceptor()? }, router)
    }

    /// Takes connections and never says a word.
    pub async fn mute() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("failed to listen")?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((connection, _)) = listener.accept().await {
                open.push(connection);
            }
        });
        Ok(Self { address, task })
    }

    /// `host:port`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    fn on<L>(listener: L, router: Router) -> Result<Self>
    where
        L: Listener<Addr = SocketAddr>,
    {
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            // Serving on a loopback listener doesn't end with an error.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, task })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves the files of a folder, as a file server without listings would.
pub async fn files(root: PathBuf) -> Result<Server> {
    Server::http(Router::new().fallback(file).with_state(Arc::new(root))).await
}

async fn file(State(root): State<Arc<PathBuf>>, request: Request) -> Response<Body> {
    let path = request.uri().path().trim_start_matches('/');
    let answer = if path.split('/').any(|part| part == "..") {
        Err(io::Error::from(io::ErrorKind::NotFound))
    } else {
        tokio::fs::read(root.join(path)).await
    };
    match answer {
        Ok(bytes) => Response::new(Body::from(bytes)),
        Err(_) => status(StatusCode::NOT_FOUND),
    }
}

/// An answer without a body.
pub(crate) fn status(code: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = code;
    response
}

/// A self-signed certificate for the loopback address, and its key.
pub struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Identity {
    /// Makes a new one.
    pub fn new() -> Result<Self> {
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let key = KeyPair::generate().context("failed to make a key")?;
        let certificate = CertificateParams::new(names)?.self_signed(&key).context("failed to sign")?;
        Ok(Self { certificate, key })
    }

    /// The certificate, which is its own authority.
    pub fn certificate_pem(&self) -> String {
        self.certificate.pem()
    }

    /// The key in PEM form.
    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// The certificate as a Secret holds it: base64 of the PEM text.
    pub fn authority(&self) -> String {
        base64::engine::general_purpose::STANDARD.encode(self.certificate_pem())
    }

    fn acceptor(&self) -> Result<TlsAcceptor> {
        let chain = vec![CertificateDer::from(self.certificate.der().to_vec())];
        let key = PrivateKeyDer::Pkcs8(self.key.serialize_der().into());
        let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.tcp).await;
            // A client that doesn't trust us hangs up during the handshake.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

/// Finds a port that nothing listens on and that wasn't handed out before.
pub fn free_port() -> Result<u16> {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).context("failed to find a free port")?;
        let port = listener.local_addr()?.port();
        if given.insert(port) {
            return Ok(port);
        }
    }
}
