use kustomize::RemoteError;
use reqwest::{Client, Response};

use super::{FetchError, Options, failed};

/// Fetches a file.
pub(super) async fn load(client: &Client, url: &str, options: &Options) -> Result<Vec<u8>, RemoteError> {
    let loading = load_without_end(client, url, options.max_file);
    let loaded = tokio::time::timeout(options.file_timeout, loading).await;
    loaded.map_err(|_| failed(FetchError::Late(options.file_timeout)))?
}

async fn load_without_end(client: &Client, url: &str, max: u64) -> Result<Vec<u8>, RemoteError> {
    let response = request(client, url).await.map_err(failed)?;
    let status = response.status();
    if !status.is_success() {
        let text = status.canonical_reason().unwrap_or_default();
        return Err(RemoteError::Status(status.as_u16(), text.to_owned()));
    }
    read(response, max).await.map_err(failed)
}

async fn request(client: &Client, url: &str) -> Result<Response, FetchError> {
    client.get(url).send().await.map_err(without_url)
}

async fn read(mut response: Response, max: u64) -> Result<Vec<u8>, FetchError> {
    let mut content = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(without_url)? {
        if (content.len() + chunk.len()) as u64 > max {
            return Err(FetchError::TooLarge(max));
        }
        content.extend_from_slice(&chunk);
    }
    Ok(content)
}

// The query may hold a token.
fn without_url(error: reqwest::Error) -> FetchError {
    FetchError::Request(error.without_url())
}
