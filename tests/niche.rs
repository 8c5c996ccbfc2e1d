//! Rules about the sources that the compiler does not hold: only integers come out of foreign memory, and it is read in
//! the named files only.
//!
//! A `bool` or an enum filled from memory that another thread writes lets the target's bytes choose the Rust variant;
//! a reader of integers cannot have that bug.
#![cfg(not(loom))]

use sigwalk::addr::Addr;
use sigwalk::frame::Frame;
use sigwalk::reader::has_no_niche;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const _: () = has_no_niche::<Addr>();
const _: () = has_no_niche::<Frame>();

/// What stands before code that is in no build but those of unit tests and of models.
const TESTS: [&str; 3] = ["#[cfg(test)]", "#[cfg(all(test, not(loom)))]", "#[cfg(any(loom, test))]"];

/// Sources by their path under src/, without the code of unit tests (which may do what it likes with its own memory).
fn sources() -> BTreeMap<String, String> {
    fn add(root: &Path, folder: &Path, into: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                add(root, &path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = TESTS.iter().fold(&text[..], |code, cfg| {
                    code.split(&format!("\n{cfg}\nmod tests {{")).next().unwrap()
                });
                let code = code.to_string();
                into.insert(path.strip_prefix(root).unwrap().display().to_string(), code);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    add(&root, &root, &mut found);
    // Such a line before `mod name;`: a file that is compiled for tests only.
    let mut tests = Vec::new();
    for (path, text) in &found {
        let folder = path.trim_end_matches(".rs");
        for (cfg, visible) in TESTS.iter().flat_map(|cfg| [(cfg, ""), (cfg, "pub ")]) {
            let before = format!("{cfg}\n{visible}mod ");
            let names = text.split(&before).skip(1).filter_map(|rest| rest.split_once(';'));
            tests.extend(names.map(|(name, _)| format!("{folder}/{name}.rs")));
        }
    }
    found.retain(|path, _| !tests.contains(path));
    assert!(found.len() > 20, "the sources are there");
    found
}

/// Files with `needle` in their code, comments left out.
fn files_with(needle: &str) -> BTreeSet<String> {
    let code = |text: &str| {
        text.lines().filter(|line| !line.trim_start().starts_with("//")).any(|line| line.contains(needle))
    };
    sources().into_iter().filter(|(_, text)| code(text)).map(|(path, _)| path).collect()
}

fn set(files: &[&str]) -> BTreeSet<String> {
    files.iter().map(|file| file.to_string()).collect()
}

#[test]
fn unsafe_code_is_opted_in_by_the_named_files() {
    // cpu.rs and line_table/*: instructions that must exist, no pointer.
    let files = set(&[
        "call_stack/print.rs",
        "call_stack/scratch.rs",
        "cpu.rs",
        "line_table/avx2.rs",
        "line_table/sse2.rs",
        "place.rs",
        "reader/guarded.rs",
        "reader/raw.rs",
        "reader/vm.rs",
        "signal.rs",
        "signal/entry.rs",
        "signal/mask.rs",
        "thread.rs",
        "thread/table.rs",
    ]);
    assert_eq!(files_with("allow(unsafe_code)"), files);
    // place.rs only says that its cells may be shared; signal/entry.rs is one function in assembly, unsafe as a whole.
    let others = set(&["place.rs", "signal/entry.rs"]);
    assert_eq!(files_with("unsafe impl"), set(&["place.rs"]));
    assert_eq!(files_with("unsafe {"), &files - &others);
    let manifest = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"deny\""), "every other file is denied it");
}

#[test]
fn foreign_memory_is_loaded_by_the_readers_only() {
    // In signal/entry.rs: of the kernel's signal frame, no foreign memory.
    assert_eq!(files_with("asm!"), set(&["reader/guarded.rs", "signal/entry.rs", "thread/table.rs"]));
    assert_eq!(files_with("read_volatile"), set(&["reader/raw.rs"]));
    // The handler's own signal mask, a value of ours.
    assert_eq!(files_with("read_unaligned"), set(&["signal/mask.rs"]));
    assert_eq!(files_with("transmute"), set(&["signal.rs"]));
    // The exception table, pairs of words as the kernel's iovec, and the array of a caller: ours too.
    let ours = set(&["call_stack/scratch.rs", "reader/guarded.rs", "reader/vm.rs"]);
    assert_eq!(files_with("from_raw_parts"), ours);
    for elsewhere in ["ptr::read(", "copy_nonoverlapping", "MaybeUninit", "from_raw("] {
        assert_eq!(files_with(elsewhere), set(&[]), "{elsewhere}");
    }
}

#[test]
fn readers_return_integers_only() {
    let text = &sources()["reader.rs"];
    let (_, body) = text.split_once("pub trait Reader {\n").expect("the trait");
    let (body, _) = body.split_once("\n}\n").expect("its end");
    let returns: BTreeSet<&str> = body
        .lines()
        .filter(|line| line.trim_start().starts_with("fn "))
        .map(|line| {
            line.split_once("-> ").map_or("()", |(_, answer)| answer.trim_end_matches([';', '{', ' ']))
        })
        .collect();
    let allowed = [
        "Result<u64, Fault>",
        "Result<u32, Fault>",
        "Result<u8, Fault>",
        "Result<(), Fault>",
        "Result<Addr, Fault>",
        // `_or_poison`
        "u64",
        "u32",
        "u8",
        // `u256_or_poison`
        "[u64; 4]",
        // `prefetch`
        "()",
    ];
    assert_eq!(returns, BTreeSet::from(allowed));
    // `bytes` fills a slice of bytes.
    assert!(body.contains("fn bytes(&self, at: Addr, into: &mut [u8])"));
    for implementation in ["reader/raw.rs", "reader/guarded.rs"] {
        let text = &sources()[implementation];
        let rows: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("    load!(")).collect();
        let names: Vec<&str> = rows.iter().map(|row| row.split(',').next().unwrap()).collect();
        assert_eq!(names, ["u64", "u32", "u8"], "{implementation}");
        // Each method loads the type of its name and no other.
        for (row, name) in rows.iter().zip(names) {
            let types: Vec<&str> = row
                .split([',', ' ', ')', ';'])
                .filter(|word| ["bool", "char", "u8", "u16", "u32", "u64", "i8", "i32", "i64"].contains(word))
                .collect();
            assert_eq!(types, [name, name], "{implementation}: {row}");
        }
    }
}

#[test]
fn nothing_allocates_or_needs_std() {
    let text = &sources()["lib.rs"];
    assert!(text.contains("#![cfg_attr(not(test), no_std)]"));
    for needle in ["extern crate", "std::", "alloc::", "Box<", "Vec<", "String"] {
        assert_eq!(files_with(needle), set(&[]), "{needle}");
    }
}
