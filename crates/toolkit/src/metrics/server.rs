//! Serves `/metrics`.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Metrics;

/// The content type of Prometheus' text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Serves until shutdown.
pub(crate) async fn serve(listener: TcpListener, metrics: Metrics, shutdown: CancellationToken) {
    let router = Router::new()
        .route("/metrics", get(move || async move { ([(CONTENT_TYPE, TEXT_FORMAT)], metrics.encode()) }));
    crate::serve::http(listener, router, shutdown).await;
}
