//! Where a thread of another process keeps its thread state: the same place as a thread of this process, of which that one
//! is a fork.

use sigwalk::addr::Addr;
use sigwalk::reader::{Reader, VmReader};
use sigwalk_embed::Live;

/// The place, from the thread pointer.
#[derive(Clone, Copy, Debug)]
pub enum Slot {
    /// 3.15: a thread-local word.
    Tls { offset: isize },
    /// Up to 3.14: a pthread key, whose number is in `_PyRuntime`, and glibc's table of values in the thread's descriptor.
    Key { tss: Addr, table: isize, keys: u32 },
}

impl Slot {
    /// As the calling thread has it, which is attached.
    #[must_use]
    pub fn find(live: &Live) -> Option<Slot> {
        if let Some(offset) = live.own.tls_offset() {
            return Some(Slot::Tls { offset });
        }
        let tss = live.interpreter.runtime.plus(live.interpreter.layout.runtime.auto_tss_key?);
        let (table, keys) = live.own.key_table()?;
        Some(Slot::Key { tss, table, keys })
    }

    /// The bound thread state of a stopped thread with that thread pointer.
    #[must_use]
    pub fn state(&self, reader: &VmReader, thread_pointer: u64) -> Option<Addr> {
        let at = match *self {
            Slot::Tls { offset } => thread_pointer.wrapping_add_signed(offset as i64),
            Slot::Key { tss, table, keys } => {
                if reader.u32(tss).ok()? == 0 {
                    return None;
                }
                let key = reader.u32(tss.plus(4)).ok().filter(|&key| key < keys)?;
                thread_pointer.wrapping_add_signed(table as i64 + i64::from(key) * 16 + 8)
            }
        };
        reader.addr(Addr::new(at)).ok().filter(|state| !state.is_null())
    }
}
