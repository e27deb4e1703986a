use std::time::Duration;

use kustomize::RemoteError;
use reqwest::{Client, Response};

use super::{FetchError, failed};

/// Longest that fetching a file may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Largest file that is fetched, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// Fetches a file.
pub(super) async fn load(client: &Client, url: &str) -> Result<Vec<u8>, RemoteError> {
    let loaded = tokio::time::timeout(TIMEOUT, load_without_end(client, url)).await;
    loaded.map_err(|_| failed(FetchError::Late(TIMEOUT)))?
}

async fn load_without_end(client: &Client, url: &str) -> Result<Vec<u8>, RemoteError> {
    let response = request(client, url).await.map_err(failed)?;
    let status = response.status();
    if !status.is_success() {
        let text = status.canonical_reason().unwrap_or_default();
        return Err(RemoteError::Status(status.as_u16(), text.to_owned()));
    }
    read(response).await.map_err(failed)
}

async fn request(client: &Client, url: &str) -> Result<Response, FetchError> {
    client.get(url).send().await.map_err(without_url)
}

async fn read(mut response: Response) -> Result<Vec<u8>, FetchError> {
    let mut content = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(without_url)? {
        if (content.len() + chunk.len()) as u64 > MAX_FILE {
            return Err(FetchError::TooLarge(MAX_FILE));
        }
        content.extend_from_slice(&chunk);
    }
    Ok(content)
}

// The query may hold a token.
fn without_url(error: reqwest::Error) -> FetchError {
    FetchError::Request(error.without_url())
}
