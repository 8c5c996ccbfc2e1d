//! A thread state under a pthread key (3.11 to 3.14), asked for in a handler that interrupted the thread's first
//! `pthread_setspecific` between its two stores.

#![allow(unsafe_code, missing_docs)]

use sigwalk::addr::Addr;
use sigwalk::layout::{Layout, Version};
use sigwalk::reader::{ImageReader, Region};
use sigwalk::thread::OwnThread;
use std::arch::asm;

const RUNTIME: u64 = 0x10_0000;
const STATE: u64 = 0x1234_5678;

fn at_thread_pointer(offset: isize) -> *mut u64 {
    let pointer: u64;
    // SAFETY: the first word of a thread's control block is its own address.
    unsafe { asm!("mov {}, qword ptr fs:[0]", lateout(reg) pointer) };
    pointer.wrapping_add_signed(offset as i64) as *mut u64
}

#[test]
fn asking_does_not_wipe_a_state_that_is_being_set() {
    let layout = Layout::constants(Version::from_hex(0x030d_05f0)).unwrap();
    let offset = layout.runtime.auto_tss_key.unwrap();
    let mut key = 0;
    // SAFETY: a key of our own.
    assert_eq!(unsafe { libc::pthread_key_create(&mut key, None) }, 0);
    let mut runtime = vec![0_u8; offset as usize];
    runtime.extend(1_u32.to_le_bytes());
    runtime.extend(key.to_le_bytes());
    let regions = [Region { start: RUNTIME, bytes: &runtime }];
    let reader = ImageReader::new(&regions);
    // SAFETY: a layout with a key has no thread-local word.
    let own = unsafe { OwnThread::new(&layout, Addr::new(RUNTIME), None) }.unwrap();
    let (tss, table) = own.key().expect("glibc's table of values");
    assert_eq!(tss, Addr::new(RUNTIME).plus(offset));

    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(own.state(&reader), None);
            // The value is stored; the sequence number is not yet.
            let value = at_thread_pointer(table + key as isize * 16 + 8);
            // SAFETY: this thread's own entry of a key that nobody else uses.
            unsafe { value.write_volatile(STATE) };
            for _ in 0..2 {
                assert_eq!(own.state(&reader), Some(Addr::new(STATE)));
            }
            // What `PyGILState_GetThisThreadState` does in a handler: it sees nothing, and leaves nothing.
            // SAFETY: any key may be asked for.
            assert!(unsafe { libc::pthread_getspecific(key) }.is_null());
            assert_eq!(own.state(&reader), None, "glibc has cleared the entry");
            // And when nobody interrupts, both say the same.
            // SAFETY: as above.
            unsafe { libc::pthread_setspecific(key, STATE as *const libc::c_void) };
            assert_eq!(own.state(&reader), Some(Addr::new(STATE)));
        });
    });
}
