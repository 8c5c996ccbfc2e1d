//! Every store of a walk to memory of the interpreter, also one that writes the same value, and one that is taken back.
//!
//! While a walk is watched, all writable memory of the process is write-protected: objects, the data stack, data of libpython and
//! other libraries, the heap. A store there faults; the handler notes its address, gives the page its right back, and sets the
//! trap flag, so that exactly this instruction is made; the trap takes the right away again. What comparing reference counts
//! before and after a walk cannot show, an object that was taken and given back, is seen like this.
//!
//! Left writable: the stacks, thread-local memory of this thread (errno is compared instead), this program's own statics (places
//! of block readers, counters), data of the C library and of the dynamic linker (their functions are counted instead), and
//! mappings that are shared.
//!
//! # Invariant
//!
//! One thread runs. What is protected was mapped, private and writable when [`Stores`] was made; what was unmapped since is refused
//! by the kernel, which changes nothing. What the handlers write is in statics, which are never protected. Between
//! [`Stores::begin`] and [`Stores::end`] only the walk runs, and the handlers.
#![allow(unsafe_code)]

use super::labels::{Labels, Place};
use super::ledger::{Ledger, Seen};
use crate::mappings::{self, Mapping};
use libc::{c_int, c_void, siginfo_t, ucontext_t};
use sigwalk_embed::places::Places;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

/// Bit of the page fault's error code: it was a write.
const WRITE: i64 = 2;
/// Bit of the flags: trap after the next instruction.
const TRAP: i64 = 0x100;
const PAGE: u64 = 4096;
/// Pages that one instruction may write to.
const PAGES: usize = 8;
/// Stores of one walk that are kept; others are counted.
const KEPT: usize = 8192;

static ARMED: AtomicBool = AtomicBool::new(false);
static STORED: AtomicUsize = AtomicUsize::new(0);
static LOG: [AtomicU64; KEPT] = [const { AtomicU64::new(0) }; KEPT];
static OPEN: [AtomicU64; PAGES] = [const { AtomicU64::new(0) }; PAGES];

/// What is protected, and what is where.
#[derive(Debug)]
pub struct Stores {
    ranges: Vec<(Range<u64>, Place)>,
    places: Option<Places>,
    /// (address, index of [`super::labels::TYPES`]), by address.
    objects: &'static [(u64, u8)],
}

impl Stores {
    /// What this process has mapped now, but for `left`. `objects` are sorted by address.
    ///
    /// # Errors
    /// There is no /proc.
    pub fn new(
        left: &[Range<u64>],
        places: Option<Places>,
        objects: &'static [(u64, u8)],
    ) -> std::io::Result<Stores> {
        let mut ranges = Vec::new();
        let segments = segments();
        let mut before: Option<Mapping> = None;
        for mapping in mappings::own()? {
            let addresses = mapping.addresses.clone();
            // What a module's data has no bytes for in its file (.bss) is anonymous memory behind it.
            let bss = before.filter(|before| before.addresses.end == addresses.start).and_then(|before| {
                let end = segments.iter().find(|segment| segment.contains(&(addresses.start - 1)))?.end;
                let end = end.next_multiple_of(PAGE).clamp(addresses.start, addresses.end);
                Some(Mapping { addresses: addresses.start..end, ..before })
            });
            let bss = bss.filter(|_| mapping.file.is_none() && mapping.name.is_none());
            let behind = bss.as_ref().map_or(addresses.start, |bss| bss.addresses.end)..addresses.end;
            for piece in bss.into_iter().chain([Mapping { addresses: behind, ..mapping.clone() }]) {
                if let Some(place) = place_of(&piece) {
                    ranges.extend(without(piece.addresses, left).into_iter().map(|range| (range, place)));
                }
            }
            before = Some(mapping);
        }
        Ok(Stores { ranges, places, objects })
    }

    /// Stores are seen from now on.
    pub fn begin(&self) {
        STORED.store(0, Relaxed);
        ARMED.store(true, Relaxed);
        self.ranges.iter().for_each(|(range, _)| protect(range, libc::PROT_READ));
    }

    /// No more.
    pub fn end(&self) {
        self.ranges.iter().for_each(|(range, _)| protect(range, libc::PROT_READ | libc::PROT_WRITE));
        ARMED.store(false, Relaxed);
    }

    /// Counts what the walk stored.
    pub fn count(&self, labels: &Labels, ledger: &Ledger, seen: &mut Seen) {
        for stored in LOG.iter().take(STORED.load(Relaxed)) {
            let (label, kind) = self.describe(labels, stored.load(Relaxed));
            ledger.touch(label, 1);
            seen.note(kind);
        }
    }

    fn describe(&self, labels: &Labels, at: u64) -> (usize, super::kind::Kind) {
        // The count is the first field of every object, 8 bytes of which later versions use 4.
        let object = self.objects.partition_point(|(object, _)| *object <= at).checked_sub(1);
        if let Some((object, of)) = object.map(|index| self.objects[index])
            && at < object + 8
        {
            return labels.refcount(of);
        }
        let special = self.places.as_ref().and_then(|places| {
            // The breaker may be a word of the state.
            [(&places.breaker, Place::Breaker), (&places.gil, Place::Gil), (&places.state, Place::State)]
                .into_iter()
                .find_map(|(range, place)| range.contains(&at).then_some(place))
        });
        let place = special
            .or_else(|| self.ranges.iter().find_map(|(range, place)| range.contains(&at).then_some(*place)));
        labels.place(place.unwrap_or(Place::Anonymous))
    }
}

/// The segments of all loaded modules, with what has no bytes in their files.
fn segments() -> Vec<Range<u64>> {
    unsafe extern "C" fn each(info: *mut libc::dl_phdr_info, _: usize, found: *mut c_void) -> c_int {
        // SAFETY: the dynamic linker's own description, and the vector that was passed below.
        unsafe {
            let (info, found) = (&*info, &mut *found.cast::<Vec<Range<u64>>>());
            for index in 0..usize::from(info.dlpi_phnum) {
                let header = &*info.dlpi_phdr.add(index);
                if header.p_type == libc::PT_LOAD {
                    let start = info.dlpi_addr + header.p_vaddr;
                    found.push(start..start + header.p_memsz);
                }
            }
        }
        0
    }
    let mut found: Vec<Range<u64>> = Vec::new();
    // SAFETY: `each` gets the vector, which outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(each), (&raw mut found).cast()) };
    found
}

/// What a mapping is; `None` for one that is not to be protected.
fn place_of(mapping: &Mapping) -> Option<Place> {
    let is_data = mapping.private && mapping.protection == libc::PROT_READ | libc::PROT_WRITE;
    if !is_data {
        return None;
    }
    let name = |path: &std::path::Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    match (&mapping.file, mapping.name.as_deref()) {
        (_, Some("[heap]")) => Some(Place::Heap),
        (None, None) => Some(Place::Anonymous),
        (None, Some(_)) => None,
        (Some(path), _) => match name(path)?.as_str() {
            // The preloaded library's counters are in a memory file.
            name if name.starts_with("libc.so") || name.starts_with("ld-linux") => None,
            name if name.starts_with("memfd:") || Some(path) == std::env::current_exe().ok().as_ref() => None,
            name if name.starts_with("libpython") => Some(Place::Libpython),
            _ => Some(Place::Library),
        },
    }
}

/// A range without some others.
fn without(range: Range<u64>, left: &[Range<u64>]) -> Vec<Range<u64>> {
    left.iter().fold(vec![range], |pieces, left| {
        let cut = |piece: Range<u64>| {
            [piece.start..left.start.min(piece.end), left.end.max(piece.start)..piece.end]
        };
        pieces.into_iter().flat_map(cut).filter(|piece| piece.start < piece.end).collect()
    })
}

fn protect(range: &Range<u64>, rights: c_int) {
    // SAFETY: by the module's invariant the mapping's own rights, or fewer while a walk is watched. Not through the C library,
    // whose functions are counted.
    unsafe { libc::syscall(libc::SYS_mprotect, range.start, range.end - range.start, rights) };
}

/// Whether this fault is a store that is watched; then it is noted, and made when the handler returns.
///
/// # Safety
/// The kernel's siginfo and context of a SIGSEGV.
///
/// # Signal safety
/// One system call.
pub unsafe fn on_fault(info: *mut siginfo_t, context: *mut c_void) -> bool {
    // SAFETY: the caller's.
    let (at, registers) =
        unsafe { ((*info).si_addr() as u64, &mut (*context.cast::<ucontext_t>()).uc_mcontext.gregs) };
    // SEGV_ACCERR (2): the page is there, and does not allow it.
    // SAFETY: as above.
    let refused = unsafe { (*info).si_code } == 2 && registers[libc::REG_ERR as usize] & WRITE != 0;
    if !ARMED.load(Relaxed) || !refused {
        return false;
    }
    let Some(open) = OPEN.iter().find(|open| open.load(Relaxed) == 0) else { return false };
    let page = at & !(PAGE - 1);
    open.store(page, Relaxed);
    protect(&(page..page + PAGE), libc::PROT_READ | libc::PROT_WRITE);
    registers[libc::REG_EFL as usize] |= TRAP;
    if let Some(place) = LOG.get(STORED.load(Relaxed)) {
        place.store(at, Relaxed);
        STORED.fetch_add(1, Relaxed);
    }
    true
}

/// The instruction was made: its pages are protected again.
///
/// # Safety
/// The kernel's context of a SIGTRAP.
///
/// # Signal safety
/// System calls.
pub unsafe fn on_trap(context: *mut c_void) {
    // SAFETY: the caller's.
    let registers = unsafe { &mut (*context.cast::<ucontext_t>()).uc_mcontext.gregs };
    registers[libc::REG_EFL as usize] &= !TRAP;
    for open in &OPEN {
        match open.swap(0, Relaxed) {
            0 => {}
            page => protect(&(page..page + PAGE), libc::PROT_READ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_cut_out() {
        let cut = |left: &[Range<u64>]| -> Vec<(u64, u64)> {
            without(10..100, left).into_iter().map(|range| (range.start, range.end)).collect()
        };
        assert_eq!(cut(&[]), [(10, 100)]);
        assert_eq!(cut(&[20..30, 90..200]), [(10, 20), (30, 90)]);
        assert_eq!(cut(&[0..5, 300..400]), [(10, 100)]);
        assert_eq!(cut(&[0..50, 50..100]), []);
    }
}
