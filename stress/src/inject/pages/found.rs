//! Which pages a walk reads, and which of them can be taken away.

use super::super::sweep::reader;
use super::super::{FRAMES, LOADS};
use crate::mappings::{self, Mapping};
use sigwalk::addr::Addr;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::reader::{Before, Block, Failing};
use sigwalk::walk::Request;
use sigwalk::walkers::Entry;
use sigwalk_embed::Live;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

pub(super) const PAGE: u64 = 4096;

/// A page that a walk reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    /// Its first byte.
    at: u64,
    /// What the first load of it was after.
    kind: &'static str,
    /// What mprotect gives back.
    pub protection: i32,
}

impl Page {
    pub(super) fn pointer(self) -> *mut libc::c_void {
        self.at as *mut libc::c_void
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the page of {} at {:#x} was away", self.kind, self.at)
    }
}

/// The pages that a walk by `entry` reads, and how many more there are that stay:
///
/// * the native stack of the calling thread: `_PyCFrame`s (3.11, 3.12) and entry frames (3.12 to 3.14) are on it, but so is
///   the walk itself;
/// * memory of the program itself (the copies of block readers, tables of the fault handler), and what a signal handler runs
///   on.
pub(super) fn by(
    live: &Live,
    request: &Request<'_>,
    entry: &Entry,
    undisturbed: &[Frame],
) -> Result<(Vec<Page>, u64), String> {
    let read = read_by(live, request, entry);
    let maps = mappings::own().map_err(|error| format!("/proc/self/maps: {error}"))?;
    let here = &raw const read as u64;
    let handlers = mappings::signal_stack();
    let program = std::env::current_exe().ok();
    let stays = |at: u64, mapping: &Mapping| {
        mapping.addresses.contains(&here)
            || (mapping.file.is_some() && mapping.file == program)
            || at < handlers.end && at + PAGE > handlers.start
    };
    let (mut pages, mut excluded) = (Vec::new(), 0);
    for (at, load) in read {
        match maps.iter().find(|mapping| mapping.addresses.contains(&at)) {
            Some(mapping) if !stays(at, mapping) => {
                let kind = kind(live, request, undisturbed, load);
                pages.push(Page { at, kind, protection: mapping.protection });
            }
            _ => excluded += 1,
        }
    }
    Ok((pages, excluded))
}

/// Pages by address, each with its first load.
fn read_by(live: &Live, request: &Request<'_>, entry: &Entry) -> BTreeMap<u64, Addr> {
    let read = RefCell::new(BTreeMap::new());
    let failing = Failing::none().within(LOADS);
    let note = |load: Block| {
        let end = load.at.get().saturating_add(u64::from(load.len.max(1)) - 1);
        for page in load.at.get() / PAGE..=end / PAGE {
            let first = load.at.get().max(page * PAGE);
            read.borrow_mut().entry(page * PAGE).or_insert(Addr::new(first));
        }
        failing.before(load)
    };
    let mut frames = [Frame::default(); FRAMES];
    let mut out = FrameBuf::new(&mut frames);
    (entry.hooked)(&Before::new(reader(live, entry), &note), request, &mut out);
    read.into_inner()
}

/// What is at an address.
fn kind(live: &Live, request: &Request<'_>, frames: &[Frame], at: Addr) -> &'static str {
    let layout = &live.interpreter.layout;
    let within = |start: Addr, size: u64| (start.get()..start.get().saturating_add(size)).contains(&at.get());
    let table = |frame: &Frame| -> Option<Range<u64>> {
        let table = live.word(frame.code.plus(layout.code.linetable))?;
        let size = live.word(Addr::new(table).plus(layout.text.bytes_size))?;
        Some(table..table.saturating_add(u64::from(layout.text.bytes_data) + size))
    };
    if within(request.tstate, u64::from(layout.thread.datastack_chunk) + 16) {
        "a thread state"
    } else if frames.iter().any(|frame| within(frame.frame, u64::from(layout.frame.size))) {
        "a frame"
    } else if frames.iter().any(|frame| within(frame.code, u64::from(layout.code.size))) {
        "a code object"
    } else if frames.iter().filter_map(table).any(|table| table.contains(&at.get())) {
        "a line table"
    } else {
        "a chunk or an entry frame"
    }
}
