//! The code objects of a churn: a number for each, and the news of its death, on every version.
//!
//! What others attach to a code object (`PyUnstable_Code_SetExtra`, before 3.12 `_PyCode_SetExtra`) is given back to them by the first
//! lines of its deallocator. So the number is attached to it, and that is how it comes back: exactly once, before anything of the object
//! is freed. Weak references would tell it, too, but would be objects of their own in the memory that is looked at.
//!
//! # Invariant
//!
//! The functions are those of the loaded libpython, by the names that its headers give these types. They are called attached, with
//! a code object that is alive.
#![allow(unsafe_code)]

use crate::lifetime::trial;
use libc::{c_int, c_void, ssize_t};
use sigwalk_embed::pyo3::ffi::PyObject;
use sigwalk_embed::symbols;
use std::sync::OnceLock;

type Free = unsafe extern "C" fn(*mut c_void);
type Request = unsafe extern "C" fn(Free) -> ssize_t;
type Set = unsafe extern "C" fn(*mut PyObject, ssize_t, *mut c_void) -> c_int;
type Get = unsafe extern "C" fn(*mut PyObject, ssize_t, *mut *mut c_void) -> c_int;
/// `PyCode_WatchCallback`.
type Watch = unsafe extern "C" fn(event: c_int, code: *mut PyObject) -> c_int;
type AddWatcher = unsafe extern "C" fn(Watch) -> c_int;

/// `PY_CODE_EVENT_DESTROY`: the second of two.
const DESTROY: c_int = 1;

/// The interpreter's functions, and the place that is ours in each code object.
#[derive(Clone, Copy)]
struct Extra {
    index: ssize_t,
    set: Set,
    get: Get,
}

static EXTRA: OnceLock<Extra> = OnceLock::new();

fn find(names: [&str; 2]) -> Result<usize, String> {
    names
        .iter()
        .find_map(|name| symbols::find(name))
        .map(|found| found.addr)
        .ok_or_else(|| format!("libpython exports none of {}", names.join(", ")))
}

/// Takes a place in every code object. Attached, once a process.
///
/// # Errors
/// This libpython has no such functions, or no place left.
pub fn prepare() -> Result<(), String> {
    let request = find(["PyUnstable_Eval_RequestCodeExtraIndex", "_PyEval_RequestCodeExtraIndex"])?;
    let set = find(["PyUnstable_Code_SetExtra", "_PyCode_SetExtra"])?;
    let get = find(["PyUnstable_Code_GetExtra", "_PyCode_GetExtra"])?;
    // SAFETY: by the module's invariant these are the functions of these types.
    let (request, set, get) = unsafe {
        (
            std::mem::transmute::<usize, Request>(request),
            std::mem::transmute::<usize, Set>(set),
            std::mem::transmute::<usize, Get>(get),
        )
    };
    // SAFETY: attached; `free` lives for ever and takes what `number` attached.
    let index = unsafe { request(free) };
    if index < 0 {
        return Err("no place is left in code objects".into());
    }
    EXTRA.set(Extra { index, set, get }).map_err(|_| "prepared twice".to_owned())
}

/// Attaches a number, which is not 0, to a code object.
///
/// # Errors
/// What is given is no code object, or there is no memory: an exception is set.
///
/// # Safety
/// Attached; `code` is a living object.
pub unsafe fn number(code: *mut PyObject, serial: u64) -> Result<(), ()> {
    let extra = EXTRA.get().ok_or(())?;
    // SAFETY: the caller's; the number is not followed as a pointer by anybody.
    match unsafe { (extra.set)(code, extra.index, serial as *mut c_void) } {
        0 => Ok(()),
        _ => Err(()),
    }
}

/// The number of a code object; `None` of one that got none.
///
/// # Safety
/// Attached; `code` is a living code object. Allocates nothing and sets no exception then.
pub unsafe fn number_of(code: u64) -> Option<u64> {
    let extra = EXTRA.get()?;
    let mut number = std::ptr::null_mut();
    // SAFETY: the caller's; `number` is written.
    let code = unsafe { (extra.get)(code as *mut PyObject, extra.index, &raw mut number) };
    (code == 0 && !number.is_null()).then_some(number as u64)
}

unsafe extern "C" fn free(number: *mut c_void) {
    if !number.is_null() {
        trial::died(number as u64);
    }
}

/// Asks the interpreter to tell of each code object that it destroys.
///
/// # Errors
/// It has no such function (before 3.12), or no place for another watcher.
pub fn watch() -> Result<(), String> {
    let Some(found) = symbols::find("PyCode_AddWatcher") else {
        return Err("PyCode_AddWatcher is new in 3.12".into());
    };
    // SAFETY: the function of that name and type (the module's invariant), attached; `on_event` lives for ever.
    let id = unsafe { std::mem::transmute::<usize, AddWatcher>(found.addr)(on_event) };
    if id < 0 { Err("PyCode_AddWatcher has no place left".into()) } else { Ok(()) }
}

unsafe extern "C" fn on_event(event: c_int, code: *mut PyObject) -> c_int {
    if event == DESTROY {
        trial::destroyed(code as u64);
    }
    0
}
