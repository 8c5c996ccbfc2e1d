//! Functions before and after each malloc, calloc, realloc and free of the allocator's domains raw, mem and obj
//! (`PyMem_SetAllocator`). Who watches, chooses what happens; this file only stands in between.
//!
//! # Invariant
//!
//! A hook passes every call on to the allocator that was there before, with the same arguments, and returns what that returned: what
//! was handed out stays valid. A [`Hook`] is leaked before its functions are installed: another thread may be in one at any time, so
//! hooks are never taken out.
#![allow(unsafe_code)]

use libc::{c_void, size_t};
use sigwalk_embed::pyo3::{Python, ffi};

/// Watches calls of the allocators.
pub trait Observer {
    /// What goes from one side of a call to the other.
    type Token;

    /// Before the allocator's own work.
    fn before(call: &Call) -> Self::Token;

    /// After it. `block` is what was returned; NULL of `free` and of what failed.
    fn after(token: Self::Token, call: &Call, block: *mut c_void);
}

/// A call of an allocator.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// `raw`, `mem` or `obj`.
    pub domain: &'static str,
    /// `malloc`, `calloc`, `realloc` or `free`.
    pub function: &'static str,
    /// The block that was given, of `realloc` and `free`; else NULL.
    pub block: *mut c_void,
    /// Bytes that were asked for; 0 of `free`.
    pub size: usize,
}

type Domain = ffi::PyMemAllocatorDomain;

const DOMAINS: [(Domain, &str); 3] =
    [(Domain::PYMEM_DOMAIN_RAW, "raw"), (Domain::PYMEM_DOMAIN_MEM, "mem"), (Domain::PYMEM_DOMAIN_OBJ, "obj")];

/// One domain's hook: its name, and what was there before.
struct Hook {
    domain: &'static str,
    context: *mut c_void,
    malloc: extern "C" fn(*mut c_void, size_t) -> *mut c_void,
    calloc: extern "C" fn(*mut c_void, size_t, size_t) -> *mut c_void,
    realloc: extern "C" fn(*mut c_void, *mut c_void, size_t) -> *mut c_void,
    free: extern "C" fn(*mut c_void, *mut c_void),
}

/// Installs `W` in every domain, for ever.
///
/// # Errors
/// An allocator lacks a function.
pub fn install<W: Observer>() -> Result<(), String> {
    Python::attach(|_| DOMAINS.iter().try_for_each(|&(domain, name)| install_in::<W>(domain, name)))
}

fn install_in<W: Observer>(domain: Domain, name: &'static str) -> Result<(), String> {
    let mut before = ffi::PyMemAllocatorEx {
        ctx: std::ptr::null_mut(),
        malloc: None,
        calloc: None,
        realloc: None,
        free: None,
    };
    // SAFETY: attached; the allocator is written.
    unsafe { ffi::PyMem_GetAllocator(domain, &mut before) };
    let ffi::PyMemAllocatorEx {
        ctx,
        malloc: Some(malloc),
        calloc: Some(calloc),
        realloc: Some(realloc),
        free: Some(free),
    } = before
    else {
        return Err(format!("hook: the allocator of the domain {name} lacks a function"));
    };
    let hook: &'static Hook =
        Box::leak(Box::new(Hook { domain: name, context: ctx, malloc, calloc, realloc, free }));
    let mut ours = ffi::PyMemAllocatorEx {
        ctx: std::ptr::from_ref(hook).cast_mut().cast(),
        malloc: Some(on_malloc::<W>),
        calloc: Some(on_calloc::<W>),
        realloc: Some(on_realloc::<W>),
        free: Some(on_free::<W>),
    };
    // SAFETY: attached, and no other thread of Python's is there yet; the functions have the types that are expected, and
    // pass everything on (the module's invariant).
    unsafe { ffi::PyMem_SetAllocator(domain, &mut ours) };
    Ok(())
}

#[inline(always)]
fn around<W: Observer>(
    context: *mut c_void,
    function: &'static str,
    (block, size): (*mut c_void, usize),
    run: impl FnOnce(&Hook) -> *mut c_void,
) -> *mut c_void {
    // SAFETY: the context of our own allocators: a leaked Hook.
    let hook = unsafe { &*context.cast::<Hook>() };
    let call = Call { domain: hook.domain, function, block, size };
    let token = W::before(&call);
    let result = run(hook);
    W::after(token, &call, result);
    result
}

const NULL: *mut c_void = std::ptr::null_mut();

extern "C" fn on_malloc<W: Observer>(context: *mut c_void, size: size_t) -> *mut c_void {
    around::<W>(context, "malloc", (NULL, size), |hook| (hook.malloc)(hook.context, size))
}

extern "C" fn on_calloc<W: Observer>(context: *mut c_void, count: size_t, size: size_t) -> *mut c_void {
    let bytes = count.saturating_mul(size);
    around::<W>(context, "calloc", (NULL, bytes), |hook| (hook.calloc)(hook.context, count, size))
}

extern "C" fn on_realloc<W: Observer>(context: *mut c_void, block: *mut c_void, size: size_t) -> *mut c_void {
    around::<W>(context, "realloc", (block, size), |hook| (hook.realloc)(hook.context, block, size))
}

extern "C" fn on_free<W: Observer>(context: *mut c_void, block: *mut c_void) {
    around::<W>(context, "free", (block, 0), |hook| {
        (hook.free)(hook.context, block);
        NULL
    });
}
