//! Where a thread of another process keeps its thread state: the same place as a thread of this process, of which that one
//! is a fork.

use sigwalk::addr::Addr;
use sigwalk::reader::{Reader, VmReader};
use sigwalk_embed::{Live, bound_key};
use std::arch::asm;

/// The place, from the thread pointer.
#[derive(Clone, Copy, Debug)]
pub enum Slot {
    /// 3.15: a thread-local word.
    Tls { offset: isize },
    /// Up to 3.14: a pthread key, whose number is in `_PyRuntime`, and glibc's table of values in the thread's descriptor.
    Key { tss: Addr, table: i64 },
}

/// Keys in the table that is part of the descriptor (PTHREAD_KEY_2NDLEVEL_SIZE).
const KEYS: u32 = 32;

impl Slot {
    /// As the calling thread has it, which is attached.
    #[must_use]
    pub fn find(live: &Live) -> Option<Slot> {
        if let Some(offset) = live.own.tls_offset() {
            return Some(Slot::Tls { offset });
        }
        let tss = live.interpreter.runtime.plus(live.interpreter.layout.runtime.auto_tss_key?);
        let (key, state) = (bound_key()?, live.tstate()?.get());
        // glibc 2.31 to 2.42 have the table at 0x310 of the descriptor: looked for, not believed. An entry is a sequence number
        // and the value.
        let own = thread_pointer();
        let entry = |table: i64| own.wrapping_add_signed(table + i64::from(key) * 16);
        let mut tables = (0x200..0x700).step_by(8).filter(|&table| {
            let at = Addr::new(entry(table));
            live.word(at.plus(8)) == Some(state) && live.word(at).is_some_and(|sequence| sequence % 2 == 1)
        });
        let table = tables.next().filter(|_| key < KEYS)?;
        tables.next().is_none().then_some(Slot::Key { tss, table })
    }

    /// The bound thread state of a stopped thread with that thread pointer.
    #[must_use]
    pub fn state(&self, reader: &VmReader, thread_pointer: u64) -> Option<Addr> {
        let at = match *self {
            Slot::Tls { offset } => thread_pointer.wrapping_add_signed(offset as i64),
            Slot::Key { tss, table } => {
                if reader.u32(tss).ok()? == 0 {
                    return None;
                }
                let key = reader.u32(tss.plus(4)).ok().filter(|&key| key < KEYS)?;
                thread_pointer.wrapping_add_signed(table + i64::from(key) * 16 + 8)
            }
        };
        reader.addr(Addr::new(at)).ok().filter(|state| !state.is_null())
    }
}

/// `%fs:0`, which on x86-64 is its own address.
#[allow(unsafe_code)]
fn thread_pointer() -> u64 {
    let pointer: u64;
    // SAFETY: the first word of every thread's control block.
    unsafe {
        asm!("mov {}, qword ptr fs:[0]", lateout(reg) pointer, options(nostack, preserves_flags, readonly))
    };
    pointer
}
