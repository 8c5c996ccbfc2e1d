//! Room for a walk's frames inside the array that the frames with names will fill, so that a handler needs no second
//! buffer.
//!
//! The walk's frames (24 bytes) stand at the end of the array, and entries are made from its front. Entry `i` is
//! written after walk frame `i` was taken out, and ends before walk frame `i + 1` begins: with `n` entries of `S` bytes
//! and `k = n − i − 1` frames left, they begin `24 k` bytes before the end (up to 4 more, for their alignment), and
//! entry `i` ends `S k` bytes before it.
//!
//! # Invariant
//!
//! `infos` points to `len` entries that are borrowed mutably for as long as the scratch lives, and `frames` to `len`
//! aligned, initialised walk frames inside them. Both types are integers of C layout: every bit pattern is a value of
//! both.
#![allow(unsafe_code)]

use super::FrameInfo;
use crate::frame::Frame;
use core::marker::PhantomData;

pub(super) struct Scratch<'a, const FILENAME: usize, const NAME: usize> {
    infos: *mut FrameInfo<FILENAME, NAME>,
    frames: *mut Frame,
    len: usize,
    borrowed: PhantomData<&'a mut [FrameInfo<FILENAME, NAME>]>,
}

impl<'a, const FILENAME: usize, const NAME: usize> Scratch<'a, FILENAME, NAME> {
    /// 24 bytes a walk frame, and 4 for the alignment.
    const FITS: () = assert!(
        size_of::<FrameInfo<FILENAME, NAME>>() >= size_of::<Frame>() + 4,
        "the two arrays of a FrameInfo have at least 16 bytes together"
    );

    pub(super) fn new(infos: &'a mut [FrameInfo<FILENAME, NAME>]) -> Self {
        let () = Self::FITS;
        let len = infos.len();
        let range = infos.as_mut_ptr_range();
        let slack = range.end as usize % align_of::<Frame>();
        let frames = match len {
            // Not a place in the array, which has none.
            0 => core::ptr::dangling_mut(),
            _ => range.end.wrapping_byte_sub(len * size_of::<Frame>() + slack).cast::<Frame>(),
        };
        // SAFETY: by FITS the array has that many bytes; its end less `slack` is aligned, and so are the frames before
        // it. Zeroed, because the padding of a FrameInfo may be uninitialised.
        unsafe { frames.write_bytes(0, len) };
        Scratch { infos: range.start, frames, len, borrowed: PhantomData }
    }

    /// Room for as many walk frames as there are entries.
    pub(super) fn frames(&mut self) -> &mut [Frame] {
        // SAFETY: the module's invariant; nothing else touches the array while this borrow lives.
        unsafe { core::slice::from_raw_parts_mut(self.frames, self.len) }
    }

    /// Makes the first `count` entries out of the first `count` walk frames; `fill` gets an entry of zeroes. The other
    /// entries become zeroes.
    pub(super) fn finish(self, count: usize, mut fill: impl FnMut(Frame, &mut FrameInfo<FILENAME, NAME>)) {
        let count = count.min(self.len);
        for index in 0..count {
            // SAFETY: the module's invariant: the frame is taken out before the entry that may overlap it is written,
            // and entries written earlier end before it. An entry of zeroes is valid, and made without a copy on the
            // stack.
            unsafe {
                let frame = self.frames.add(index).read();
                let info = self.infos.add(index);
                info.write_bytes(0, 1);
                fill(frame, &mut *info);
            }
        }
        // SAFETY: inside the array; no walk frame is needed any more.
        unsafe { self.infos.add(count).write_bytes(0, self.len - count) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::Addr;

    fn frame(number: usize) -> Frame {
        let at = |part: u64| Addr::new(number as u64 * 0x0101_0101_0101 + part);
        Frame { frame: at(1), code: at(2), lasti: number as i32 + 3, line: number as i32 + 4 }
    }

    /// Each frame comes out as it was put in, for every length, at both alignments of the array's end.
    fn survives<const FILENAME: usize, const NAME: usize>() {
        for len in 0..20 {
            for count in 0..=len {
                for skip in 0..2 {
                    let mut infos = vec![FrameInfo::<FILENAME, NAME>::EMPTY; len + skip];
                    let mut scratch = Scratch::new(&mut infos[..len]);
                    let frames = scratch.frames();
                    assert_eq!(frames.len(), len);
                    assert_eq!(frames.as_ptr() as usize % align_of::<Frame>(), 0);
                    for (number, place) in frames.iter_mut().enumerate() {
                        *place = frame(number);
                    }
                    let mut seen = 0;
                    scratch.finish(count, |found, info| {
                        assert_eq!(found, frame(seen), "{len} entries of {FILENAME} and {NAME}");
                        info.filename.fill(0xff);
                        info.name.fill(0xff);
                        info.line = found.line;
                        seen += 1;
                    });
                    assert_eq!(seen, count);
                    for (number, info) in infos[..len].iter().enumerate() {
                        let line = if number < count { number as i32 + 4 } else { 0 };
                        assert_eq!(info.line, line);
                        assert!(info.name.iter().all(|byte| *byte == if number < count { 0xff } else { 0 }));
                    }
                    assert!(infos[len..].iter().all(|info| *info == FrameInfo::EMPTY), "behind the array");
                }
            }
        }
    }

    #[test]
    fn walk_frames_survive_the_entries_that_are_made_of_them() {
        survives::<180, 64>();
        survives::<501, 501>();
        // The smallest, of 28 bytes: every second end of an array is not aligned for a walk frame.
        survives::<8, 8>();
        survives::<17, 4>();
    }
}
