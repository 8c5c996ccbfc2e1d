//! What a walk may leave behind in the thread itself: errno, blocked signals, control registers, and how deep its stack went.
//!
//! # Invariant
//!
//! [`painted`] writes only below the stack pointer of its own frame and above the end of the stack: 64 KiB, which every stack that
//! walks are watched on has left. No signal is handled on that stack meanwhile but those that the walk itself makes.
#![allow(unsafe_code)]

use super::kind::Kind;
use super::ledger::Seen;
use std::arch::asm;

/// No errno of Linux.
const SENTINEL: i32 = 0x5167;

/// Bytes that are painted.
const PAINTED: usize = 64 << 10;

/// Bytes below the stack pointer that may hold values of a function that calls nothing (the ABI's red zone), and stay as they are.
const RED_ZONE: usize = 128;

const PAINT: u64 = 0xa5a5_5a5a_a5a5_5a5a;

/// The state before a walk.
#[derive(Clone, Copy, Debug)]
pub struct Registers {
    errno: i32,
    mask: u64,
    mxcsr: u32,
    control: u16,
    vectors: u32,
}

/// The signals that this thread blocks.
fn mask() -> u64 {
    let mut mask = 0_u64;
    // SAFETY: the kernel's own set has 8 bytes; asking changes nothing. Not through the C library, whose functions are counted.
    unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_BLOCK, 0_usize, &raw mut mask, 8);
    }
    mask
}

fn errno() -> &'static mut i32 {
    // SAFETY: the address of the calling thread's errno, which lives as long as the thread.
    unsafe { &mut *libc::__errno_location() }
}

fn controls() -> (u32, u16, u32) {
    let (mut mxcsr, mut control, mut vectors) = (0_u32, 0_u16, 0_u32);
    // SAFETY: both instructions store into the place that they are given.
    unsafe {
        asm!("stmxcsr [{}]", in(reg) &raw mut mxcsr, options(nostack, preserves_flags));
        asm!("fnstcw [{}]", in(reg) &raw mut control, options(nostack, preserves_flags));
    }
    if has_xinuse() {
        // SAFETY: the processor has XGETBV with ecx = 1.
        unsafe {
            asm!("xgetbv", in("ecx") 1, out("eax") vectors, out("edx") _, options(nomem, nostack, preserves_flags))
        };
    }
    // Status flags are no control: every inexact result sets one. Of the vector state, the upper halves of ymm0 to ymm15 and of
    // zmm0 to zmm15: the registers behind them, which glibc's memcpy uses, slow nothing down.
    (mxcsr & !0x3f, control, vectors & 0b0100_0100)
}

/// Whether the processor says which parts of its state are in use.
pub fn has_xinuse() -> bool {
    let has_xsave = std::arch::x86_64::__cpuid(1).ecx & 1 << 27 != 0;
    has_xsave && std::arch::x86_64::__cpuid_count(0xd, 1).eax & 1 << 2 != 0
}

/// Whether there are upper halves.
pub fn has_avx() -> bool {
    std::arch::is_x86_feature_detected!("avx")
}

impl Registers {
    /// The state now; errno is one that no walk could set by chance.
    pub fn before() -> Registers {
        if has_avx() {
            // Upper halves that the caller left in use would hide those that the walk does. SAFETY: the processor has it, and no
            // function expects them to be kept.
            unsafe { asm!("vzeroupper", options(nomem, nostack, preserves_flags)) };
        }
        let (mxcsr, control, vectors) = controls();
        let mask = mask();
        let errno = std::mem::replace(errno(), SENTINEL);
        Registers { errno, mask, mxcsr, control, vectors }
    }

    /// What the walk changed. The thread's errno comes back, and what else was changed.
    pub fn after(self, seen: &mut Seen) {
        let flags: u64;
        // SAFETY: reads the flags, and clears the one that C code must not find set.
        unsafe { asm!("pushfq", "pop {}", "cld", out(reg) flags) };
        let (mxcsr, control, vectors) = controls();
        let changed = [
            (*errno() != SENTINEL, Kind::Errno),
            (flags & 1 << 10 != 0, Kind::Direction),
            ((mxcsr, control) != (self.mxcsr, self.control), Kind::FloatControl),
            (vectors & !self.vectors != 0, Kind::Vector),
        ];
        changed.into_iter().filter(|(changed, _)| *changed).for_each(|(_, kind)| seen.note(kind));
        let now = mask();
        if now != self.mask {
            seen.note(Kind::Mask);
            // SAFETY: as it was before.
            unsafe {
                libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const self.mask, 0_usize, 8);
            }
        }
        *errno() = self.errno;
    }
}

/// Runs `walk`, and says how many bytes of stack it used below this function's frame, at most: the first [`RED_ZONE`] bytes are counted
/// as used, and what used all that is watched may have used more.
#[inline(never)]
pub fn painted(walk: impl FnOnce() -> u64) -> (u64, u64) {
    let lowest: usize;
    // SAFETY: the module's invariant; the red zone stays.
    unsafe {
        asm!(
            "lea rdi, [rsp - {size} - {red_zone}]",
            "mov {lowest}, rdi",
            "rep stosq",
            size = const PAINTED,
            red_zone = const RED_ZONE,
            lowest = out(reg) lowest,
            inout("rcx") PAINTED / 8 => _,
            out("rdi") _,
            in("rax") PAINT,
        );
    }
    let frames = walk();
    // SAFETY: the same memory; volatile, because it is nobody's value.
    let untouched = (0..PAINTED / 8)
        .take_while(|word| unsafe { (lowest as *const u64).add(*word).read_volatile() } == PAINT)
        .count();
    ((PAINTED - untouched * 8 + RED_ZONE) as u64, frames)
}
