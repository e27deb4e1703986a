//! OpenTelemetry traces: exported by OTLP when an endpoint is given, carried between processes as W3C headers.

use http::HeaderMap;
use opentelemetry::global;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::tonic_types::transport::ClientTlsConfig;
use opentelemetry_otlp::{WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

/// Traces can't be exported.
#[derive(Debug, thiserror::Error)]
#[error("failed to set up the trace exporter")]
pub struct TraceError(#[source] opentelemetry_otlp::ExporterBuildError);

/// Builds what sends spans to the endpoint in the background. Must be called within a Tokio runtime.
pub(crate) fn exporter(name: &'static str, endpoint: &str) -> Result<SdkTracerProvider, TraceError> {
    let mut exporter = opentelemetry_otlp::SpanExporter::builder().with_tonic().with_endpoint(endpoint);
    if !endpoint.starts_with("http://") {
        // On its own the exporter would trust nobody. Not for plain HTTP: there may be no certificates at all.
        exporter = exporter.with_tls_config(ClientTlsConfig::new().with_enabled_roots());
    }
    let exporter = exporter.build().map_err(TraceError)?;
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(Resource::builder().with_service_name(name).build())
        .build();
    global::set_tracer_provider(provider.clone());
    Ok(provider)
}

/// The layer that turns our spans, but not those of libraries, into traces.
pub(crate) fn layer<S>(name: &'static str, provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let own = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_targets(crate::logging::LIBRARIES.map(|library| (library, LevelFilter::OFF)))
        .with_target("kube_client", LevelFilter::OFF);
    tracing_opentelemetry::layer().with_tracer(provider.tracer(name)).with_filter(own)
}

/// The headers that make a call part of the current trace, by name; none when nothing is traced.
#[must_use]
pub fn headers() -> Vec<(String, String)> {
    struct Pairs(Vec<(String, String)>);
    impl Injector for Pairs {
        fn set(&mut self, key: &str, value: String) {
            if !value.is_empty() {
                self.0.push((key.to_owned(), value));
            }
        }
    }
    let mut pairs = Pairs(Vec::new());
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut pairs);
    pairs.0
}

/// Makes a span, which must not have been entered yet, part of the trace that incoming headers tell of, if any.
pub fn set_parent(span: &Span, headers: &HeaderMap) {
    struct Headers<'a>(&'a HeaderMap);
    impl Extractor for Headers<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            self.0.get(key)?.to_str().ok()
        }

        fn keys(&self) -> Vec<&str> {
            self.0.keys().map(http::HeaderName::as_str).collect()
        }
    }
    let parent = TraceContextPropagator::new().extract(&Headers(headers));
    // Fails when nothing is traced.
    let _ = span.set_parent(parent);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{HeaderMap, HeaderName, HeaderValue};
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing::info_span;
    use tracing_subscriber::layer::SubscriberExt;

    use super::{headers, layer, set_parent};

    #[test]
    fn a_call_stays_in_the_trace_of_its_caller() {
        let provider = SdkTracerProvider::builder().build();
        let subscriber = tracing_subscriber::registry().with(layer("test", &provider));
        tracing::subscriber::with_default(subscriber, || {
            let sent = info_span!("reconcile").in_scope(headers);
            let (name, parent) = &sent[0];
            assert_eq!(name, "traceparent");
            let incoming = HeaderMap::from_iter(
                sent.iter()
                    .map(|(k, v)| (k.parse::<HeaderName>().unwrap(), HeaderValue::try_from(v).unwrap())),
            );
            let served = info_span!("fetch");
            set_parent(&served, &incoming);
            let onward = served.in_scope(headers);
            assert_eq!(onward[0].1[..35], parent[..35], "same trace");
            assert_ne!(onward[0].1[36..], parent[36..], "another span");
        });
    }

    #[tokio::test]
    async fn spans_are_sent_to_the_endpoint() {
        let collector = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", collector.local_addr().unwrap());
        let provider = super::exporter("test-controller", &endpoint).unwrap();
        let subscriber = tracing_subscriber::registry().with(layer("test-controller", &provider));
        tracing::subscriber::with_default(subscriber, || drop(info_span!("reconcile").entered()));
        // It waits for an answer that never comes; the connection is all that is looked for.
        std::thread::spawn(move || provider.force_flush());
        tokio::time::timeout(Duration::from_secs(30), collector.accept()).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn an_endpoint_may_ask_for_tls() {
        // Fails when another test was first.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        for (endpoint, usable) in [
            ("https://collector.example.com:4317", true),
            // As OpenTelemetry reads it, this asks for TLS, too.
            ("collector.example.com:4317", true),
            ("http://", false),
        ] {
            let exporter = super::exporter("test-controller", endpoint);
            assert_eq!(exporter.is_ok(), usable, "{endpoint}");
        }
    }

    #[test]
    fn without_a_trace_there_are_no_headers() {
        assert_eq!(headers(), []);
        set_parent(&info_span!("fetch"), &HeaderMap::new());
    }
}
