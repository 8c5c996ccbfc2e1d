//! One trial, in its own process.
//!
//! # Invariant
//!
//! The process was forked from one with Python, has one thread, and ends here. After we are uninstalled it makes no guarded load.
#![allow(unsafe_code)]

use super::badly::Bad;
use super::component::{Component, Takes};
use super::components::{FAULTS, rust_std};
use super::disposition::Disposition;
use super::reach::reaches;
use super::samplers::Sampler;
use super::scene::{self, BOTTOM, Scene};
use super::shared::{Shared, Stage};
use super::{Order, Plant};
use crate::{forked, hash, timer};
use libc::c_int;
use sigwalk::reader::VmReader;
use sigwalk::signal;
use sigwalk::walkers::Entry;
use sigwalk_embed::Live;
use sigwalk_embed::pyo3::prelude::*;
use sigwalk_embed::pyo3::{Py, PyAny, PyErr};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

/// What a cell's trials have in common.
#[derive(Clone, Copy)]
pub struct Cast {
    /// The other component.
    pub component: &'static Component,
    /// Who comes first.
    pub order: Order,
    /// Who walks.
    pub sampler: &'static Sampler,
    /// Its walker.
    pub walker: &'static Entry,
    /// What is done to it.
    pub plant: Option<Plant>,
}

/// Frames of [`crate::coexist`]'s stack: few and many, so that walks of different lengths meet the bad address.
const DEPTHS: std::ops::Range<u64> = 3..41;

/// Runs the trial in this freshly forked process and ends it.
pub fn run_and_exit(live: &Live, cast: &Cast, down: &Py<PyAny>, seed: u64, shared: &'static Shared) -> ! {
    let code = match run(live, cast, down, seed, shared) {
        Ok(()) => 0,
        Err(why) => {
            shared.page.leave_note(&why);
            shared.page.failed.store(1, Relaxed);
            1
        }
    };
    // SAFETY: ends the process without running destructors: the parent owns the terminal and the files.
    unsafe { libc::_exit(code) }
}

fn run(live: &Live, cast: &Cast, down: &Py<PyAny>, seed: u64, shared: &'static Shared) -> Result<(), String> {
    let kernel = |error: std::io::Error| error.to_string();
    let stderr = prepare()?;
    let scene = Scene {
        live: live.reading(VmReader::own()),
        sampler: cast.sampler,
        walker: cast.walker,
        bad: Bad::draw(hash::mix(seed)).map_err(kernel)?,
        shared,
        seed,
        timer: timer::of_this_thread(cast.sampler.signal).map_err(kernel)?,
        blocked: AtomicBool::new(false),
    }
    .publish();
    shared.enter(Stage::Install);
    let Installed { theirs, sampling_before } = install(cast, scene)?;

    let depth = DEPTHS.start + hash::mix(seed ^ 1) % (DEPTHS.end - DEPTHS.start);
    let returned = Python::attach(|py| -> Result<u64, PyErr> {
        down.bind(py).call1((depth, BOTTOM.object(py)?))?.extract()
    });
    match returned {
        _ if shared.page.failed.load(Relaxed) != 0 => return Ok(()),
        Ok(returned) if returned == depth => {}
        Ok(returned) => return Err(format!("Python returned {returned} from {depth} calls")),
        Err(error) => return Err(format!("Python: {error}")),
    }

    shared.enter(Stage::While);
    let reached = || reaches(cast.component, shared, stderr).map(u32::from).map_err(kernel);
    let while_installed = reached()?;
    shared.enter(Stage::Uninstall);
    // SAFETY: the module's invariant.
    unsafe { signal::uninstall() };
    if Disposition::of(cast.sampler.signal) == scene::disposition() {
        sampling_before.put(cast.sampler.signal);
    }
    shared.restored.store(u32::from(theirs == dispositions(cast)), Relaxed);
    shared.enter(Stage::After);
    shared.reached.store(while_installed + reached()?, Relaxed);
    shared.enter(Stage::Done);
    Ok(())
}

/// A quiet process with the dispositions that the program began with; the file that stderr goes to.
fn prepare() -> Result<c_int, String> {
    // SAFETY: forked by a process with one thread that is attached; plain system calls. No guarded load is made between uninstalling and
    // the trial's own installing.
    unsafe {
        forked::quiet();
        signal::uninstall();
        let file =
            libc::memfd_create(c"sigwalk-stderr".as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING);
        if file < 0 || libc::fcntl(file, libc::F_SETFL, libc::O_APPEND) != 0 || libc::dup2(file, 2) != 2 {
            return Err(format!("a file for stderr: {}", std::io::Error::last_os_error()));
        }
        if rust_std::remembered() != Some(&FAULTS.map(Disposition::of)) {
            return Err("uninstalling did not put back what Rust's runtime had installed".into());
        }
        FAULTS.into_iter().for_each(|signal| Disposition::DEFAULT.put(signal));
        Ok(file)
    }
}

/// What stands after both are installed.
struct Installed {
    /// What the other component left, which is what must be there when we are gone.
    theirs: [Disposition; 3],
    /// What the sampler's signal was before we took it.
    sampling_before: Disposition,
}

/// Installs both, in the cast's order.
fn install(cast: &Cast, scene: &Scene) -> Result<Installed, String> {
    let sampling = cast.sampler.signal;
    let us = || {
        if cast.plant == Some(Plant::Forgets) {
            FAULTS.into_iter().for_each(|signal| Disposition::DEFAULT.put(signal));
        }
        signal::install().map_err(|error| error.to_string())?;
        let before = Disposition::of(sampling);
        scene::disposition().put(sampling);
        Ok::<_, String>(before)
    };
    let pending = || if cast.component.takes == Takes::Pending { scene.make_pending() } else { Ok(()) };
    match cast.order {
        Order::WeFirst => {
            let sampling_before = us()?;
            pending()?;
            (cast.component.install)(sampling)?;
            let theirs = theirs(cast, sampling_before);
            Ok(Installed { theirs, sampling_before })
        }
        Order::TheyFirst => {
            pending()?;
            (cast.component.install)(sampling)?;
            let theirs = dispositions(cast);
            let sampling_before = us()?;
            Ok(Installed { theirs, sampling_before })
        }
    }
}

/// SIGSEGV, SIGBUS and the sampler's signal.
fn dispositions(cast: &Cast) -> [Disposition; 3] {
    [libc::SIGSEGV, libc::SIGBUS, cast.sampler.signal].map(Disposition::of)
}

/// What must be there after we are gone, where they came second: what they took is theirs, the rest is as it was before us.
fn theirs(cast: &Cast, sampling_before: Disposition) -> [Disposition; 3] {
    let now = dispositions(cast);
    match cast.component.takes {
        Takes::Faults => [now[0], now[1], sampling_before],
        Takes::Sampling | Takes::Pending => [Disposition::DEFAULT, Disposition::DEFAULT, now[2]],
    }
}
