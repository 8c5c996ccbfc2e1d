//! The text of `call_stack` is faulthandler's, on whichever interpreter PYO3_PYTHON names; and a process that dies of
//! SIGSEGV leaves it behind. Python runs once a process and dies in forked children, so this file has one test.
#![allow(unsafe_code)]

use sigwalk::addr::Addr;
use sigwalk::call_stack::{Collected, FrameInfo, Header, PrFrameInfo, collect, print, print_end};
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::signal;
use sigwalk::walk::{Detail, End, Request, Truncated, strict};
use sigwalk_embed::pyo3::prelude::*;
use sigwalk_embed::pyo3::types::{PyCFunction, PyDict, PyTuple};
use sigwalk_embed::{Live, Options};
use std::ffi::{c_int, c_void};
use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What faulthandler prints at most.
const FRAMES: usize = 100;

#[test]
fn the_text_is_faulthandlers_and_survives_a_crash() {
    // Before ours, so that ours chains to it.
    on_crash_install();
    sigwalk_embed::initialize(Options::default()).unwrap();
    let live: &'static Live = Box::leak(Box::new(Live::find().unwrap()));
    let tag = &sigwalk_embed::interpreter().unwrap().tag;
    Python::attach(|py| {
        let globals = PyDict::new(py);
        let builtins = py.import("builtins").unwrap();
        let source = include_str!("call_stack.py");
        let code = builtins.getattr("compile").unwrap().call1((source, "call_stack.py", "exec")).unwrap();
        builtins.getattr("exec").unwrap().call1((code, &globals)).unwrap();
        let function = |name| globals.get_item(name).unwrap().expect("defined");

        py.import("sys").unwrap().getattr("setrecursionlimit").unwrap().call1((5000,)).unwrap();
        let failures = Arc::new(Mutex::new(Vec::new()));
        let stacks = Arc::new(AtomicUsize::new(0));
        let (failed, counted) = (Arc::clone(&failures), Arc::clone(&stacks));
        let check = callback(py, move |py, name| {
            counted.fetch_add(1, Ordering::Relaxed);
            if let Err(failure) = compare(py, live, &name) {
                failed.lock().unwrap().push(failure);
            }
        });
        function("run").call1((check,)).unwrap();
        let failures = failures.lock().unwrap();
        let stacks = stacks.load(Ordering::Relaxed);
        assert!(failures.is_empty(), "{} of {stacks} on {tag}:\n{}", failures.len(), failures.join("\n"));
        assert!(stacks > 30, "only {stacks} stacks were compared");

        crashes(py, live, &function("crash"));
        println!("{stacks} stacks printed as faulthandler does, 2 crashes, on {tag}");
    });
}

fn callback<'py>(
    py: Python<'py>,
    call: impl Fn(Python<'_>, String) + Send + Sync + 'static,
) -> Bound<'py, PyCFunction> {
    let closure = move |args: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| -> PyResult<()> {
        call(args.py(), args.get_item(0)?.extract()?);
        Ok(())
    };
    PyCFunction::new_closure(py, None, None, closure).unwrap()
}

/// What `write` puts into a file.
fn written(write: impl FnOnce(c_int)) -> String {
    let mut file = tempfile::tempfile().unwrap();
    write(file.as_raw_fd());
    content(&mut file)
}

fn content(file: &mut File) -> String {
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}

fn faulthandler(py: Python<'_>, fd: c_int) {
    let arguments = PyDict::new(py);
    arguments.set_item("file", fd).unwrap();
    arguments.set_item("all_threads", false).unwrap();
    let dump = py.import("faulthandler").unwrap().getattr("dump_traceback").unwrap();
    dump.call((), Some(&arguments)).unwrap();
}

fn request(live: &Live) -> Request<'_> {
    Request::new(&live.interpreter, live.tstate().expect("attached"), Detail::Line)
}

fn collected<const F: usize, const N: usize>(live: &Live) -> (Collected, Vec<FrameInfo<F, N>>) {
    let mut frames = vec![FrameInfo::EMPTY; FRAMES];
    let collected = collect(&live.readers.guarded, &request(live), &mut frames);
    frames.truncate(collected.frames);
    (collected, frames)
}

fn compare(py: Python<'_>, live: &Live, name: &str) -> Result<(), String> {
    let theirs = written(|fd| faulthandler(py, fd));
    // 3.11 and 3.12 say so when there are more than 100 frames; later versions stop silently.
    let cut = theirs.strip_suffix("  ...\n");
    let theirs = cut.unwrap_or(&theirs);

    let (pr, frames): (_, Vec<PrFrameInfo>) = collected(live);
    let ours = written(|fd| print(fd, &frames, Header::Write).unwrap());
    same(&ours, &shortened(theirs, 500, 500)).map_err(|difference| format!("{name}: {difference}"))?;
    let expected = if cut.is_some() || theirs.lines().count() > FRAMES {
        End::Truncated(Truncated::BufferFull)
    } else {
        End::Complete
    };
    if pr.end != expected {
        return Err(format!("{name}: {:?} instead of {expected:?}", pr.end));
    }

    let (_, frames) = collected::<180, 64>(live);
    let ours = written(|fd| print(fd, &frames, Header::Write).unwrap());
    same(&ours, &shortened(theirs, 179, 63)).map_err(|difference| format!("{name}, small: {difference}"))
}

/// faulthandler's text as it is when strings have at most so many bytes. It counts 500 code points before they are
/// escaped, we count bytes behind that.
fn shortened(text: &str, filename: usize, name: usize) -> String {
    let mut short = String::new();
    for line in text.split_inclusive('\n') {
        let parts =
            line.strip_prefix("  File \"").and_then(|line| line.strip_suffix('\n')).and_then(|line| {
                let (file, rest) = line.rsplit_once("\", line ")?;
                let (number, function) = rest.split_once(" in ")?;
                Some((file, number, function))
            });
        match parts {
            Some((file, number, function)) => {
                let (file, function) = (cut(file, filename), cut(function, name));
                short += &format!("  File \"{file}\", line {number} in {function}\n");
            }
            None => short += line,
        }
    }
    short
}

/// At most `room` bytes of escaped text, whole escapes only, and `...` where that is not all.
fn cut(text: &str, room: usize) -> String {
    let (bytes, more) = match text.strip_suffix("...") {
        Some(bytes) => (bytes, true),
        None => (text, false),
    };
    let mut end = 0;
    while end < bytes.len() {
        let size = match &bytes.as_bytes()[end..] {
            [b'\\', b'x', ..] => 4,
            [b'\\', b'u', ..] => 6,
            [b'\\', b'U', ..] => 10,
            _ => 1,
        };
        if end + size > room {
            return format!("{}...", &bytes[..end]);
        }
        end += size;
    }
    format!("{bytes}{}", if more { "..." } else { "" })
}

fn same(ours: &str, theirs: &str) -> Result<(), String> {
    if ours == theirs {
        return Ok(());
    }
    let (mut a, mut b) = (ours.lines(), theirs.lines());
    loop {
        match (a.next(), b.next()) {
            (Some(ours), Some(theirs)) if ours == theirs => {}
            (ours, theirs) => return Err(format!("\n  ours   {ours:?}\n  theirs {theirs:?}")),
        }
    }
}

/// What a crash handler needs, made while all is well.
struct OnCrash {
    live: &'static Live,
    fd: c_int,
    frames: [FrameInfo; FRAMES],
}

static ON_CRASH: AtomicPtr<OnCrash> = AtomicPtr::new(std::ptr::null_mut());

fn on_crash_install() {
    // SAFETY: all-zero is a valid sigaction; the handler has the right signature.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_crash as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        assert_eq!(libc::sigaction(libc::SIGSEGV, &action, std::ptr::null_mut()), 0);
    }
}

/// Installed without SA_NODEFER, like most: SIGSEGV is blocked in it, and a guarded load would not survive a bad
/// address.
extern "C" fn on_crash(_: c_int, _: *mut libc::siginfo_t, _: *mut c_void) {
    let state = ON_CRASH.swap(std::ptr::null_mut(), Ordering::AcqRel);
    // SAFETY: null, or the leaked state of `die`, which nobody else uses now.
    if let Some(state) = unsafe { state.as_mut() } {
        let _admitted = signal::admit_faults_now();
        if let Some(tstate) = state.live.tstate() {
            let request = Request::new(&state.live.interpreter, tstate, Detail::Line);
            let collected = collect(&state.live.readers.guarded, &request, &mut state.frames);
            let _ = print(state.fd, &state.frames[..collected.frames], Header::Write);
            let _ = print_end(state.fd, collected.end);
        }
    }
    // SAFETY: async-signal-safe. The instruction faults again when we return, and that is the end.
    unsafe { libc::signal(libc::SIGSEGV, libc::SIG_DFL) };
}

/// How the child's stack is before it dies.
#[derive(Clone, Copy, PartialEq)]
enum Stack {
    Healthy,
    /// `previous` of the third frame leads nowhere.
    Damaged,
}

fn crashes(py: Python<'_>, live: &'static Live, crash: &Bound<'_, PyAny>) {
    for stack in [Stack::Healthy, Stack::Damaged] {
        let (mut ours, mut theirs) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        let fds = (ours.as_raw_fd(), theirs.as_raw_fd());
        // SAFETY: the child has the one thread that holds the GIL, and ends in a signal or in _exit.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let die = callback(py, move |py, _| die(py, live, fds, stack));
            let _ = crash.call1((die,));
            // SAFETY: nothing of the parent's is cleaned up.
            unsafe { libc::_exit(1) };
        }
        let mut status = 0;
        // SAFETY: our own child.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        let killed = libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGSEGV;
        assert!(killed, "the child died of SIGSEGV: status {status:#x}");
        let (ours, theirs) = (content(&mut ours), content(&mut theirs));
        assert!(theirs.lines().count() > 25, "a stack with generator, recursion and names: {theirs}");
        let expected = match stack {
            Stack::Healthy => theirs,
            Stack::Damaged => {
                let lines: String = theirs.split_inclusive('\n').take(1 + 3).collect();
                lines + "  <truncated: fault>\n"
            }
        };
        assert_eq!(ours, expected);
    }
}

fn die(py: Python<'_>, live: &'static Live, (ours, theirs): (c_int, c_int), stack: Stack) {
    faulthandler(py, theirs);
    if stack == Stack::Damaged {
        let mut frames = [Frame::default(); 3];
        strict::walk(&live.readers.guarded, &request(live), &mut FrameBuf::new(&mut frames));
        let previous = frames[2].frame.plus(live.interpreter.layout.frame.previous);
        let nowhere = Addr::new(0x7000_0000_0008);
        // SAFETY: a frame of this thread; the process ends before the interpreter looks at it.
        unsafe { (previous.get() as *mut u64).write(nowhere.get()) };
    }
    let state = OnCrash { live, fd: ours, frames: [FrameInfo::EMPTY; FRAMES] };
    ON_CRASH.store(Box::into_raw(Box::new(state)), Ordering::Release);
    let _stack = signal::AltStack::install().expect("an alternate stack");
    // SAFETY: this is the crash.
    unsafe { std::ptr::without_provenance_mut::<u8>(8).write_volatile(1) };
}
