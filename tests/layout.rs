//! Layouts out of real debug-offset tables, and what becomes of tables that were tampered with.
#![cfg(not(loom))]

mod tables;

use sigwalk::addr::Addr;
use sigwalk::layout::{Head, Layout, LayoutError, Outermost, Version};
use sigwalk::reader::ImageReader;
use tables::{Table, default_builds, free_threaded};

/// Words that a layout is made from. Every other word may hold anything.
const READ: &[&str] = &[
    "cookie",
    "version",
    "free_threaded",
    "runtime_state.size",
    "runtime_state.interpreters_head",
    "interpreter_state.size",
    "interpreter_state.next",
    "interpreter_state.threads_head",
    "interpreter_state.code_object_generation",
    "thread_state.size",
    "thread_state.current_frame",
    "thread_state.base_frame",
    "thread_state.thread_id",
    "thread_state.native_thread_id",
    "thread_state.datastack_chunk",
    "interpreter_frame.size",
    "interpreter_frame.previous",
    "interpreter_frame.executable",
    "interpreter_frame.instr_ptr",
    "interpreter_frame.owner",
    "code_object.size",
    "code_object.filename",
    "code_object.name",
    "code_object.qualname",
    "code_object.linetable",
    "code_object.firstlineno",
    "code_object.co_code_adaptive",
    "pyobject.ob_type",
    "bytes_object.ob_size",
    "bytes_object.ob_sval",
    "unicode_object.state",
    "unicode_object.length",
    "unicode_object.asciiobject_size",
];

fn message(error: Result<Layout, LayoutError>) -> String {
    error.expect_err("no layout").to_string()
}

#[test]
fn real_tables_yield_the_constants() {
    for table in default_builds() {
        let version = Version::from_hex(table.py_version);
        let layout = table.read().unwrap_or_else(|error| panic!("{}: {error}", table.tag));
        assert_eq!(Ok(layout), Layout::constants(version), "{}", table.tag);
    }
}

/// Word of a table, the field that it becomes, and a step to another value that is possible there.
const BECOMES: &[(&str, &str, i64)] = &[
    ("runtime_state.interpreters_head", "runtime.interpreters_head", 8),
    ("interpreter_state.next", "interpreter.next", 8),
    ("interpreter_state.threads_head", "interpreter.threads_head", 8),
    ("interpreter_state.code_object_generation", "interpreter.code_object_generation", 8),
    ("thread_state.current_frame", "thread.head.current_frame", 8),
    ("thread_state.base_frame", "thread.base_frame", 8),
    ("thread_state.thread_id", "thread.thread_id", 8),
    ("thread_state.native_thread_id", "thread.native_thread_id", 8),
    ("thread_state.datastack_chunk", "thread.datastack_chunk", 8),
    ("interpreter_frame.previous", "frame.previous", 8),
    ("interpreter_frame.executable", "frame.executable", 8),
    ("interpreter_frame.instr_ptr", "frame.instruction", 8),
    ("interpreter_frame.owner", "frame.owner", 1),
    ("code_object.filename", "code.filename", 8),
    ("code_object.name", "code.name", 8),
    ("code_object.qualname", "code.qualname", 8),
    ("code_object.linetable", "code.linetable", 8),
    ("code_object.firstlineno", "code.firstlineno", 4),
    ("code_object.co_code_adaptive", "code.adaptive", -8),
    ("pyobject.ob_type", "code.ob_type", -8),
    ("bytes_object.ob_size", "text.bytes_size", 8),
    ("bytes_object.ob_sval", "text.bytes_data", 1),
    ("unicode_object.state", "text.state", 4),
    ("unicode_object.length", "text.length", 8),
    ("unicode_object.asciiobject_size", "text.ascii_data", 8),
];

#[test]
fn each_word_becomes_its_field_and_no_other() {
    for table in default_builds() {
        let healthy = table.read().unwrap();
        for (name, becomes, step) in BECOMES.iter().filter(|(name, ..)| table.names.contains(name)) {
            let about = format!("{}: {name}", table.tag);
            let word = table.word(name);
            assert_eq!(field(&healthy, becomes).map(u64::from), Some(word), "{about}");
            let moved = word.wrapping_add_signed(*step);
            let layout = table.with(name, moved).read().unwrap_or_else(|error| panic!("{about}: {error}"));
            for (_, other, _) in BECOMES {
                let expected = if other == becomes { Some(moved as u32) } else { field(&healthy, other) };
                assert_eq!(field(&layout, other), expected, "{about} and {other}");
            }
        }
    }
}

#[test]
fn constants_are_those_of_the_headers() {
    let mut checked = 0;
    for line in include_str!("data/offsets.txt").lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        for (minor, cell) in (11..).zip(&words[1..]) {
            let expected: Option<u32> = cell.parse().ok();
            let layout = Layout::constants(Version::from_hex(3 << 24 | minor << 16)).unwrap();
            assert_eq!(field(&layout, words[0]), expected, "{} of 3.{minor}", words[0]);
            checked += 1;
        }
    }
    assert_eq!(checked, 33 * 5);
}

fn field(layout: &Layout, name: &str) -> Option<u32> {
    let Layout { runtime, thread, frame, code, text, .. } = layout;
    Some(match name {
        "thread.head.cframe" => match thread.head {
            Head::Cframe { cframe, .. } => cframe,
            Head::Direct { .. } => return None,
        },
        "thread.head.current_frame" => match thread.head {
            Head::Cframe { current_frame, .. } | Head::Direct { current_frame } => current_frame,
        },
        "thread.base_frame" => match frame.outermost {
            Outermost::BaseFrame(offset) => offset,
            _ => return None,
        },
        "frame.is_entry" => match frame.outermost {
            Outermost::IsEntry(offset) => offset,
            _ => return None,
        },
        "thread.prev" => thread.prev,
        "thread.next" => thread.next,
        "thread.interp" => thread.interp,
        "thread.thread_id" => thread.thread_id,
        "thread.native_thread_id" => thread.native_thread_id,
        "thread.datastack_chunk" => thread.datastack_chunk,
        "runtime.interpreters_head" => runtime.interpreters_head,
        "runtime.auto_tss_key" => return runtime.auto_tss_key,
        "interpreter.next" => runtime.interp_next,
        "interpreter.threads_head" => runtime.threads_head,
        "interpreter.code_object_generation" => return runtime.code_object_generation,
        "frame.executable" => frame.executable,
        "frame.previous" => frame.previous,
        "frame.globals" => frame.globals,
        "frame.builtins" => frame.builtins,
        "frame.instruction" => frame.instruction,
        "frame.owner" => frame.owner,
        "frame.size" => frame.size,
        "code.ob_type" => code.ob_type,
        "code.units" => code.units,
        "code.firstlineno" => code.firstlineno,
        "code.filename" => code.filename,
        "code.name" => code.name,
        "code.qualname" => code.qualname,
        "code.linetable" => code.linetable,
        "code.monitoring" => return code.monitoring,
        "code.firsttraceable" => code.firsttraceable,
        "code.adaptive" => code.adaptive,
        "code.size" => code.size,
        "text.bytes_size" => text.bytes_size,
        "text.bytes_data" => text.bytes_data,
        "text.state" => text.state,
        "text.length" => text.length,
        "text.ascii_data" => text.ascii_data,
        _ => panic!("{name} is no field"),
    })
}

/// Values that no layout may be made from: all ones, huge, past 32 bits with the right low half, just past the end of
/// the largest structure, and negative.
fn impossible(word: u64) -> [u64; 6] {
    [u64::MAX, 1 << 40, word ^ 1 << 32, word ^ 1 << 63, (1 << 20) + 8, word.wrapping_neg().max(1 << 32)]
}

#[test]
fn an_impossible_word_is_refused_or_was_never_read() {
    for table in default_builds() {
        let healthy = table.read().unwrap();
        for name in table.names.clone() {
            for value in impossible(table.word(name)) {
                let read = table.with(name, value).read();
                let about = format!("{}: {name} = {value:#x}", table.tag);
                match READ.contains(&name) {
                    // Py_Version is 32 bits: the upper half of its word has always been zero and is ignored.
                    true if name == "version" && value as u32 == table.word(name) as u32 => {
                        assert_eq!(read, Ok(healthy), "{about}");
                    }
                    true => assert!(read.is_err(), "{about}: {read:?}"),
                    false => assert_eq!(read, Ok(healthy), "{about}"),
                }
            }
        }
        let read = table.names.iter().filter(|name| READ.contains(name)).count();
        assert_eq!(
            read,
            READ.len() - [2, 1, 0][usize::from(Version::from_hex(table.py_version).triple().1) - 13]
        );
    }
}

#[test]
fn an_unaligned_word_is_refused() {
    for table in default_builds() {
        for name in table.names.clone().into_iter().filter(|name| READ.contains(name)) {
            for by in [1, 2, 4] {
                let read = table.with(name, table.word(name) + by).read();
                let about = format!("{}: {name} + {by}", table.tag);
                let aligned = match name {
                    "interpreter_frame.owner" | "bytes_object.ob_sval" => true,
                    "code_object.firstlineno" | "unicode_object.state" => by == 4,
                    _ => false,
                };
                assert_eq!(read.is_ok(), aligned, "{about}: {read:?}");
            }
        }
    }
}

#[test]
fn a_field_ends_inside_its_structure() {
    let last = |table: &Table, name: &str, structure: u64, size: u64| {
        assert!(table.with(name, structure - size).read().is_ok(), "{}: {name}", table.tag);
        let read = table.with(name, structure).read();
        assert!(read.is_err(), "{}: {name}: {read:?}", table.tag);
        if size > 1 {
            assert!(table.with(name, structure - size / 2).read().is_err(), "{}: {name}", table.tag);
        }
    };
    for table in default_builds() {
        let size = |name| table.word(name);
        for name in ["previous", "executable", "instr_ptr"] {
            last(&table, &format!("interpreter_frame.{name}"), size("interpreter_frame.size"), 8);
        }
        last(&table, "interpreter_frame.owner", size("interpreter_frame.size"), 1);
        for name in ["filename", "name", "qualname", "linetable", "co_code_adaptive"] {
            last(&table, &format!("code_object.{name}"), size("code_object.size"), 8);
        }
        last(&table, "code_object.firstlineno", size("code_object.size"), 4);
        last(&table, "pyobject.ob_type", 16, 8);
        for name in ["current_frame", "thread_id", "native_thread_id"] {
            last(&table, &format!("thread_state.{name}"), size("thread_state.size"), 8);
        }
        // datastack_top and datastack_limit follow it.
        last(&table, "thread_state.datastack_chunk", size("thread_state.size") - 16, 8);
        for name in ["next", "threads_head"] {
            last(&table, &format!("interpreter_state.{name}"), size("interpreter_state.size"), 8);
        }
        last(&table, "runtime_state.interpreters_head", table.runtime_size, 8);
    }
}

#[test]
fn sizes_that_the_constants_depend_on_are_exact() {
    for table in default_builds() {
        for name in ["interpreter_frame.size", "code_object.size", "runtime_state.size"] {
            for by in [8, u64::MAX - 7] {
                let read = table.with(name, table.word(name).wrapping_add(by)).read();
                assert!(
                    matches!(read, Err(LayoutError::Mismatch { field, .. }) if field == name),
                    "{read:?}"
                );
            }
        }
        for name in ["interpreter_state.size", "thread_state.size"] {
            assert!(table.with(name, 0).read().is_err(), "{}: {name}", table.tag);
        }
    }
}

#[test]
fn a_table_that_ends_early_cannot_be_read() {
    let mut table = default_builds().remove(0);
    table.words.truncate(20);
    assert_eq!(message(table.read()), "the debug offsets at the start of _PyRuntime cannot be read");
}

#[test]
fn a_wrong_cookie_is_named() {
    for table in default_builds() {
        let wrong = table.with("cookie", 0x1234);
        assert_eq!(
            message(wrong.read()),
            "_PyRuntime does not begin with the debug-offsets cookie \"xdebugpy\" but with 0x0000000000001234"
        );
    }
}

#[test]
fn a_table_of_another_version_is_named() {
    let table = default_builds().remove(1);
    assert_eq!(
        message(table.with("version", 0x030d_00f0).read()),
        "Py_Version says 3.13.15 (0x030d0ff0), the debug offsets say 3.13.0 (0x030d00f0)"
    );
}

#[test]
fn a_free_threaded_build_is_named() {
    let message = message(free_threaded().read());
    assert_eq!(message, "CPython 3.13.15 is a free-threaded build: sigwalk knows default (GIL) builds only");
    for table in default_builds() {
        let flagged = table.with("free_threaded", 1).read();
        assert!(matches!(flagged, Err(LayoutError::FreeThreaded(_))), "{}: {flagged:?}", table.tag);
    }
}

#[test]
fn a_mismatch_names_field_expectation_and_finding() {
    let table = default_builds().remove(5);
    assert_eq!(
        message(table.with("interpreter_frame.size", 96).read()),
        "layout field interpreter_frame.size is 96, expected 88: not a CPython build this version of sigwalk was checked with"
    );
}

#[test]
fn versions_that_are_not_known_are_named() {
    let image = ImageReader::new(&[]);
    for (hex, text) in [
        (0x030a_0df0, "CPython 3.10.13 (hexversion 0x030a0df0) is not supported: sigwalk knows 3.11 to 3.15"),
        (0x0310_00a1, "CPython 3.16.0 (hexversion 0x031000a1) is not supported: sigwalk knows 3.11 to 3.15"),
        (0x0403_0bf0, "CPython 4.3.11 (hexversion 0x04030bf0) is not supported: sigwalk knows 3.11 to 3.15"),
        (0, "CPython 0.0.0 (hexversion 0x00000000) is not supported: sigwalk knows 3.11 to 3.15"),
    ] {
        assert_eq!(message(Layout::constants(Version::from_hex(hex))), text);
        assert_eq!(message(Layout::read(&image, Version::from_hex(hex), Addr::NULL, 0)), text);
    }
}

#[test]
fn versions_without_a_table_read_nothing() {
    let image = ImageReader::new(&[]);
    for minor in [11, 12] {
        let version = Version::from_hex(3 << 24 | minor << 16 | 0x01f0);
        let layout = Layout::read(&image, version, Addr::NULL, 0);
        assert_eq!(layout, Layout::constants(version));
        assert_eq!(layout.unwrap().version, version);
    }
}
