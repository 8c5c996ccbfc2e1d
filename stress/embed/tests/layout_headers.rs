//! Every offset of the constant tables equals what the interpreter's own headers say, for the interpreter that
//! PYO3_PYTHON names. Needs a C compiler and the headers (Debian: libpython3.X-dev); fails without them, because a
//! layout that nobody checked is a guess.

use sigwalk::layout::{Head, Layout, Outermost, Version, chunk};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// name → offset or size, bytes
fn by_headers() -> BTreeMap<String, u64> {
    let include = Path::new(env!("SIGWALK_EMBED_INCLUDE"));
    assert!(
        include.join("internal/pycore_interp.h").exists(),
        "no internal headers in {}; install them (Debian: libpython3.X-dev)",
        include.display()
    );
    let program = tempfile::tempdir().unwrap().keep().join("layout_headers");
    let flag = |dir: &Path| format!("-I{}", dir.display());
    let compiled = Command::new("cc")
        .args([
            flag(include),
            flag(&include.join("internal")),
            flag(&include.join("internal/mimalloc")),
            flag(include.parent().unwrap()),
        ])
        // Py_DEBUG comes from pyconfig.h; the same offsets with and without it.
        .args(["-w", "-o"])
        .arg(&program)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/layout_headers.c"))
        .output()
        .expect("a C compiler, cc");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let output = Command::new(&program).output().unwrap();
    std::fs::remove_dir_all(program.parent().unwrap()).unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

/// The same, by our constants.
fn by_constants(version: Version) -> BTreeMap<String, u64> {
    let layout = Layout::constants(version).unwrap();
    let (r, t, f, c, x) = (layout.runtime, layout.thread, layout.frame, layout.code, layout.text);
    let (cframe, current_frame) = match t.head {
        Head::Cframe { cframe, current_frame } => (Some(cframe), current_frame),
        Head::Direct { current_frame } => (None, current_frame),
    };
    let outermost = match f.outermost {
        Outermost::IsEntry(offset) | Outermost::BaseFrame(offset) => Some(offset),
        Outermost::EntryFrame => None,
    };
    [
        ("runtime.interpreters_head", Some(r.interpreters_head)),
        ("runtime.auto_tss_key", r.auto_tss_key),
        ("runtime.interp_next", Some(r.interp_next)),
        ("runtime.threads_head", Some(r.threads_head)),
        ("runtime.code_object_generation", r.code_object_generation),
        ("thread.prev", Some(t.prev)),
        ("thread.next", Some(t.next)),
        ("thread.interp", Some(t.interp)),
        ("thread.head.cframe", cframe),
        ("thread.head.current_frame", Some(current_frame)),
        ("thread.thread_id", Some(t.thread_id)),
        ("thread.native_thread_id", Some(t.native_thread_id)),
        ("thread.datastack_chunk", Some(t.datastack_chunk)),
        // The walk relies on these two following the chunk pointer.
        ("datastack_top", Some(t.datastack_chunk + 8)),
        ("datastack_limit", Some(t.datastack_chunk + 16)),
        ("frame.executable", Some(f.executable)),
        ("frame.instruction", Some(f.instruction)),
        ("frame.previous", Some(f.previous)),
        ("frame.globals", Some(f.globals)),
        ("frame.builtins", Some(f.builtins)),
        ("frame.owner", Some(f.owner)),
        ("frame.outermost", outermost),
        ("frame.size", Some(f.size)),
        ("code.ob_type", Some(c.ob_type)),
        ("code.units", Some(c.units)),
        ("code.firstlineno", Some(c.firstlineno)),
        ("code.filename", Some(c.filename)),
        ("code.name", Some(c.name)),
        ("code.qualname", Some(c.qualname)),
        ("code.version", c.version),
        ("code.linetable", Some(c.linetable)),
        ("code.firsttraceable", Some(c.firsttraceable)),
        ("code.adaptive", Some(c.adaptive)),
        ("code.size", Some(c.size)),
        ("code.monitoring", c.monitoring),
        ("code.monitoring_lines", c.monitoring.map(|_| c.monitoring_lines)),
        ("text.bytes_size", Some(x.bytes_size)),
        ("text.bytes_data", Some(x.bytes_data)),
        ("text.length", Some(x.length)),
        ("text.state", Some(x.state)),
        ("text.ascii_data", Some(x.ascii_data)),
        ("text.compact_data", Some(x.compact_data)),
        ("chunk.previous", Some(chunk::PREVIOUS)),
        ("chunk.size", Some(chunk::SIZE)),
        ("chunk.top", Some(chunk::TOP)),
        ("chunk.data", Some(chunk::DATA)),
    ]
    .into_iter()
    .filter_map(|(name, offset)| Some((name.to_owned(), u64::from(offset?))))
    .collect()
}

#[test]
fn constants_equal_the_interpreters_own_headers() {
    let mut headers = by_headers();
    let version = Version::from_hex(headers.remove("version").unwrap());
    assert_eq!(version.hex(), sigwalk_embed::hexversion(), "headers of another version");
    assert_eq!(by_constants(version), headers);
}
