//! A last check on a live thread: does the thread state that the layout describes say what the kernel says?

use super::{Layout, LayoutError};
use crate::addr::Addr;
use crate::reader::Reader;

/// What is known of the calling thread without CPython.
#[derive(Clone, Copy, Debug)]
pub struct KnownThread {
    /// `pthread_self()`
    pub pthread: u64,
    /// `gettid()`
    pub tid: u64,
}

impl Layout {
    /// Compares the calling thread's state with what is known of the thread otherwise, and looks for it in its
    /// interpreter's list. For start-up, while attached: constant tables (3.11, 3.12) have no other proof that the
    /// build is the one they were made for.
    ///
    /// # Errors
    /// Something differs: the offsets are not those of this build.
    pub fn probe<R: Reader>(&self, reader: &R, tstate: Addr, known: KnownThread) -> Result<(), LayoutError> {
        let word = |at: Addr, what| reader.u64(at).map_err(|_| LayoutError::Unreadable(what));
        let expect = |field, found, expected| match found == expected {
            true => Ok(()),
            false => Err(LayoutError::Mismatch { field, expected, found }),
        };
        let t = &self.thread;
        let thread_id = word(tstate.plus(t.thread_id), "tstate.thread_id")?;
        expect("tstate.thread_id", thread_id, known.pthread)?;
        let native = word(tstate.plus(t.native_thread_id), "tstate.native_thread_id")?;
        expect("tstate.native_thread_id", native, known.tid)?;
        let interp = Addr::new(word(tstate.plus(t.interp), "tstate.interp")?);
        let mut thread = Addr::new(word(interp.plus(self.runtime.threads_head), "interp.threads.head")?);
        for _ in 0..10_000 {
            if thread == tstate {
                return Ok(());
            }
            if thread.is_null() {
                break;
            }
            thread = Addr::new(word(thread.plus(t.next), "tstate.next")?);
        }
        expect("interp.threads.head (own thread state not in the list)", thread.get(), tstate.get())
    }
}
