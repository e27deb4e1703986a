//! `process_*`: what the kernel says about this process.

use std::fs;

use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::{Counter, Gauge, Registry};

/// The series that the `prometheus` crate doesn't have; the others come from its collector.
pub(super) struct ProcessSeries {
    virtual_memory_max: Gauge,
    received: Counter,
    transmitted: Counter,
}

impl ProcessSeries {
    pub(super) fn new(registry: &Registry) -> Self {
        registry.register(Box::new(ProcessCollector::for_self())).expect("every name is used once");
        Self {
            virtual_memory_max: add(
                registry,
                Gauge::new(
                    "process_virtual_memory_max_bytes",
                    "Maximum amount of virtual memory available in bytes.",
                ),
            ),
            received: add(
                registry,
                Counter::new(
                    "process_network_receive_bytes_total",
                    "Number of bytes received by the process over the network.",
                ),
            ),
            transmitted: add(
                registry,
                Counter::new(
                    "process_network_transmit_bytes_total",
                    "Number of bytes sent by the process over the network.",
                ),
            ),
        }
    }

    /// Reads the current values; those that can't be read keep their last.
    pub(super) fn refresh(&self) {
        if let Some(limit) = fs::read_to_string("/proc/self/limits").ok().as_deref().and_then(address_space) {
            self.virtual_memory_max.set(limit);
        }
        let counters = fs::read_to_string("/proc/self/net/netstat").unwrap_or_default();
        for (counter, column) in [(&self.received, "InOctets"), (&self.transmitted, "OutOctets")] {
            if let Some(value) = ip_counter(&counters, column) {
                // The kernel's counters start anew with the network namespace; a counter must not go back.
                counter.inc_by((value - counter.get()).max(0.0));
            }
        }
    }
}

fn add<C: Collector + Clone + 'static>(registry: &Registry, series: prometheus::Result<C>) -> C {
    let series = series.expect("the name is a constant");
    registry.register(Box::new(series.clone())).expect("every name is used once");
    series
}

/// The soft limit of the address space; no limit is 2^64 - 1, as client_golang has it.
fn address_space(limits: &str) -> Option<f64> {
    let value =
        limits.lines().find_map(|l| l.strip_prefix("Max address space"))?.split_whitespace().next()?;
    if value == "unlimited" { Some(18_446_744_073_709_551_615.0) } else { value.parse().ok() }
}

/// A counter of the lines `IpExt: names…` and `IpExt: values…`.
fn ip_counter(netstat: &str, column: &str) -> Option<f64> {
    let mut lines = netstat.lines().filter(|l| l.starts_with("IpExt:"));
    let index = lines.next()?.split_whitespace().position(|name| name == column)?;
    lines.next()?.split_whitespace().nth(index)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{address_space, ip_counter};

    #[test]
    fn limits_and_counters_are_read_from_their_columns() {
        assert_eq!(address_space("Max address space         4096  unlimited  bytes"), Some(4096.0));
        assert_eq!(
            ip_counter("TcpExt: A\nTcpExt: 1\nIpExt: InOctets OutOctets\nIpExt: 7 9\n", "OutOctets"),
            Some(9.0)
        );
        assert_eq!(ip_counter("", "OutOctets"), None);
    }
}
