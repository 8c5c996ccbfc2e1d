//! The ways in which walkers get their bytes. Each serves any policy, for real, with a budget, over an image, and with a
//! hook ahead of each load.

use super::{Readers, Reads, Walker};
use crate::frame::FrameBuf;
use crate::reader::{AnyReader, Before, BlockReader, Budgeted, ByLoads, FaultKind, ImageReader, Source};
use crate::signal::protected;
use crate::walk::{End, Request, Truncated, Walk};

/// See [`super::Entry`], whose fields these are.
pub(super) trait Way {
    const READS: Reads;
    const COPIES: bool = false;

    fn live<W: Walker>(readers: &Readers, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
        Self::counted::<W>(readers, ANY, request, out)
    }

    fn counted<W: Walker>(
        readers: &Readers,
        loads: u32,
        request: &Request<'_>,
        out: &mut FrameBuf<'_>,
    ) -> Walk {
        W::walk(&Budgeted::new(readers.guarded, loads), request, out)
    }

    fn image<W: Walker>(
        reader: &Budgeted<ImageReader<'_>>,
        request: &Request<'_>,
        out: &mut FrameBuf<'_>,
    ) -> Walk {
        match Self::COPIES {
            true => in_blocks::<W>(ByLoads(reader), ANY, request, out),
            false => W::walk(reader, request, out),
        }
    }

    fn hooked<W: Walker>(
        reader: &Before<'_, AnyReader<'_>>,
        request: &Request<'_>,
        out: &mut FrameBuf<'_>,
    ) -> Walk {
        match Self::COPIES {
            true => in_blocks::<W>(reader, ANY, request, out),
            false => W::walk(reader, request, out),
        }
    }
}

/// Walks over copies of whole blocks.
fn in_blocks<W: Walker>(
    source: impl Source,
    loads: u32,
    request: &Request<'_>,
    out: &mut FrameBuf<'_>,
) -> Walk {
    match BlockReader::new(source) {
        Some(reader) => W::walk(&Budgeted::new(reader, loads), request, out),
        None => Walk { end: End::Truncated(Truncated::NoPlace), hops: 0 },
    }
}

/// No bound on loads: that of hops is the walk's own.
const ANY: u32 = u32::MAX;

/// Raw loads.
pub(super) struct Raw;

impl Way for Raw {
    const READS: Reads = Reads::Raw;

    fn live<W: Walker>(readers: &Readers, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
        W::walk(&readers.raw, request, out)
    }
}

/// Guarded loads.
pub(super) struct Guarded;

impl Way for Guarded {
    const READS: Reads = Reads::Guarded;

    fn live<W: Walker>(readers: &Readers, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
        W::walk(&readers.guarded, request, out)
    }
}

/// The kernel copies blocks of the own process. Where it refuses (a seccomp filter), guarded loads take its place for this walk
/// while they are protected; else the walk ends as [`FaultKind::Refused`]. Why it refuses says `VmReader::check`.
pub(super) struct Kernel;

impl Way for Kernel {
    const READS: Reads = Reads::Kernel;
    const COPIES: bool = true;

    fn live<W: Walker>(readers: &Readers, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
        let walk = Self::counted::<W>(readers, ANY, request, out);
        match walk.fault() {
            Some((_, FaultKind::Refused)) if protected() => {
                out.clear();
                W::walk(&readers.guarded, request, out)
            }
            _ => walk,
        }
    }

    fn counted<W: Walker>(
        readers: &Readers,
        loads: u32,
        request: &Request<'_>,
        out: &mut FrameBuf<'_>,
    ) -> Walk {
        in_blocks::<W>(readers.vm, loads, request, out)
    }
}

/// The kernel copies blocks of another process. Nothing can take its place.
pub(super) struct Outside;

impl Way for Outside {
    const READS: Reads = Reads::Outside;
    const COPIES: bool = true;

    fn counted<W: Walker>(
        readers: &Readers,
        loads: u32,
        request: &Request<'_>,
        out: &mut FrameBuf<'_>,
    ) -> Walk {
        Kernel::counted::<W>(readers, loads, request, out)
    }
}

/// Guarded loads while they are protected, else the kernel. The kernel is asked once a walk who handles SIGSEGV and SIGBUS
/// (141 ns each) and whether they are blocked: once a load, the question would cost a hundred times what it protects.
///
/// A component that takes a signal over *during* a walk is noticed by the next one.
pub(super) struct Adaptive;

impl Way for Adaptive {
    const READS: Reads = Reads::Guarded;

    fn live<W: Walker>(readers: &Readers, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
        match protected() {
            true => W::walk(&readers.guarded, request, out),
            // Not the way `syscall` goes: where the kernel refuses, a guarded load would be unprotected.
            false => in_blocks::<W>(readers.vm, ANY, request, out),
        }
    }

    fn counted<W: Walker>(
        readers: &Readers,
        loads: u32,
        request: &Request<'_>,
        out: &mut FrameBuf<'_>,
    ) -> Walk {
        match protected() {
            true => W::walk(&Budgeted::new(readers.guarded, loads), request, out),
            false => in_blocks::<W>(readers.vm, loads, request, out),
        }
    }
}

/// Guarded loads copy whole blocks, which are looked at afterwards: what echion and CPython's own remote sampler do.
pub(super) struct Copied;

impl Way for Copied {
    const READS: Reads = Reads::Guarded;
    const COPIES: bool = true;

    fn counted<W: Walker>(
        readers: &Readers,
        loads: u32,
        request: &Request<'_>,
        out: &mut FrameBuf<'_>,
    ) -> Walk {
        in_blocks::<W>(ByLoads(readers.guarded), loads, request, out)
    }
}
