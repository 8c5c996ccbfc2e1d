//! Collecting a stack into structures with names, and printing it, over synthetic images. That the text is
//! faulthandler's is compared on real interpreters: stress/embed/tests/call_stack.rs.
#![cfg(not(loom))]
// Pipes of our own; nothing else.
#![allow(unsafe_code)]

mod image;

use image::readers::{Mode, NthFails};
use image::{Entry, Function, Generator, Incomplete, MINORS, Process};
use sigwalk::addr::Addr;
use sigwalk::call_stack::{
    Collected, FrameInfo, Header, MISSING, PrFrameInfo, TRUNCATED, collect, print, print_end,
};
use sigwalk::frame::Frame;
use sigwalk::reader::{Before, Fault, FaultKind, ImageReader};
use sigwalk::walk::{Detail, End, Rejected, Site, Truncated};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::thread::JoinHandleExt;

fn collected<const F: usize, const N: usize>(
    process: &Process,
    capacity: usize,
) -> (Collected, Vec<FrameInfo<F, N>>) {
    let regions = process.regions();
    let mut frames = vec![FrameInfo::<F, N>::EMPTY; capacity];
    let collected = collect(&ImageReader::new(&regions), &process.request(Detail::Line), &mut frames);
    (collected, frames)
}

/// Gives frame `index` a file name and a name.
fn rename(process: &mut Process, index: usize, filename: &str, name: &str) {
    let code = process.layout().code;
    for (field, spelled) in [(code.filename, filename), (code.name, name)] {
        let at = 0x4000_0000 + (index as u64 * 1024 + u64::from(field)) * 0x1_0000;
        process.map(at, 0x1_0000);
        process.put_text(Addr::new(at), spelled);
        process.put(process.codes[index].plus(field), at);
    }
}

/// What `write` puts into a pipe.
fn piped(write: impl FnOnce(i32)) -> String {
    let (mut reader, writer) = pipe();
    let thread = std::thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    });
    write(writer.as_raw_fd());
    drop(writer);
    thread.join().unwrap()
}

fn pipe() -> (File, File) {
    let mut ends = [0; 2];
    // SAFETY: two fresh descriptors, each owned by one File.
    unsafe {
        assert_eq!(libc::pipe(ends.as_mut_ptr()), 0);
        (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1]))
    }
}

fn printed<const F: usize, const N: usize>(frames: &[FrameInfo<F, N>], header: Header) -> String {
    piped(|fd| assert_eq!(print(fd, frames, header), Ok(())))
}

#[test]
fn a_healthy_stack_is_collected_and_printed_on_every_version() {
    for minor in MINORS {
        let process = Process::new(minor, &[Incomplete, Function, Entry, Generator, Function, Entry]);
        let (collected, frames) = collected::<180, 64>(&process, 10);
        assert_eq!(collected, Collected { frames: 3, end: End::Complete }, "3.{minor}");
        let names: Vec<String> = (0..3).map(|nth| format!("f{}", process.shown(nth))).collect();
        let rows: Vec<_> = frames[..3].iter().map(|info| (info.filename(), info.line, info.name())).collect();
        let expected: Vec<_> = process
            .expected
            .iter()
            .zip(&names)
            .map(|(frame, name)| (Some(name.as_bytes()), frame.line, Some(name.as_bytes())))
            .collect();
        assert_eq!(rows, expected, "3.{minor}");
        assert_eq!(
            frames[3..],
            [FrameInfo { line: 0, filename_flags: 0, name_flags: 0, ..FrameInfo::EMPTY }; 7]
        );
        let line =
            |(name, frame): (&String, &Frame)| format!("  File \"{name}\", line {} in {name}\n", frame.line);
        let lines: String = names.iter().zip(&process.expected).map(line).collect();
        let text = format!("Stack (most recent call first):\n{lines}");
        assert_eq!(printed(&frames[..3], Header::Write), text, "3.{minor}");
        assert_eq!(printed(&frames[..3], Header::Omit), lines, "3.{minor}");
    }
}

#[test]
fn a_full_array_keeps_the_innermost_frames() {
    for minor in MINORS {
        let process = Process::new(minor, &[Function, Function, Entry, Function, Entry]);
        for capacity in 0..3 {
            let (collected, frames) = collected::<20, 20>(&process, capacity);
            let end = End::Truncated(Truncated::BufferFull);
            assert_eq!(collected, Collected { frames: capacity, end }, "3.{minor}");
            let names: Vec<_> = frames.iter().map(|info| info.name().unwrap()).collect();
            assert_eq!(names, [b"f0", b"f1"][..capacity], "3.{minor}");
        }
    }
}

#[test]
fn strings_are_cut_exactly_at_the_capacity_and_never_inside_an_escape() {
    let process = |filename: &str, name: &str| {
        let mut process = Process::new(13, &[Function, Entry]);
        rename(&mut process, 0, filename, name);
        process
    };
    // 12 bytes and a NUL, 8 and a NUL.
    let row = |filename: &str, name: &str| {
        let (collected, frames) = collected::<13, 9>(&process(filename, name), 1);
        assert_eq!(collected, Collected { frames: 1, end: End::Complete });
        let info = frames[0];
        let string = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap().to_vec()).unwrap();
        (string(info.filename()), info.filename_flags, string(info.name()), info.name_flags)
    };
    let cases: [(&str, &str, u32); 11] = [
        ("", "", 0),
        ("twelve bytes", "twelve bytes", 0),
        ("thirteen byte", "thirteen byt", TRUNCATED),
        ("ä2345678", r"\xe42345678", 0),
        ("ä23456789", r"\xe423456789", 0),
        ("ä23456789_", r"\xe423456789", TRUNCATED),
        ("12345678ä", r"12345678\xe4", 0),
        ("123456789ä", "123456789", TRUNCATED),
        ("1234567Ω", r"1234567", TRUNCATED),
        ("12🐍", r"12\U0001f40d", 0),
        ("123🐍", "123", TRUNCATED),
    ];
    for (filename, text, flags) in cases {
        assert_eq!(row(filename, "n"), (text.into(), flags, "n".into(), 0), "{filename:?}");
    }
    assert_eq!(row("f", "12345678"), ("f".into(), 0, "12345678".into(), 0));
    assert_eq!(row("f", "12345678\n"), ("f".into(), 0, "12345678".into(), TRUNCATED));
    // A control character of an ASCII string is found after the string was copied once, unescaped and longer.
    assert_eq!(row("f", "1\n\n"), ("f".into(), 0, r"1\x0a".into(), TRUNCATED));
    let (_, frames) = collected::<13, 9>(&process("f", "\n234567"), 1);
    assert_eq!(frames[0].name, *b"\\x0a2345\0", "nothing is left behind the end");
}

#[test]
fn the_prs_capacity_is_500_bytes() {
    let mut process = Process::new(15, &[Function, Function, Entry]);
    rename(&mut process, 0, &"x".repeat(500), &"y".repeat(501));
    rename(&mut process, 1, &"ñ".repeat(125), &"數".repeat(84));
    let (_, frames): (_, Vec<PrFrameInfo>) = collected(&process, 2);
    assert_eq!((frames[0].filename_flags, frames[0].name_flags), (0, TRUNCATED));
    assert_eq!((frames[1].filename_flags, frames[1].name_flags), (0, TRUNCATED));
    assert_eq!(frames[0].name().unwrap().len(), 500);
    assert_eq!(frames[1].filename().unwrap().len(), 500);
    assert_eq!(frames[1].name().unwrap().len(), 83 * 6);
    let text = printed(&frames, Header::Omit);
    let lines = [process.expected[0].line, process.expected[1].line];
    let expected = format!(
        "  File \"{}\", line {} in {}...\n  File \"{}\", line {} in {}...\n",
        "x".repeat(500),
        lines[0],
        "y".repeat(500),
        r"\xf1".repeat(125),
        lines[1],
        r"\u6578".repeat(83)
    );
    assert_eq!(text, expected);
}

#[test]
fn what_is_missing_is_no_string_and_ends_nothing() {
    for minor in MINORS {
        let mut process = Process::new(minor, &[Function, Function, Function, Entry]);
        let code = process.layout().code;
        process.put(process.codes[0].plus(code.filename), 0);
        process.put(process.codes[1].plus(code.name), image::NOWHERE);
        rename(&mut process, 2, "", "");
        let (collected, frames) = collected::<180, 64>(&process, 4);
        assert_eq!(collected, Collected { frames: 3, end: End::Complete }, "3.{minor}");
        assert_eq!((frames[0].filename(), frames[0].filename_flags), (None, MISSING), "3.{minor}");
        assert_eq!((frames[1].name(), frames[1].name_flags), (None, MISSING), "3.{minor}");
        assert_eq!((frames[2].name(), frames[2].name_flags), (Some(&b""[..]), 0), "3.{minor}");
        let mut frames = frames[..3].to_vec();
        frames[1].line = -1;
        let lines = [frames[0].line, frames[2].line];
        let text = format!(
            "  File ???, line {} in f0\n  File \"f1\", line ??? in ???\n  File \"\", line {} in \n",
            lines[0], lines[1]
        );
        assert_eq!(printed(&frames, Header::Omit), text, "3.{minor}");
    }
}

#[test]
fn every_load_that_fails_is_a_shorter_stack_or_a_missing_string() {
    for minor in MINORS {
        let process = Process::new(minor, &[Function, Generator, Function, Entry]);
        let regions = process.regions();
        let (mut missing, mut shorter) = (0, 0);
        for nth in 1.. {
            let failing = NthFails::new(nth, Mode::Place);
            let hook = |load| failing.before(load);
            let reader = Before::new(ImageReader::new(&regions), &hook);
            let mut frames = [FrameInfo::<20, 20>::EMPTY; 4];
            let collected = collect(&reader, &process.request(Detail::Line), &mut frames);
            let about = format!("3.{minor}, load {nth}");
            for (info, expected) in frames[..collected.frames].iter().zip(&process.expected) {
                assert_eq!(info.line, expected.line, "{about}");
            }
            let flags = frames[..collected.frames].iter().map(|info| info.filename_flags + info.name_flags);
            let lost = flags.sum::<u32>() / MISSING;
            match collected.end {
                End::Truncated(Truncated::Fault(..)) => shorter += 1,
                // Two frames may share a string.
                End::Complete if lost > 0 => missing += 1,
                // Of 32 bytes of a line table, what failed was not needed.
                End::Complete if failing.was_poison() => {}
                End::Complete => {
                    assert_eq!((lost, collected.frames, failing.hit()), (0, 3, false), "{about}");
                    break;
                }
                end => panic!("{about}: {end:?}"),
            }
        }
        assert!(shorter > 10 && missing > 10, "3.{minor}: {shorter} and {missing}");
    }
}

#[test]
fn extreme_lines_are_printed_as_numbers() {
    let lines = [0, 7, 10, i32::MAX, -1, i32::MIN].map(|line| FrameInfo::<8, 8> { line, ..FrameInfo::EMPTY });
    let numbers: Vec<String> = printed(&lines, Header::Omit)
        .lines()
        .map(|line| line.split(' ').nth(5).unwrap().to_string())
        .collect();
    assert_eq!(numbers, ["0", "7", "10", "2147483647", "???", "???"]);
}

#[test]
fn an_array_without_a_nul_is_printed_to_its_end() {
    let info = FrameInfo::<8, 9> {
        line: 1,
        filename_flags: TRUNCATED,
        name_flags: TRUNCATED | MISSING,
        filename: [b'f'; 8],
        name: [b'n'; 9],
    };
    assert_eq!(printed(&[info], Header::Omit), "  File \"ffffffff...\", line 1 in ???\n");
}

#[test]
fn the_end_is_said_where_there_is_one_to_say() {
    let fault = Fault { at: Addr::NULL, kind: FaultKind::Unmapped };
    for (end, text) in [
        (End::Complete, ""),
        (End::Truncated(Truncated::BufferFull), "  ...\n"),
        (End::Truncated(Truncated::Fault(Site::FramePrevious, fault)), "  <truncated: fault>\n"),
        (End::Rejected(Rejected::Owner), "  <owner>\n"),
    ] {
        assert_eq!(piped(|fd| assert_eq!(print_end(fd, end), Ok(()))), text, "{end:?}");
    }
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap()
}

fn set_errno(value: i32) {
    // SAFETY: the calling thread's errno.
    unsafe { *libc::__errno_location() = value };
}

#[test]
fn an_error_of_write_is_returned_and_errno_kept() {
    set_errno(4711);
    assert_eq!(print::<180, 64>(-1, &[FrameInfo::EMPTY], Header::Omit), Err(libc::EBADF));
    assert_eq!(print::<180, 64>(-1, &[], Header::Write), Err(libc::EBADF));
    assert_eq!(print::<180, 64>(-1, &[], Header::Omit), Ok(()), "nothing is written for no frames");
    assert_eq!(errno(), 4711);
}

/// A terminal that changes nothing: its master, which reads, and its slave, which is written to.
fn terminal() -> (File, File) {
    let (mut master, mut slave) = (0, 0);
    // SAFETY: two fresh descriptors, each owned by one File; all-zero settings are raw ones.
    unsafe {
        let settings: libc::termios = std::mem::zeroed();
        let (name, size) = (std::ptr::null_mut(), std::ptr::null());
        assert_eq!(libc::openpty(&mut master, &mut slave, name, &settings, size), 0);
        (File::from_raw_fd(master), File::from_raw_fd(slave))
    }
}

#[test]
fn partial_writes_are_continued_and_interrupted_ones_repeated() {
    // A full pipe of one page takes nothing: a signal without SA_RESTART is EINTR. A full terminal has taken a part
    // when the signal comes: a short count.
    extern "C" fn nothing(_: i32) {}
    // SAFETY: a handler of the right signature, without SA_RESTART; all-zero is otherwise valid.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = nothing as *const () as usize;
        assert_eq!(libc::sigaction(libc::SIGUSR2, &action, std::ptr::null_mut()), 0);
    }
    for (reader, writer) in [pipe(), terminal()] {
        // SAFETY: a descriptor of ours; a terminal refuses.
        unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETPIPE_SZ, 4096) };
        interrupted(reader, writer);
    }
}

fn interrupted(mut reader: File, writer: File) {
    let mut frame = FrameInfo::<4096, 4096> { line: 5, ..FrameInfo::EMPTY };
    (frame.filename_flags, frame.name_flags) = (0, 0);
    for (index, byte) in frame.filename.iter_mut().chain(&mut frame.name).enumerate() {
        // No byte is like its neighbours, so that one that is lost or repeated shows.
        *byte = b'a' + (index % 23) as u8;
    }
    let frames = vec![frame; 20];
    let string = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let expected =
        format!("  File \"{}\", line 5 in {}\n", string(&frame.filename), string(&frame.name)).repeat(20);
    let printer = std::thread::spawn(move || {
        set_errno(4712);
        (print(writer.as_raw_fd(), &frames, Header::Omit), errno(), writer)
    });
    // SAFETY: a descriptor of ours.
    unsafe { libc::fcntl(reader.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
    let mut text = Vec::new();
    let mut piece = [0; 100];
    loop {
        // Asked before reading: what was written before the end is read then.
        let finished = printer.is_finished();
        if !finished {
            // SAFETY: the thread was not joined yet.
            unsafe { libc::pthread_kill(printer.as_pthread_t(), libc::SIGUSR2) };
        }
        match reader.read(&mut piece) {
            Ok(count) => text.extend_from_slice(&piece[..count]),
            Err(_) if finished => break,
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
        }
    }
    let (result, errno, _writer) = printer.join().unwrap();
    assert_eq!((result, errno), (Ok(()), 4712));
    assert!(text == expected.as_bytes(), "the text is not what was printed");
}
