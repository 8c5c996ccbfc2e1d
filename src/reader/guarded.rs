//! Guarded loads: each load instruction has an entry in an exception table; our SIGSEGV and SIGBUS handler
//! ([`crate::signal`]) looks the faulting program counter up and continues at the entry's fixup.
//!
//! The idea is that of HotSpot's SafeFetch and of the kernel's copy_from_user. What is ours:
//!
//! * **A load is one instruction on the hot path.** The fixup leaves a sentinel in the destination register; only a value
//!   equal to the sentinel is looked at again, by a second, *confirming* load that reports the fault in a second
//!   register. A word that really holds the sentinel costs one more load. A page that appears between the two loads is
//!   a successful load. Where a check follows that the sentinel cannot pass ([`Reader::u64_or_poison`]), even the
//!   comparison is saved.
//! * **No state.** Nothing is set before a load and nothing is reset after it, so loads nest in any handler, on any
//!   thread, with any other handler's faults in between, as long as SIGSEGV and SIGBUS are not blocked there: the kernel
//!   kills a process whose blocked fault comes due, whatever is installed. There is no `sigsetjmp` (whose second return must not cross Rust
//!   frames) and no thread-local (whose first touch may allocate: .NET #3661).
//!
//! # Invariant
//!
//! A `GuardedReader` exists only after [`crate::signal::install`] succeeded, and every load below stands in the section
//! `sigwalk_extable` together with its fixup. If another component has taken SIGSEGV over since, a bad load goes to *its*
//! handler: ownership can be asked for with [`crate::signal::owner`], and is not asked once a load (141 ns each).
#![allow(unsafe_code)]

use super::raw::touch;
use super::{Fault, FaultKind, POISON, Reader, WIDE_POISON};
use crate::addr::Addr;
use crate::cpu::Avx2;
use crate::signal::Installed;
use core::arch::asm;
use core::arch::x86_64::__m128i;

/// Loads that survive a bad address.
#[derive(Clone, Copy, Debug)]
pub struct GuardedReader(Installed);

impl GuardedReader {
    /// A reader of the own process; `installed` is the proof that the fault handler is in place.
    #[must_use]
    pub const fn new(installed: Installed) -> Self {
        GuardedReader(installed)
    }
}

/// One row of the exception table. Offsets are relative to the field itself, so that the table needs no relocation.
#[repr(C)]
struct Row {
    /// The load instruction.
    load: i32,
    /// Where to go on when it faults.
    fixup: i32,
    /// Not 0: the handler leaves the signal number in rdx.
    wants_signal: u32,
}

/// Keeps the section, and with it `__start_` and `__stop_`, in programs that link no guarded load. A row of zeroes names
/// its own address as the load, where no instruction ever is.
#[used]
#[unsafe(link_section = "sigwalk_extable")]
static EMPTY: Row = Row { load: 0, fixup: 0, wants_signal: 0 };

unsafe extern "C" {
    #[link_name = "__start_sigwalk_extable"]
    static TABLE_START: [Row; 0];
    #[link_name = "__stop_sigwalk_extable"]
    static TABLE_STOP: [Row; 0];
}

/// Where the handler must go on after a fault at `pc`, and whether it must leave the signal number in rdx.
///
/// A linear scan: it runs once a fault, beside about 1.5 µs of signal delivery, and the table has some hundred rows.
///
/// # Signal safety
/// Reads a constant table.
pub(crate) fn fixup_for(pc: u64) -> Option<(u64, bool)> {
    // SAFETY: the linker places all rows, which are plain integers, between the two symbols; both have the section's
    // alignment, and the distance is a multiple of the row size because nothing else is put into the section.
    let rows = unsafe {
        let start = &raw const TABLE_START;
        // Numbers, not pointers: to Rust the two symbols are different objects.
        let bytes = (&raw const TABLE_STOP as usize) - (start as usize);
        core::slice::from_raw_parts(start.cast::<Row>(), bytes / size_of::<Row>())
    };
    rows.iter().find_map(|row| {
        let at = |field: &i32| (&raw const *field as u64).wrapping_add_signed(i64::from(*field));
        (at(&row.load) == pc).then(|| (at(&row.fixup), row.wants_signal != 0))
    })
}

/// What a fixup leaves in the destination register.
const SENTINEL: i64 = POISON as i64;

/// One load with its row in the table. `$address` is how the instruction spells it.
macro_rules! fixup_load {
    ($instruction:literal, $size:literal, $pointer:literal, $address:literal, $($register:ident = $bits:expr),+) => {{
        let value: u64;
        // SAFETY: the load stands in the exception table, and by the module's invariant the handler that reads the table
        // was installed. It writes nothing but its output register.
        unsafe {
            asm!(
                concat!("2: ", $instruction, " {value", $size, "}, ", $pointer, " ptr ", $address),
                "3:",
                ".pushsection .text.sigwalk_fixup, \"ax\", @progbits",
                "4: mov {value}, {sentinel}",
                "jmp 3b",
                ".popsection",
                ".pushsection sigwalk_extable, \"aR\", @progbits",
                ".balign 4",
                ".long 2b - .",
                ".long 4b - .",
                ".long 0",
                ".popsection",
                $($register = in(reg) $bits,)+
                value = lateout(reg) value,
                sentinel = const SENTINEL,
                options(nostack, preserves_flags, readonly),
            );
        }
        value
    }};
}

macro_rules! load {
    ($name:ident, $at_name:ident, $poison_name:ident, $confirm:ident, $type:ty, $instruction:literal, $size:literal, $pointer:literal) => {
        #[inline(always)]
        fn $name(&self, at: Addr) -> Result<$type, Fault> {
            const { super::has_no_niche::<$type>() };
            let value = fixup_load!($instruction, $size, $pointer, "[{at}]", at = at.get()) as $type;
            if value == SENTINEL as $type { $confirm(at) } else { Ok(value) }
        }

        #[inline(always)]
        fn $at_name(&self, base: Addr, offset: u32) -> Result<$type, Fault> {
            let value = fixup_load!(
                $instruction,
                $size,
                $pointer,
                "[{base} + {offset}]",
                base = base.get(),
                offset = u64::from(offset)
            ) as $type;
            if value == SENTINEL as $type { $confirm(base.plus(offset)) } else { Ok(value) }
        }

        #[inline(always)]
        fn $poison_name(&self, base: Addr, offset: u32) -> $type {
            fixup_load!(
                $instruction,
                $size,
                $pointer,
                "[{base} + {offset}]",
                base = base.get(),
                offset = u64::from(offset)
            ) as $type
        }
    };
}

macro_rules! confirm {
    ($name:ident, $type:ty, $instruction:literal, $size:literal, $pointer:literal) => {
        #[cold]
        #[inline(never)]
        fn $name(at: Addr) -> Result<$type, Fault> {
            let value: u64;
            let signal: u64;
            // SAFETY: as above; this row asks the handler to leave the signal number in rdx, which is an output.
            unsafe {
                asm!(
                    "xor edx, edx",
                    concat!("2: ", $instruction, " {value", $size, "}, ", $pointer, " ptr [{at}]"),
                    "3:",
                    ".pushsection sigwalk_extable, \"aR\", @progbits",
                    ".balign 4",
                    ".long 2b - .",
                    ".long 3b - .",
                    ".long 1",
                    ".popsection",
                    at = in(reg) at.get(),
                    value = out(reg) value,
                    out("rdx") signal,
                    options(nostack, readonly),
                );
            }
            match signal as i32 {
                0 => Ok(value as $type),
                libc::SIGBUS => Err(Fault { at, kind: FaultKind::Bus }),
                _ => Err(Fault { at, kind: FaultKind::Unmapped }),
            }
        }
    };
}

confirm!(confirm_u64, u64, "mov", "", "qword");
confirm!(confirm_u32, u32, "mov", ":e", "dword");
confirm!(confirm_u8, u8, "movzx", ":e", "byte");

impl Reader for GuardedReader {
    load!(u64, u64_at, u64_or_poison, confirm_u64, u64, "mov", "", "qword");
    load!(u32, u32_at, u32_or_poison, confirm_u32, u32, "mov", ":e", "dword");
    load!(u8, u8_at, u8_or_poison, confirm_u8, u8, "movzx", ":e", "byte");

    #[inline(always)]
    fn touch(&self, at: Addr) {
        touch(at);
    }

    /// Two instructions of 16 bytes, with one fixup: a register of 32 bytes is no operand in a function that every x86-64
    /// can run, and the compiler joins the halves where it may (one `vinserti128`).
    #[inline(always)]
    fn u256_or_poison(&self, _: Avx2, base: Addr, offset: u32) -> [u64; 4] {
        static POISONED: [u64; 2] = [WIDE_POISON; 2];
        let low: __m128i;
        let high: __m128i;
        // SAFETY: as in `fixup_load`, with a row for each of the two instructions; the fixup reads a constant of ours. The
        // instructions are AVX's (those of SSE wait for the upper halves of their registers), which AVX2 contains.
        unsafe {
            asm!(
                "2: vmovdqu {low}, xmmword ptr [{base} + {offset}]",
                "3: vmovdqu {high}, xmmword ptr [{base} + {offset} + 16]",
                "5:",
                ".pushsection .text.sigwalk_fixup, \"ax\", @progbits",
                "4: vmovdqu {low}, xmmword ptr [rip + {poisoned}]",
                "vmovdqa {high}, {low}",
                "jmp 5b",
                ".popsection",
                ".pushsection sigwalk_extable, \"aR\", @progbits",
                ".balign 4",
                ".long 2b - .",
                ".long 4b - .",
                ".long 0",
                ".long 3b - .",
                ".long 4b - .",
                ".long 0",
                ".popsection",
                base = in(reg) base.get(),
                offset = in(reg) u64::from(offset),
                poisoned = sym POISONED,
                low = out(xmm_reg) low,
                high = out(xmm_reg) high,
                options(nostack, preserves_flags, readonly),
            );
        }
        let [a, b] = halves(low);
        let [c, d] = halves(high);
        [a, b, c, d]
    }
}

#[inline(always)]
fn halves(pair: __m128i) -> [u64; 2] {
    use core::arch::x86_64::{_mm_cvtsi128_si64, _mm_unpackhi_epi64};
    // SAFETY: SSE2, which every x86-64 has.
    #[allow(unused_unsafe)]
    unsafe {
        [_mm_cvtsi128_si64(pair) as u64, _mm_cvtsi128_si64(_mm_unpackhi_epi64(pair, pair)) as u64]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal;

    /// Two pages: the first readable, the second not.
    fn edge() -> (*mut u8, u64) {
        // SAFETY: a fresh private mapping of two pages; the second is made inaccessible. Leaked, it is a test.
        unsafe {
            let page = libc::mmap(
                core::ptr::null_mut(),
                8192,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            assert_ne!(page, libc::MAP_FAILED);
            assert_eq!(libc::mprotect(page.byte_add(4096), 4096, libc::PROT_NONE), 0);
            (page.cast(), page as u64 + 4096)
        }
    }

    #[test]
    fn good_loads_return_the_value_and_bad_loads_an_error() {
        let reader = GuardedReader::new(signal::install().unwrap());
        let (page, edge) = edge();
        // SAFETY: inside the first page.
        unsafe { page.add(4088).cast::<u64>().write(0x0123_4567_89ab_cdef) };
        assert_eq!(reader.u64(Addr::new(edge - 8)), Ok(0x0123_4567_89ab_cdef));
        assert_eq!(reader.u32(Addr::new(edge - 4)), Ok(0x0123_4567));
        assert_eq!(reader.u8(Addr::new(edge - 1)), Ok(0x01));
        for bad in [0, 3, edge, edge - 7, 1 << 47, 0xdddd_dddd_dddd_dddd, u64::MAX] {
            let at = Addr::new(bad);
            let fault = Fault { at, kind: FaultKind::Unmapped };
            assert_eq!(reader.u64(at), Err(fault), "{bad:#x}");
        }
        assert!(reader.u32(Addr::new(edge - 3)).is_err());
        assert!(reader.u8(Addr::new(edge)).is_err());
        let mut buffer = [0; 16];
        assert!(reader.bytes(Addr::new(edge - 15), &mut buffer).is_err());
        assert!(reader.bytes(Addr::new(edge - 16), &mut buffer).is_ok());
        assert_eq!(buffer[8..], 0x0123_4567_89ab_cdef_u64.to_le_bytes());
    }

    #[test]
    fn a_word_that_holds_the_sentinel_is_a_value() {
        let reader = GuardedReader::new(signal::install().unwrap());
        let word = SENTINEL as u64;
        let at = Addr::new(&raw const word as u64);
        assert_eq!(reader.u64(at), Ok(word));
        assert_eq!(reader.u32(at), Ok(word as u32));
        assert_eq!(reader.u8(at), Ok(word as u8));
    }

    #[test]
    fn a_truncated_file_is_a_bus_error() {
        let reader = GuardedReader::new(signal::install().unwrap());
        // SAFETY: maps a memfd that is then truncated; nothing else uses the mapping.
        let address = unsafe {
            let file = libc::memfd_create(c"truncated".as_ptr(), 0);
            assert!(file >= 0);
            assert_eq!(libc::ftruncate(file, 4096), 0);
            let page = libc::mmap(core::ptr::null_mut(), 4096, libc::PROT_READ, libc::MAP_SHARED, file, 0);
            assert_ne!(page, libc::MAP_FAILED);
            assert_eq!(libc::ftruncate(file, 0), 0);
            page as u64
        };
        let at = Addr::new(address);
        assert_eq!(reader.u64(at), Err(Fault { at, kind: FaultKind::Bus }));
    }

    #[test]
    fn faults_on_many_threads_at_once_are_recovered() {
        let reader = GuardedReader::new(signal::install().unwrap());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let good = 42_u64;
                    for round in 0..2000_u64 {
                        assert!(reader.u64(Addr::new(round * 8)).is_err());
                        assert_eq!(reader.u64(Addr::new(&raw const good as u64)), Ok(42));
                    }
                });
            }
        });
    }
}
