//! The walkers under study: one row each.
//!
//! A new walker is a type with a [`Walker`] implementation (its policy; [`Policy`] where single checks can be left out), in a
//! file of its own, a way in which it gets its bytes, and one line in [`ALL`]. [`FAMILIES`] are the policies with a choice of
//! checks.

mod families;
mod ways;

pub use families::{FAMILIES, Family, family};

use crate::checks::{Checks, Every};
use crate::frame::FrameBuf;
use crate::reader::{AnyReader, Before, Budgeted, GuardedReader, ImageReader, RawReader, Reader, VmReader};
use crate::walk::{Request, Walk, pr_b1, strict};
use ways::Way;

/// A policy: what is checked, in which order, over any reader.
pub trait Walker {
    /// The walk.
    fn walk<R: Reader>(reader: &R, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk;
}

/// A policy of which single checks can be left out.
pub trait Policy {
    /// The walk, with these of its checks.
    fn walk_by<C: Checks, R: Reader>(
        checks: C,
        reader: &R,
        request: &Request<'_>,
        out: &mut FrameBuf<'_>,
    ) -> Walk;
}

impl<P: Policy> Walker for P {
    #[inline(always)]
    fn walk<R: Reader>(reader: &R, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
        P::walk_by(Every, reader, request, out)
    }
}

/// The PR as proposed: unguarded skip loop, no hop budget.
#[derive(Debug)]
pub struct PrB1;

impl Policy for PrB1 {
    #[inline(always)]
    fn walk_by<C: Checks, R: Reader>(
        checks: C,
        reader: &R,
        request: &Request<'_>,
        out: &mut FrameBuf<'_>,
    ) -> Walk {
        pr_b1::walk_by(checks, reader, request, pr_b1::Skip::AsProposed, out)
    }
}

/// The PR with the review's amendments: guarded skip loop, hop budget.
#[derive(Debug)]
pub struct PrB1Hops;

impl Policy for PrB1Hops {
    #[inline(always)]
    fn walk_by<C: Checks, R: Reader>(
        checks: C,
        reader: &R,
        request: &Request<'_>,
        out: &mut FrameBuf<'_>,
    ) -> Walk {
        pr_b1::walk_by(checks, reader, request, pr_b1::Skip::Guarded(pr_b1::hop_budget(out)), out)
    }
}

/// The strict policy.
#[derive(Debug)]
pub struct Strict;

impl Policy for Strict {
    #[inline(always)]
    fn walk_by<C: Checks, R: Reader>(
        checks: C,
        reader: &R,
        request: &Request<'_>,
        out: &mut FrameBuf<'_>,
    ) -> Walk {
        strict::walk_by(checks, reader, request, out)
    }
}

/// The strict policy over a chain that was collected `COLLECTS` times and found equal.
#[derive(Debug)]
pub struct Collected<const COLLECTS: u32>;

impl<const COLLECTS: u32> Walker for Collected<COLLECTS> {
    #[inline(always)]
    fn walk<R: Reader>(reader: &R, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
        strict::walk_confirmed::<R, COLLECTS>(reader, request, out)
    }
}

/// How a walker reads when it is used for real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Raw loads: a bad one is a crash.
    Raw,
    /// Guarded loads: a bad one is an error.
    Guarded,
    /// Through the kernel: a bad one is an error, whoever owns SIGSEGV.
    Kernel,
    /// As [`Reads::Kernel`], and from another process: whoever runs this walker must do so outside of what it walks.
    Outside,
}

/// The readers a walker can be run over.
#[derive(Clone, Copy, Debug)]
pub struct Readers {
    /// For walkers that read raw.
    pub raw: RawReader,
    /// For walkers that read guarded.
    pub guarded: GuardedReader,
    /// For walkers that read through the kernel: of this process, or, for those outside, of the one they walk. To be made
    /// anew after a fork.
    pub vm: VmReader,
}

/// A registered walker.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Name in campaigns and reports.
    pub name: &'static str,
    /// One line for `stress list`.
    pub about: &'static str,
    /// How [`Entry::live`] reads.
    pub reads: Reads,
    /// Copies whole blocks before it looks at a word of them.
    pub copies: bool,
    /// The walk as the walker makes it.
    pub live: fn(&Readers, &Request<'_>, &mut FrameBuf<'_>) -> Walk,
    /// The same with a budget of loads, and guarded where [`Entry::live`] reads raw: a load that would have crashed is an
    /// error. Nothing takes the place of a reader that fails.
    pub counted: fn(&Readers, u32, &Request<'_>, &mut FrameBuf<'_>) -> Walk,
    /// The same policy over copies that the kernel makes of another process, [`Readers::vm`]'s: for a tracer of a stopped one.
    pub traced: fn(&Readers, &Request<'_>, &mut FrameBuf<'_>) -> Walk,
    /// The same policy over loads each of which is asked for before it is made: it may fail, or the walked process go on
    /// meanwhile. Of a walker that copies blocks, each block is.
    pub hooked: fn(&Before<'_, AnyReader<'_>>, &Request<'_>, &mut FrameBuf<'_>) -> Walk,
    /// The same policy over an image.
    pub image: fn(&Budgeted<ImageReader<'_>>, &Request<'_>, &mut FrameBuf<'_>) -> Walk,
}

macro_rules! entry {
    ($name:literal, $walker:ty, $way:ty, $about:literal) => {
        Entry {
            name: $name,
            about: $about,
            reads: <$way as Way>::READS,
            copies: <$way as Way>::COPIES,
            live: <$way as Way>::live::<$walker>,
            counted: <$way as Way>::counted::<$walker>,
            traced: <ways::Outside as Way>::live::<$walker>,
            hooked: <$way as Way>::hooked::<$walker>,
            image: <$way as Way>::image::<$walker>,
        }
    };
}

/// All walkers.
pub const ALL: &[Entry] = &[
    entry!(
        "pr-b1",
        PrB1,
        ways::Raw,
        "our model of PR 148930, design B1: raw loads, 3.15's checks, no hop budget"
    ),
    entry!("pr-b1-hops", PrB1Hops, ways::Raw, "the same, skip loop guarded by the code check, hop budget"),
    entry!("guarded", Strict, ways::Guarded, "fault-fixup loads, strict policy"),
    entry!("syscall", Strict, ways::Kernel, "process_vm_readv on the own process, in whole blocks; strict"),
    entry!(
        "adaptive",
        Strict,
        ways::Adaptive,
        "guarded while our handler owns SIGSEGV and SIGBUS, else syscall; strict"
    ),
    entry!("remote", Strict, ways::Outside, "process_vm_readv from another process, in whole blocks; strict"),
    entry!(
        "double",
        Collected<2>,
        ways::Guarded,
        "guarded, the chain collected twice and believed when equal"
    ),
    entry!(
        "triple",
        Collected<3>,
        ways::Guarded,
        "guarded, the chain collected three times and believed when all are equal"
    ),
    entry!(
        "chunk-copy",
        Strict,
        ways::Copied,
        "chunks of the data stack copied by guarded loads, then parsed; strict"
    ),
];

/// The walker of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.name == name)
}

/// A walker over guarded loads that is in no registry: for experiments with a policy of one's own.
#[must_use]
pub const fn unregistered<W: Walker>(name: &'static str, about: &'static str) -> Entry {
    Entry {
        name,
        about,
        reads: Reads::Guarded,
        copies: false,
        live: <ways::Guarded as Way>::live::<W>,
        counted: <ways::Guarded as Way>::counted::<W>,
        traced: <ways::Outside as Way>::live::<W>,
        hooked: <ways::Guarded as Way>::hooked::<W>,
        image: <ways::Guarded as Way>::image::<W>,
    }
}
