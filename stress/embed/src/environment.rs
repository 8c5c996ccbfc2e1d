//! What a record says of the machine and of the suite.
#![allow(unsafe_code)]

use crate::machine;
use sigwalk_record::Environment;
use std::collections::BTreeMap;
use std::ffi::CStr;
use std::{env, thread};

/// Reads the machine as it is now. What cannot be read is `unknown`, or left out of `other`.
#[must_use]
pub fn environment() -> Environment {
    let unknown = || "unknown".to_owned();
    let release = machine::file("/proc/sys/kernel/osrelease").unwrap_or_else(unknown);
    let version = machine::file("/proc/sys/kernel/version").unwrap_or_default();
    Environment {
        cpu: machine::field("/proc/cpuinfo", "model name").unwrap_or_else(unknown),
        cores: thread::available_parallelism()
            .map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX)),
        kernel: format!("{release} {version}").trim_end().to_owned(),
        os: machine::os().unwrap_or_else(unknown),
        libc: libc_version(),
        rustc: env!("SIGWALK_EMBED_RUSTC").to_owned(),
        profile: env!("SIGWALK_EMBED_PROFILE").to_owned(),
        suite_version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: env!("SIGWALK_EMBED_COMMIT").to_owned(),
        load: machine::load().unwrap_or_else(unknown),
        other: other(),
    }
}

/// Version of the C library that this process runs with, which need not be the host's.
fn libc_version() -> String {
    // SAFETY: returns a static NUL-terminated string.
    let version = unsafe { CStr::from_ptr(libc::gnu_get_libc_version()) };
    format!("glibc {}", version.to_string_lossy())
}

/// Settings that change rates or costs.
fn other() -> BTreeMap<String, String> {
    let mut other = BTreeMap::new();
    for (name, value) in [
        ("core_pattern", machine::file("/proc/sys/kernel/core_pattern")),
        ("ptrace_scope", machine::file("/proc/sys/kernel/yama/ptrace_scope")),
        ("aslr", machine::file("/proc/sys/kernel/randomize_va_space")),
        ("seccomp", machine::field("/proc/self/status", "Seccomp")),
        ("governor", machine::file("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
        ("perf_event_paranoid", machine::file("/proc/sys/kernel/perf_event_paranoid")),
        ("transparent_hugepage", machine::file("/sys/kernel/mm/transparent_hugepage/enabled")),
        ("placement", Some(placement())),
        ("hypervisor", machine::hypervisor()),
        ("PYTHON", python_variables()),
    ] {
        if let Some(value) = value {
            other.insert(name.to_owned(), value);
        }
    }
    other
}

/// Whether this process's addresses are the same in every run.
fn placement() -> String {
    // SAFETY: asks; changes nothing.
    let personality = unsafe { libc::personality(0xffff_ffff) };
    let fixed = personality >= 0 && personality & libc::ADDR_NO_RANDOMIZE != 0;
    if fixed { "fixed" } else { "random" }.to_owned()
}

/// Variables that the embedded interpreter reads, with their values.
fn python_variables() -> Option<String> {
    let mut set: Vec<String> = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .filter(|(name, _)| name.starts_with("PYTHON"))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    set.sort();
    (!set.is_empty()).then(|| set.join(" "))
}
