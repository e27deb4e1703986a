//! Listening and serving over plain HTTP.

use std::io;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Listens on an address in Go's notation: `:8080` is that port on all interfaces, IPv6 and IPv4.
///
/// # Errors
/// When the address doesn't resolve or can't be bound.
pub async fn listen(address: &str) -> io::Result<TcpListener> {
    let Some(port) = address.strip_prefix(':') else { return TcpListener::bind(address).await };
    match TcpListener::bind(format!("[::]:{port}")).await {
        // Where IPv6 is turned off in the kernel.
        Err(e) if e.kind() != io::ErrorKind::AddrInUse => TcpListener::bind(format!("0.0.0.0:{port}")).await,
        other => other,
    }
}

/// Serves the router until shutdown.
pub async fn http(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    let served = axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::error!(error = &error as &dyn std::error::Error, "problem running server");
    }
}
