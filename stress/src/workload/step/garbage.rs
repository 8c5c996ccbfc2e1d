//! What lies on the C stack below the target before its first window. 3.11 and 3.12 read it: `tstate->cframe` points to a new
//! `_PyCFrame` there some instructions before anything is written to it (S2). Left to chance, it would be what the harness had
//! on the stack last, and the same trial would end otherwise after a resumption. So it follows from the seed, and is of the kinds
//! that old stacks hold.

use crate::hash;
use sigwalk_embed::Live;
use std::hint::black_box;

/// Deeper than the first calls of any window reach.
const WORDS: usize = 16 * 1024;

/// Covers the stack below the caller.
#[inline(never)]
pub fn leave(live: &Live, seed: u64) {
    let tstate = live.tstate().map_or(0, |state| state.get());
    let chunk_at = live.tstate().map(|state| state.plus(live.interpreter.layout.thread.datastack_chunk));
    let chunk = chunk_at.and_then(|at| live.word(at)).unwrap_or(0);
    let code_type = live.interpreter.code_type.get();
    let mut words = [0_u64; WORDS];
    let mut random = seed;
    let own = black_box(&raw const words) as u64;
    for word in &mut words {
        random = hash::next(random);
        let value = hash::mix(random);
        *word = match value >> 61 {
            0 => 0,
            1 => value & 0xff,
            2 => chunk + (value & 0x3ff8),
            3 => own + (value & 0xfff8),
            4 => tstate,
            5 => code_type,
            6 => chunk,
            _ => value,
        };
    }
    black_box(&words);
}
