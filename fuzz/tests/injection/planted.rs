//! Walkers with a defect each, that the sweep must see.
#![allow(unsafe_code, reason = "one of them reads without any reader")]

use sigwalk::frame::FrameBuf;
use sigwalk::reader::{RawReader, Reader};
use sigwalk::walk::{End, Request, Walk, strict};
use sigwalk::walkers::{Entry, Walker, unregistered};

pub const ALL: [Entry; 3] = [
    unregistered::<Direct>("planted-direct", "one load goes past the reader"),
    unregistered::<Optimist>("planted-optimist", "a load that fails is the end of the chain"),
    unregistered::<Careless>("planted-careless", "a load that fails is a panic"),
];

struct Direct;

impl Walker for Direct {
    fn walk<R: Reader>(reader: &R, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
        let walk = strict::walk(reader, request, out);
        // SAFETY: what is planted: that the process dies of it is what the test waits for.
        let _ = unsafe { RawReader::new() }.u64(request.tstate);
        walk
    }
}

struct Optimist;

impl Walker for Optimist {
    fn walk<R: Reader>(reader: &R, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
        let walk = strict::walk(reader, request, out);
        if walk.fault().is_some() { Walk { end: End::Complete, ..walk } } else { walk }
    }
}

struct Careless;

impl Walker for Careless {
    fn walk<R: Reader>(reader: &R, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Walk {
        reader.u64(request.tstate).expect("it was there");
        strict::walk(reader, request, out)
    }
}
