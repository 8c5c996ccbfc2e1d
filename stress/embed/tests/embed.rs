//! Everything this crate promises, on whichever interpreter PYO3_PYTHON names. One test: a process has one interpreter, and
//! its main thread must be the one that started it.
#![allow(unsafe_code)]

use pyo3::ffi;
use pyo3::prelude::*;
use sigwalk_embed::symbols::{How, describe, find};
use sigwalk_embed::tls::{TlsSlots, slots};
use sigwalk_embed::{
    Options, bound_key, environment, hexversion, initialize, interpreter, pyo3, runtime_symbols,
};
use std::ffi::{CStr, CString, c_char};
use std::{env, fs, thread};

#[test]
fn embedded_interpreter_is_what_it_says() {
    let before = interpreter().expect("facts before initialisation");
    let dispositions = signal_dispositions();
    initialize(Options::default()).expect("initialised");
    assert_eq!(signal_dispositions(), dispositions, "signals belong to the experiment");
    initialize(Options::default()).expect("a second call does nothing");
    Python::attach(|py| {
        python_side(py);
        facts();
        assert_eq!(interpreter().as_ref(), Ok(&before), "facts do not change with initialisation");
        addresses(py);
        names();
        thread_states();
    });
    machine();
}

/// Which signals are ignored and which are caught, as masks.
fn signal_dispositions() -> Vec<String> {
    let status = fs::read_to_string("/proc/self/status").expect("status");
    status
        .lines()
        .filter(|line| line.starts_with("SigIgn") || line.starts_with("SigCgt"))
        .map(str::to_owned)
        .collect()
}

/// Evaluates one expression to text.
fn eval(py: Python<'_>, code: &CStr) -> String {
    py.eval(code, None, None).expect("expression").str().expect("text").to_string()
}

fn python_side(py: Python<'_>) {
    let json = py.import("json").expect("the standard library is found");
    let text = json.call_method1("dumps", ([1, 2, 3],)).expect("json works");
    assert_eq!(text.to_string(), "[1, 2, 3]");
    let facts = interpreter().expect("facts");
    assert_eq!(eval(py, c"__import__('sys').version").replace('\n', " "), facts.version);
    assert_eq!(eval(py, c"'%#010x' % __import__('sys').hexversion"), facts.hexversion);
    assert_eq!(
        eval(py, c"hasattr(__import__('sys'), 'gettotalrefcount')"),
        if facts.debug { "True" } else { "False" }
    );
    assert_eq!(eval(py, c"'site' in __import__('sys').modules"), "False");
    // Extension modules come from the same tree, with the libraries that they need.
    for module in ["_ssl", "_ctypes", "_sqlite3"] {
        py.import(module).unwrap_or_else(|error| panic!("{module}: {error}"));
    }
    let executable = eval(py, c"__import__('sys').executable");
    assert_eq!(executable, sigwalk_embed::EXECUTABLE);
    let child = "__import__('subprocess').check_output([__import__('sys').executable, '-c', 'print(6*7)']).decode().strip()";
    assert_eq!(eval(py, &CString::new(child).expect("text")), "42");
}

/// The name under which CPython itself knows the allocator that it uses, for instance `pymalloc_debug`.
fn allocator_in_use() -> String {
    let found = find("_PyMem_GetCurrentAllocatorName").expect("exported by all versions");
    // SAFETY: that function takes nothing and returns a static string or NULL, in every version.
    unsafe {
        let name: extern "C" fn() -> *const c_char = std::mem::transmute(found.addr);
        CStr::from_ptr(name()).to_string_lossy().into_owned()
    }
}

fn facts() {
    let facts = interpreter().expect("facts");
    println!("{facts:#?}");
    println!("{:#?}", environment());
    assert_eq!(facts.tag.split('-').next().map(|tag| tag.ends_with('d')), Some(facts.debug));
    assert_eq!(facts.tag.ends_with("-malloc_debug"), env::var("PYTHONMALLOC").as_deref() == Ok("debug"));
    // PYTHONMALLOC is part of an experiment, and so must take effect although the interpreter is isolated otherwise.
    let debug_hooks = facts.debug || facts.allocator.ends_with("debug");
    assert_eq!(allocator_in_use().ends_with("_debug"), debug_hooks, "{} in use", allocator_in_use());
    assert!(facts.libpython.contains("libpython3."), "{}", facts.libpython);
    assert!(!facts.libpython.starts_with('/'), "{} is relative", facts.libpython);
    assert!((100_000..1_000_000).contains(&facts.runtime_size), "{}", facts.runtime_size);
    assert!(facts.compiler.contains("GCC") || facts.compiler.contains("Clang"), "{}", facts.compiler);
}

fn addresses(py: Python<'_>) {
    let symbols = runtime_symbols().expect("symbols");
    assert_eq!(symbols.none.addr, py.None().as_ptr() as usize);
    assert_eq!(symbols.code_type.addr, &raw const ffi::PyCode_Type as usize);
    assert_eq!(symbols.unicode_type.addr, &raw const ffi::PyUnicode_Type as usize);
    assert_eq!(symbols.bytes_type.addr, &raw const ffi::PyBytes_Type as usize);
    // SAFETY: the address of an unsigned long that was just found.
    assert_eq!(unsafe { *(symbols.version.addr as *const u64) }, u64::from(hexversion()));
    assert!(symbols.runtime.how == How::Exported && symbols.code_type.size > 100);
    assert_eq!(find("no_such_symbol"), None);
    // Hidden in 3.12 and 3.13.0, where .symtab was kept; the test is only for builds that are not stripped.
    if let Some(hidden) = find("_PyLineTable_NextAddressRange") {
        println!("_PyLineTable_NextAddressRange: {hidden:x?}");
        assert!(
            describe(hidden.addr + 1).contains("(in _PyLineTable_NextAddressRange+0x1)"),
            "{}",
            describe(hidden.addr + 1)
        );
    }
}

fn names() {
    let call = find("PyObject_Call").expect("exported");
    let text = describe(call.addr + 16);
    println!("{text}");
    assert!(text.starts_with("libpython3.") && text.ends_with("(in PyObject_Call+0x10)"), "{text}");
    let own = describe(names as *const () as usize);
    assert!(own.starts_with("embed-") && own.contains("names"), "{own}");
    assert_eq!(describe(0x10), "0x10");
}

fn thread_states() {
    let minor = (hexversion() >> 16) & 0xff;
    let found = slots();
    println!("{found:?}, key {:?}", bound_key());
    match minor {
        11 => assert_eq!(found, None),
        12..=14 => assert!(matches!(found, Some(TlsSlots { attached: Some(_), bound: None })), "{found:?}"),
        _ => assert!(matches!(found, Some(TlsSlots { attached: Some(_), bound: Some(_) })), "{found:?}"),
    }
    assert_eq!(bound_key().is_some(), minor < 15);
    // SAFETY: attached.
    assert_eq!(unsafe { ffi::PyGILState_Check() }, 1, "the search leaves the caller attached");
    thread::spawn(|| assert_eq!(bound_key(), None, "a thread without a thread state has no key to prove"))
        .join()
        .expect("thread");
    // SAFETY: attached; the key names this thread's state.
    unsafe {
        if let Some(key) = bound_key() {
            assert_eq!(libc::pthread_getspecific(key), ffi::PyGILState_GetThisThreadState().cast());
        }
    }
}

fn machine() {
    let machine = environment();
    assert!(machine.cores >= 1 && machine.rustc.starts_with("rustc ") && machine.libc.starts_with("glibc "));
    assert!(machine.kernel != "unknown" && machine.os != "unknown" && machine.load != "unknown");
    let exe = fs::read_link("/proc/self/exe").expect("link");
    assert_eq!(exe, env::current_exe().expect("path"));
    assert!(
        exe.to_string_lossy().contains("embed-"),
        "/proc/self/exe is this binary, no loader: {}",
        exe.display()
    );
}
