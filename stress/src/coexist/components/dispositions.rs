//! Components without a handler: they ignore a signal, or give it its default action back.

use super::FAULTS;
use crate::coexist::component::{Component, Hears, Takes};
use crate::coexist::disposition::Disposition;

/// All.
pub const ALL: &[Component] = &[
    Component {
        name: "sig-ign",
        about: "SIGSEGV and SIGBUS are ignored",
        takes: Takes::Faults,
        install: |_| put(&FAULTS, Disposition::IGNORE),
        hears: Hears::Ignores,
    },
    Component {
        name: "sig-dfl",
        about: "SIGSEGV and SIGBUS get their default action back, as `signal.signal(SIGSEGV, SIG_DFL)` does",
        takes: Takes::Faults,
        install: |_| put(&FAULTS, Disposition::DEFAULT),
        hears: Hears::Nothing,
    },
    Component {
        name: "sampler-ignored",
        about: "the sampler's signal is ignored",
        takes: Takes::Sampling,
        install: |sampling| put(&[sampling], Disposition::IGNORE),
        hears: Hears::Nothing,
    },
    Component {
        name: "sampler-default-pending",
        about: "the sampler's signal gets its default action back while one is pending, as where a profiler stops",
        takes: Takes::Pending,
        install: |sampling| put(&[sampling], Disposition::DEFAULT),
        hears: Hears::Nothing,
    },
];

fn put(signals: &[libc::c_int], disposition: Disposition) -> Result<(), String> {
    signals.iter().for_each(|signal| disposition.put(*signal));
    Ok(())
}
