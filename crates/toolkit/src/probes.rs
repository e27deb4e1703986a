//! `/healthz` and `/readyz`.

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves the probes until shutdown.
///
/// Both answer `ok` for as long as the process serves at all, as Flux's do: whether it leads, or the API server
/// answers, is nothing that a restart would mend.
pub(crate) async fn serve(listener: TcpListener, shutdown: CancellationToken) {
    crate::serve::http(listener, router(), shutdown).await;
}

fn router() -> Router {
    Router::new().route("/healthz", get(ok)).route("/readyz", get(ok))
}

async fn ok() -> &'static str {
    "ok"
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::{Request, StatusCode};
    use tower::ServiceExt;

    #[tokio::test]
    async fn both_probes_answer_ok_and_nothing_else_does() {
        for (path, status) in
            [("/healthz", StatusCode::OK), ("/readyz", StatusCode::OK), ("/", StatusCode::NOT_FOUND)]
        {
            let request = Request::get(path).body(Body::empty()).unwrap();
            assert_eq!(super::router().oneshot(request).await.unwrap().status(), status, "{path}");
        }
    }
}
