//! A real stack to change: made by Python, captured at its bottom, where nothing else runs.
#![allow(unsafe_code)]

use super::victims::Victims;
use crate::failure::Failure;
use sigwalk::addr::Addr;
use sigwalk::layout::Head;
use sigwalk_embed::Live;
use sigwalk_embed::pyo3::prelude::*;

/// Python source of [`KINDS`].
pub const SOURCE: &str = include_str!("stack.py");

/// How a function of the chain calls the next.
pub const KINDS: [&str; 7] = ["plain", "c", "comprehension", "generator", "coroutine", "init", "wide"];

/// A frame of the chain, as found, entry frames included.
#[derive(Clone, Copy, Debug)]
pub struct Raw {
    /// Its address.
    pub frame: Addr,
    /// Its code object; of an entry frame, whatever stands there.
    pub code: Addr,
}

/// Memory for values that point somewhere.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Address of `size` bytes that cannot be read.
    pub unmapped: u64,
    /// Address of `size` readable random bytes.
    pub garbage: u64,
    /// Size of each, bytes.
    pub size: u64,
}

impl Memory {
    /// Reserves both.
    ///
    /// # Errors
    /// The kernel has no memory.
    pub fn reserve(mut random: impl FnMut() -> u64) -> Result<Memory, Failure> {
        const SIZE: usize = 1 << 16;
        let map = |protection| {
            // SAFETY: a fresh private mapping, never unmapped: its addresses stay ours for the whole run.
            let page = unsafe {
                libc::mmap(
                    std::ptr::null_mut(),
                    SIZE,
                    protection,
                    libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                    -1,
                    0,
                )
            };
            if page == libc::MAP_FAILED {
                let error = std::io::Error::last_os_error();
                return Err(Failure::internal(format!("memory for mutations: {error}")));
            }
            Ok(page)
        };
        let garbage = map(libc::PROT_READ | libc::PROT_WRITE)?.cast::<u64>();
        for word in 0..SIZE / 8 {
            // SAFETY: inside the mapping.
            unsafe { garbage.add(word).write(random()) };
        }
        Ok(Memory { unmapped: map(libc::PROT_NONE)? as u64, garbage: garbage as u64, size: SIZE as u64 })
    }
}

/// The stack of the calling thread.
pub struct Captured<'a> {
    /// The interpreter.
    pub live: &'a Live,
    /// Where values may point.
    pub memory: Memory,
    /// Memory that was freed.
    pub victims: Victims,
    /// The thread state.
    pub tstate: Addr,
    /// The head of the chain: the structure it is in, and its offset there.
    pub head: (Addr, u32),
    /// The whole chain, innermost first.
    pub chain: Vec<Raw>,
    /// Indices in `chain` of frames that have a code object.
    pub python: Vec<usize>,
}

impl<'a> Captured<'a> {
    /// Captures the calling thread's chain.
    ///
    /// # Errors
    /// It has none, or its memory is not what the layout says.
    pub fn here(live: &'a Live, memory: Memory, victims: Victims) -> Result<Captured<'a>, String> {
        let layout = &live.interpreter.layout;
        let word = |at: Addr| live.word(at).map(Addr::new).ok_or_else(|| format!("{at} cannot be read"));
        let tstate = live.tstate().ok_or("no thread state")?;
        let head = head_of(live, tstate).ok_or("the thread state cannot be read")?;
        let mut frame = word(head.0.plus(head.1))?;
        let mut chain = Vec::new();
        while !frame.is_null() && chain.len() < 1000 {
            let mut code = word(frame.plus(layout.frame.executable))?;
            if layout.frame.tagged {
                code = Addr::new(code.get() & !1);
            }
            chain.push(Raw { frame, code });
            frame = word(frame.plus(layout.frame.previous))?;
        }
        let is_code = |raw: &Raw| {
            live.word(raw.code.plus(layout.code.ob_type)) == Some(live.interpreter.code_type.get())
        };
        let python: Vec<usize> =
            chain.iter().enumerate().filter(|(_, raw)| is_code(raw)).map(|(index, _)| index).collect();
        if python.is_empty() {
            return Err("the stack has no Python frame".into());
        }
        Ok(Captured { live, memory, victims, tstate, head, chain, python })
    }
}

/// Where a thread state keeps its innermost frame: the structure, and the offset in it.
pub fn head_of(live: &Live, tstate: Addr) -> Option<(Addr, u32)> {
    match live.interpreter.layout.thread.head {
        Head::Direct { current_frame } => Some((tstate, current_frame)),
        Head::Cframe { cframe, current_frame } => {
            Some((Addr::new(live.word(tstate.plus(cframe))?), current_frame))
        }
    }
}

/// Makes what the first `compile` of a process makes, before anything is forked: the types of the syntax tree.
///
/// # Errors
/// Of Python.
pub fn warm_up() -> PyResult<()> {
    Python::attach(|py| py.run(c"compile('def f(a):\\n    return a', '<warm-up>', 'exec')", None, None))
}
