//! What the process costs, under the names that Prometheus has for it ("Process metrics" in its guide for client libraries).

use std::sync::atomic::AtomicU64;

use metrics_process::collector::{Metrics, collect};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// Registers what the system says now. What it does not say is left out.
pub(super) fn register(registry: &mut Registry) {
    let registry = registry.sub_registry_with_prefix("process");
    let Metrics {
        cpu_seconds_total,
        open_fds,
        max_fds,
        virtual_memory_bytes,
        virtual_memory_max_bytes,
        resident_memory_bytes,
        start_time_seconds,
        threads,
    } = collect();
    if let Some(seconds) = cpu_seconds_total {
        let counter: Counter<f64, AtomicU64> = Counter::default();
        counter.inc_by(seconds);
        let help = "Total user and system CPU time spent in seconds";
        registry.register_with_unit("cpu", help, Unit::Seconds, counter);
    }
    let mut gauge = |name: &str, help: &str, unit: Option<Unit>, value: Option<u64>| {
        let Some(value) = value else { return };
        let gauge: Gauge = Gauge::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        match unit {
            Some(unit) => registry.register_with_unit(name, help, unit, gauge),
            None => registry.register(name, help, gauge),
        }
    };
    // Where there is no limit, the collector says 0.
    let limit = |value: Option<u64>| value.filter(|limit| *limit > 0);
    let (bytes, seconds) = (|| Some(Unit::Bytes), Some(Unit::Seconds));
    gauge("open_fds", "Number of open file descriptors", None, open_fds);
    gauge(
        "max_fds",
        "Maximum number of open file descriptors",
        None,
        limit(max_fds),
    );
    gauge(
        "virtual_memory",
        "Virtual memory size in bytes",
        bytes(),
        virtual_memory_bytes,
    );
    let most = "Maximum amount of virtual memory available in bytes";
    gauge("virtual_memory_max", most, bytes(), limit(virtual_memory_max_bytes));
    gauge(
        "resident_memory",
        "Resident memory size in bytes",
        bytes(),
        resident_memory_bytes,
    );
    let start = "Start time of the process since unix epoch in seconds";
    gauge("start_time", start, seconds, start_time_seconds);
    gauge("threads", "Number of OS threads in the process", None, threads);
}
