//! What a walk delivers: fixed-size frames in a buffer of the caller.

use crate::addr::Addr;

/// `lasti` of a frame whose instruction offset is not known.
pub const NO_LASTI: i32 = i32::MIN;
/// `line` of a frame whose line is not known or was not asked for. CPython's own value for "no line".
pub const NO_LINE: i32 = -1;

/// One Python frame, innermost first in a [`FrameBuf`].
///
/// Everything is *borrowed*: the code object may die the moment the walk returns (claim C8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Frame {
    /// Address of the interpreter frame.
    pub frame: Addr,
    /// Address of the code object.
    pub code: Addr,
    /// Instruction offset in the code, bytes. [`NO_LASTI`] when unknown.
    pub lasti: i32,
    /// Line in the file, 1-based. [`NO_LINE`] when unknown or not asked for.
    pub line: i32,
}

/// A caller's buffer that is filled from the front. Frames that were collected stay there whatever ends the walk.
///
/// # Signal safety
///
/// Plain memory of the caller; nothing here allocates or panics.
#[derive(Debug)]
pub struct FrameBuf<'a> {
    frames: &'a mut [Frame],
    len: usize,
}

impl<'a> FrameBuf<'a> {
    /// An empty buffer over `frames`.
    #[must_use]
    pub fn new(frames: &'a mut [Frame]) -> Self {
        FrameBuf { frames, len: 0 }
    }

    /// Frames collected, innermost first.
    #[must_use]
    pub fn frames(&self) -> &[Frame] {
        &self.frames[..self.len]
    }

    /// Frames that fit.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.frames.len()
    }

    /// Forgets the frames.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Appends a frame; `false` when the buffer is full.
    #[inline(always)]
    pub fn push(&mut self, frame: Frame) -> bool {
        match self.frames.get_mut(self.len) {
            Some(place) => {
                *place = frame;
                self.len += 1;
                true
            }
            None => false,
        }
    }

    /// The part that is not filled yet: for a walker that fills frames itself, and then says so by [`FrameBuf::advance`].
    #[inline(always)]
    #[must_use]
    pub fn room(&mut self) -> &mut [Frame] {
        self.frames.get_mut(self.len..).unwrap_or_default()
    }

    /// Says that `count` frames of [`FrameBuf::room`] were filled; more than there are is all.
    #[inline(always)]
    pub fn advance(&mut self, count: usize) {
        self.len = (self.len + count).min(self.frames.len());
    }

    /// The frames collected, to be changed.
    #[inline(always)]
    #[must_use]
    pub fn filled(&mut self) -> &mut [Frame] {
        self.frames.get_mut(..self.len).unwrap_or_default()
    }

    /// Keeps the innermost `count` frames.
    #[inline(always)]
    pub(crate) fn keep(&mut self, count: usize) {
        self.len = self.len.min(count);
    }
}
