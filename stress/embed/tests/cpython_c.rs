//! `cpython-c` comes back from bad loads, with the address of the load, and leaves guarded loads and everyone else's faults
//! alone. One test: the order in which handlers are installed is the process's.
#![allow(unsafe_code)]

use sigwalk::addr::Addr;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::reader::Reader;
use sigwalk::walk::{Detail, End, Request, Truncated};
use sigwalk_embed::cpython_c::{self, Skip, Tried};
use sigwalk_embed::{Live, Options};

/// A fresh mapping of zeroes.
fn map(bytes: usize, protection: i32) -> u64 {
    // SAFETY: leaked, it is a test.
    let at = unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        libc::mmap(std::ptr::null_mut(), bytes, protection, flags, -1, 0)
    };
    assert_ne!(at, libc::MAP_FAILED);
    at as u64
}

#[test]
fn bad_loads_come_back_with_their_address() {
    let walker = match cpython_c::available() {
        Ok(walker) => walker,
        Err(why) => {
            assert!(cpython_c::catch_faults().is_err());
            assert!(why.contains("3.13.10") || why.contains("internal header"), "{why}");
            return;
        }
    };
    let recovery = match cpython_c::catch_faults() {
        Ok(recovery) => recovery,
        Err(why) => {
            assert!(why.starts_with("a debug build"), "{why}");
            return;
        }
    };
    sigwalk_embed::initialize(Options::default()).unwrap();
    let live = Live::find().unwrap();
    assert_eq!(cpython_c::catch_faults().unwrap_err(), "sigwalk's fault handler was installed first");

    let mut frames = [Frame::default(); 16];
    let mut out = FrameBuf::new(&mut frames);
    let thread = &live.interpreter.layout.thread;
    let sigwalk::layout::Head::Direct { current_frame } = thread.head else { panic!("3.13 and later") };
    let frame = live.interpreter.layout.frame;
    let tstate = map(1 << 16, libc::PROT_READ | libc::PROT_WRITE);
    let unmapped = map(1 << 16, libc::PROT_NONE);
    let set = |at: u64, value: u64| {
        // SAFETY: inside the mapping, which nothing else uses.
        unsafe { (at as *mut u64).write_unaligned(value) };
    };
    // Again and again, each followed by a guarded load that fails in its own way.
    for round in 0..1000_u64 {
        let mut tried = |state: u64, hops: u32| {
            out.clear();
            let request = Request::new(&live.interpreter, Addr::new(state), Detail::Line);
            walker.try_walk(recovery, &request, Skip::AsProposed, hops, &mut out)
        };
        for (head, address) in [
            (unmapped + 8 * round, Some(unmapped + 8 * round + u64::from(frame.owner))),
            (0xdddd_dddd_0000_0000, None),
            (0x1000, Some(0x1000 + u64::from(frame.owner))),
        ] {
            set(tstate + u64::from(current_frame), head);
            let Tried::Crashed(bad) = tried(tstate, 100) else { panic!("{head:#x} was read") };
            assert_eq!((bad.signal, bad.address), (libc::SIGSEGV, address.map(Addr::new)), "{head:#x}");
            assert_eq!((bad.step, bad.hops), ("_PyFrame_IsIncomplete", 1));
            assert!(live.readers.guarded.u64(Addr::new(unmapped)).is_err());
        }
        // The thread state itself.
        let Tried::Crashed(bad) = tried(unmapped, 100) else { panic!("it was read") };
        assert_eq!(bad.step, "tstate.current_frame");
        // A cycle of one entry frame: `f_executable` and everything else is zero.
        let entry = tstate + 0x8000;
        set(tstate + u64::from(current_frame), entry);
        set(entry + u64::from(frame.previous), entry);
        // SAFETY: inside the mapping.
        unsafe { ((entry + u64::from(frame.owner)) as *mut u8).write(3) };
        let Tried::Ended(walk) = tried(tstate, 100) else { panic!("an entry frame has no code") };
        assert_eq!((walk.end, walk.hops), (End::Truncated(Truncated::HopBudget), 101));
    }

    // A page that cannot be brought in.
    // SAFETY: maps a memfd that is then truncated.
    let gone = unsafe {
        let file = libc::memfd_create(c"truncated".as_ptr(), 0);
        assert_eq!(libc::ftruncate(file, 4096), 0);
        let page = libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_READ, libc::MAP_SHARED, file, 0);
        assert_eq!(libc::ftruncate(file, 0), 0);
        page as u64
    };
    set(tstate + u64::from(current_frame), gone);
    let request = Request::new(&live.interpreter, Addr::new(tstate), Detail::Line);
    let Tried::Crashed(bad) = walker.try_walk(recovery, &request, Skip::AsProposed, 100, &mut out) else {
        panic!("it was read")
    };
    assert_eq!(bad.signal, libc::SIGBUS);

    // A fault outside of a walk is fatal, as it was before.
    // SAFETY: the child makes one bad load and nothing else.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            libc::setrlimit(libc::RLIMIT_CORE, &none);
            std::ptr::read_volatile(unmapped as *const u8);
            libc::_exit(0);
        }
        let mut status = 0;
        assert_eq!(libc::waitpid(child, &mut status, 0), child);
        assert!(libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGSEGV, "{status:#x}");
    }
}
