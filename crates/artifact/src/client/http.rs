//! The download from `artifact.url`, as Flux's consumers do it.

use std::{sync::Arc, time::Duration};

use http::{StatusCode, header};
use reqwest::{Client, Response, redirect};
use url::Url;

use super::{Error, Options, download::Download};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server may be silent.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn client() -> Result<Client, Error> {
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .redirect(redirect::Policy::limited(3))
        // The digest is of the bytes as they are stored.
        .no_gzip()
        .build()
        .map_err(|error| Error::Setup(Arc::new(error)))
}

/// Why one attempt has failed.
enum Failure {
    Again(Error),
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// Downloads what is still missing, with repetitions.
pub(super) async fn download(
    client: &Client,
    url: &Url,
    options: &Options,
    download: &mut Download,
) -> Result<(), Error> {
    let mut wait = options.min_wait;
    let mut retries = 0;
    loop {
        let error = match attempt(client, url, options, download).await {
            Ok(()) => return Ok(()),
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Again(error)) => error,
        };
        if retries == options.retries {
            return Err(error);
        }
        retries += 1;
        tracing::debug!(error = %error, retries, "download failed, trying again");
        tokio::time::sleep(wait.min(options.max_wait)).await;
        wait = wait.saturating_mul(2);
    }
}

async fn attempt(
    client: &Client,
    url: &Url,
    options: &Options,
    download: &mut Download,
) -> Result<(), Failure> {
    let broken = |error: reqwest::Error| {
        Failure::Again(Error::Http { url: shown(url), source: Arc::new(error.without_url()) })
    };
    let mut request = client.get(url.clone());
    for (name, value) in options.request_headers() {
        request = request.header(name, value);
    }
    if download.received() > 0 {
        request = request.header(header::RANGE, format!("bytes={}-", download.received()));
    }
    let mut response = request.send().await.map_err(broken)?;
    check_status(&response, url, download).await?;
    while let Some(bytes) = response.chunk().await.map_err(broken)? {
        download.take(&bytes).await?;
    }
    Ok(())
}

/// Goes on only if the body is what is missing.
async fn check_status(response: &Response, url: &Url, download: &mut Download) -> Result<(), Failure> {
    let status = response.status();
    let error = || Error::Status { url: shown(url), status: status.to_string() };
    match status {
        StatusCode::OK => Ok(download.restart().await?),
        StatusCode::PARTIAL_CONTENT if starts_at(response, download.received()) => Ok(()),
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
            download.restart().await?;
            Err(Failure::Again(error()))
        }
        StatusCode::NOT_FOUND => Err(Failure::Final(Error::NotFound)),
        StatusCode::TOO_MANY_REQUESTS => Err(Failure::Again(error())),
        StatusCode::NOT_IMPLEMENTED => Err(Failure::Final(error())),
        status if status.is_server_error() => Err(Failure::Again(error())),
        _ => Err(Failure::Final(error())),
    }
}

fn starts_at(response: &Response, offset: u64) -> bool {
    response
        .headers()
        .get(header::CONTENT_RANGE)
        .and_then(|range| range.to_str().ok())
        .is_some_and(|range| range.starts_with(&format!("bytes {offset}-")))
}

/// Returns the URL as it may be shown.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Can't fail for a URL with a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}
