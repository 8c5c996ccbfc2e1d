//! How much stack a handler needs for a walk, and what happens when the alternate stack has less.
#![cfg(not(loom))]
#![allow(unsafe_code)]

mod handler;
mod image;

use handler::Ended::{Killed, Well};
use handler::{alternate_stack, child, deep, handle, make_real, raise, readers, shared, signal_frame};
use image::{MINORS, Process};
use libc::{SIGSEGV, SIGUSR1, c_void};
use sigwalk::call_stack::{self, FrameInfo, Header, PrFrameInfo};
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::reader::Reader;
use sigwalk::walk::{Detail, End};
use sigwalk::walkers::{self, Entry, Readers, Reads};
use std::cell::RefCell;

/// What a walker may use of the stack of the handler that calls it, bytes. Without optimisation every value that was
/// inlined into a walk has a place of its own on the stack.
const BOUND: usize = 4 << 10;

/// What our fault handler may use below its signal frame.
const FAULT_HANDLER: usize = 1024;

const DEPTH: usize = 100;
const PAINT: u8 = 0xa5;
const STACK: usize = 256 << 10;

/// What a handler works with. None of it on its stack.
struct Work {
    process: Process,
    readers: Readers,
    walker: &'static Entry,
    frames: Vec<Frame>,
    infos: Vec<FrameInfo>,
    pr: Vec<PrFrameInfo>,
}

thread_local! {
    static WORK: RefCell<Option<Work>> = const { RefCell::new(None) };
}

fn with<T>(body: impl FnOnce(&mut Work) -> T) -> T {
    WORK.with_borrow_mut(|work| body(work.as_mut().expect("prepared")))
}

fn prepare(process: Process) {
    make_real(&process);
    let work = Work {
        process,
        readers: readers(),
        walker: &walkers::ALL[0],
        frames: vec![Frame::default(); DEPTH + 20],
        infos: vec![FrameInfo::EMPTY; DEPTH + 20],
        pr: vec![PrFrameInfo::EMPTY; DEPTH + 20],
    };
    WORK.set(Some(work));
}

fn nothing(_: *mut c_void) {}

fn walk(_: *mut c_void) {
    with(|work| {
        let mut out = FrameBuf::new(&mut work.frames);
        let walk = (work.walker.live)(&work.readers, &work.process.request(Detail::Line), &mut out);
        assert_eq!((walk.end, out.frames().len()), (End::Complete, DEPTH), "{}", work.walker.name);
    });
}

fn collect(_: *mut c_void) {
    with(|work| {
        let request = work.process.request(Detail::Line);
        let collected = call_stack::collect(&work.readers.guarded, &request, &mut work.infos);
        assert_eq!((collected.end, collected.frames), (End::Complete, DEPTH));
    });
}

fn collect_as_the_pr(_: *mut c_void) {
    with(|work| {
        let request = work.process.request(Detail::Line);
        let collected = call_stack::collect(&work.readers.guarded, &request, &mut work.pr);
        assert_eq!((collected.end, collected.frames), (End::Complete, DEPTH));
    });
}

fn print(_: *mut c_void) {
    with(|work| assert_eq!(call_stack::print(-1, &work.pr, Header::Omit), Err(libc::EBADF)));
}

/// Highest use of the alternate stack by a handler, bytes, its signal frame included.
fn used(stack: *mut u8, body: handler::Body) -> usize {
    // SAFETY: nothing runs on the alternate stack now.
    unsafe { stack.write_bytes(PAINT, STACK) };
    handle(SIGUSR1, libc::SA_ONSTACK, &[], body);
    raise(SIGUSR1);
    // SAFETY: as above.
    let bytes = unsafe { std::slice::from_raw_parts(stack, STACK) };
    STACK - bytes.iter().position(|byte| *byte != PAINT).expect("the handler ran there")
}

/// The same without what an empty handler uses.
fn beyond_empty(stack: *mut u8, body: handler::Body) -> usize {
    used(stack, body) - used(stack, nothing)
}

/// Walkers that may run in a handler.
fn subjects() -> impl Iterator<Item = &'static Entry> {
    walkers::ALL.iter().filter(|walker| walker.reads != Reads::Outside)
}

#[test]
fn walks_collection_and_printing_use_little_of_the_handlers_stack() {
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let mut wrong = Vec::new();
    for minor in MINORS {
        let figures: *mut [usize; 64] = shared();
        let ended = child(|| {
            let stack = alternate_stack(STACK);
            prepare(deep(minor, DEPTH));
            // SAFETY: shared with the parent, which waits.
            let mut places = unsafe { &mut *figures }.iter_mut();
            for walker in subjects() {
                with(|work| work.walker = walker);
                *places.next().unwrap() = beyond_empty(stack, walk);
            }
            for body in [collect, collect_as_the_pr, print] {
                *places.next().unwrap() = beyond_empty(stack, body);
            }
        });
        assert_eq!(ended, Well, "3.{minor}");
        // SAFETY: the child is gone.
        let figures = unsafe { *figures };
        let names = subjects().map(|walker| walker.name);
        let names = names.chain(["collect", "collect (PR's frames)", "print"]);
        for (subject, bytes) in names.zip(figures) {
            println!("{build}, 3.{minor}, depth {DEPTH}: {subject} {bytes} bytes of stack");
            if !(1..=BOUND).contains(&bytes) {
                wrong.push(format!("{subject} on 3.{minor}, {build}: {bytes} bytes"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_recovered_fault_needs_one_signal_frame_more() {
    let figures: *mut [usize; 2] = shared();
    let ended = child(|| {
        let stack = alternate_stack(STACK);
        prepare(deep(13, 1));
        let load: [handler::Body; 2] = [
            |_| with(|work| assert!(work.readers.guarded.u64(work.process.tstate).is_ok())),
            |_| with(|work| assert!(work.readers.guarded.u64(handler::BAD).is_err())),
        ];
        // SAFETY: shared with the parent, which waits.
        unsafe { *figures = load.map(|load| used(stack, load)) };
    });
    assert_eq!(ended, Well);
    // SAFETY: the child is gone.
    let [good, bad] = unsafe { *figures };
    let frame = signal_frame();
    println!("AT_MINSIGSTKSZ is {frame}: a good load in a handler {good} bytes, a recovered one {bad}");
    assert!(bad > good + frame / 2, "there was a second signal frame");
    assert!(bad - good <= frame + FAULT_HANDLER);
}

/// A walk that meets a bad address, on an alternate stack of `size` bytes.
fn walks_on(size: usize) -> handler::Ended {
    child(|| {
        let mut process = deep(13, 20);
        process.put(process.previous(5), image::NOWHERE);
        prepare(process);
        with(|work| work.walker = walkers::named("guarded").unwrap());
        handle(SIGUSR1, libc::SA_ONSTACK, &[], |_| {
            // What is older on the stack than the walk must be there afterwards.
            let pattern = std::hint::black_box([PAINT; 64]);
            with(|work| {
                let mut out = FrameBuf::new(&mut work.frames);
                let walk = (work.walker.live)(&work.readers, &work.process.request(Detail::Line), &mut out);
                if walk.fault().is_none() || out.frames().len() != 6 {
                    std::process::abort();
                }
            });
            if std::hint::black_box(pattern) != [PAINT; 64] {
                std::process::abort();
            }
        });
        alternate_stack(size);
        raise(SIGUSR1);
    })
}

#[test]
fn a_too_small_alternate_stack_kills_and_two_signal_frames_with_the_bounds_are_enough() {
    let frame = signal_frame();
    let enough = frame + BOUND + FAULT_HANDLER;
    let mut smallest = None;
    for more in (0..=enough).step_by(if cfg!(debug_assertions) { 256 } else { 32 }) {
        match (walks_on(frame + more), smallest) {
            (Well, None) => smallest = Some(more),
            (Well, Some(_)) | (Killed(SIGSEGV), None) => {}
            (ended, _) => {
                panic!("AT_MINSIGSTKSZ ({frame}) and {more} bytes: {ended:?}, smallest {smallest:?}")
            }
        }
    }
    let smallest = smallest.expect("AT_MINSIGSTKSZ twice and the two bounds are enough");
    println!(
        "smallest alternate stack for a walk with a recovered fault: AT_MINSIGSTKSZ ({frame}) and {smallest} bytes"
    );
    assert!(smallest > 0, "a stack for one signal frame cannot take the second");
}
