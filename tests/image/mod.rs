//! Synthetic images of a CPython process, for every minor version: a thread state, its data stack, entry frames on a
//! native stack, code objects with line tables and names. A stack reads as a literal, innermost slot first:
//!
//! ```text
//! Process::new(13, &[Function, Entry, Generator, OlderChunk, Function, Entry])
//! ```
//!
//! A process is healthy when it is made; a test damages one field with [`Process::put`] and says what must come of it.

// Each test crate uses a part of it.
#![allow(dead_code)]

pub mod damage;
mod memory;
pub mod readers;

use memory::Memory;
use sigwalk::addr::Addr;
use sigwalk::checks::Mask;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::heuristics::Era;
use sigwalk::interpreter::Interpreter;
use sigwalk::layout::{Head, Layout, Outermost, Version, chunk};
use sigwalk::reader::{Budgeted, ImageReader, Region};
use sigwalk::walk::{Detail, Request, Walk};
use sigwalk::walkers::{Entry as WalkerEntry, Family};

/// The versions that are walked.
pub const MINORS: [u8; 5] = [11, 12, 13, 14, 15];

/// One place of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// A frame on the data stack, past its RESUME.
    Function,
    /// The same before its RESUME: no walker shows it.
    Incomplete,
    /// A frame inside a generator object, at offset 0, before any RESUME: walkers show it.
    Generator,
    /// A frame inside a frame object.
    FrameObject,
    /// The entry frame of an eval loop, on the native stack (3.11: `is_entry` of the frame before it).
    Entry,
    /// What follows is in an older chunk of the data stack.
    OlderChunk,
}
pub use Slot::*;

pub const TSTATE: u64 = 0x10_0000;
pub const CODE_TYPE: Addr = Addr::new(0x90_0000);
pub const BYTES_TYPE: Addr = Addr::new(0x90_1000);
pub const UNICODE_TYPE: Addr = Addr::new(0x90_2000);
/// `None`, and everything else that a walk must not dereference, is mapped nowhere.
pub const NOWHERE: u64 = 0x66_6660_0000;
/// Code units of every code object, and what its RESUME is behind.
pub const UNITS: u64 = 64;
const FIRSTTRACEABLE: u32 = 2;
const CHUNKS: u64 = 0x20_0000;
const CHUNK_DISTANCE: u64 = 0x1_0000;
/// Where no process on x86-64 Linux has anything: handler tests map the image in their real memory.
const NATIVE: u64 = 0x6ffd_0000_1000;
const HEAP: u64 = 0x40_0000;
const CODES: u64 = 0x50_0000;

/// A process image and what a walk of it must find.
pub struct Process {
    pub interpreter: Interpreter,
    pub tstate: Addr,
    /// Address of each frame, innermost first, entry frames included.
    pub frames: Vec<Addr>,
    /// Code object of each frame; NULL for entry frames.
    pub codes: Vec<Addr>,
    /// What a walk with lines finds.
    pub expected: Vec<Frame>,
    /// Addresses of the data-stack chunks, newest first.
    pub chunks: Vec<Addr>,
    memory: Memory,
}

/// The interpreter of a minor version, with the latest patch level that was checked.
pub fn interpreter(minor: u8) -> Interpreter {
    let micro = match minor {
        11 => 7,
        12 => 1,
        13 => 15,
        14 => 8,
        _ => 0,
    };
    let version = Version::from_hex(3 << 24 | u64::from(minor) << 16 | micro << 8 | 0xf0);
    Interpreter {
        layout: Layout::constants(version).unwrap(),
        runtime: Addr::NULL,
        code_type: CODE_TYPE,
        unicode_type: UNICODE_TYPE,
        bytes_type: BYTES_TYPE,
        era: Era::of(version),
    }
}

impl Process {
    /// A healthy process whose stack is `slots`, innermost first. 3.15 gets its base frame below them.
    pub fn new(minor: u8, slots: &[Slot]) -> Process {
        let mut process = Process {
            interpreter: interpreter(minor),
            tstate: Addr::new(TSTATE),
            frames: Vec::new(),
            codes: Vec::new(),
            expected: Vec::new(),
            chunks: Vec::new(),
            memory: Memory::default(),
        };
        process.memory.map(TSTATE, 1104);
        process.place_frames(slots);
        process.link();
        process
    }

    pub fn layout(&self) -> &Layout {
        &self.interpreter.layout
    }

    pub fn minor(&self) -> u8 {
        self.layout().version.triple().1
    }

    /// Writes 8 bytes.
    pub fn put(&mut self, at: Addr, word: u64) {
        self.memory.write(at, &word.to_le_bytes());
    }

    /// Writes 4 bytes.
    pub fn put_u32(&mut self, at: Addr, word: u32) {
        self.memory.write(at, &word.to_le_bytes());
    }

    /// Writes bytes.
    pub fn put_bytes(&mut self, at: Addr, bytes: &[u8]) {
        self.memory.write(at, bytes);
    }

    /// The word that is there.
    pub fn word(&self, at: Addr) -> u64 {
        self.memory.word(at)
    }

    /// Maps `len` more bytes, zeroed.
    pub fn map(&mut self, at: u64, len: usize) {
        self.memory.map(at, len);
    }

    /// Index in [`Process::frames`] of the `nth` frame that a walk shows.
    pub fn shown(&self, nth: usize) -> usize {
        let at = self.expected[nth].frame;
        self.frames.iter().position(|frame| *frame == at).expect("a shown frame is a frame")
    }

    /// Where the thread state says which frame is innermost.
    pub fn head_field(&self) -> Addr {
        match self.layout().thread.head {
            Head::Direct { current_frame } => self.tstate.plus(current_frame),
            Head::Cframe { current_frame, .. } => Addr::new(NATIVE - 0x800).plus(current_frame),
        }
    }

    /// `executable` of a frame, by its index in [`Process::frames`]; likewise the fields below.
    pub fn executable(&self, frame: usize) -> Addr {
        self.frames[frame].plus(self.layout().frame.executable)
    }

    pub fn previous(&self, frame: usize) -> Addr {
        self.frames[frame].plus(self.layout().frame.previous)
    }

    pub fn instruction(&self, frame: usize) -> Addr {
        self.frames[frame].plus(self.layout().frame.instruction)
    }

    pub fn owner(&self, frame: usize) -> Addr {
        self.frames[frame].plus(self.layout().frame.owner)
    }

    /// Address of byte offset `lasti` in the bytecode of a frame.
    pub fn offset(&self, frame: usize, lasti: i64) -> u64 {
        self.codes[frame].plus(self.layout().code.adaptive).get().wrapping_add_signed(lasti)
    }

    /// The bytes object with the line table of a frame's code.
    pub fn linetable(&self, frame: usize) -> Addr {
        Addr::new(self.word(self.codes[frame].plus(self.layout().code.linetable)))
    }

    /// `datastack_top`.
    pub fn datastack_top(&self) -> Addr {
        self.tstate.plus(self.layout().thread.datastack_chunk + 8)
    }

    pub fn regions(&self) -> Vec<Region<'_>> {
        self.memory.regions()
    }

    pub fn request(&self, detail: Detail) -> Request<'_> {
        Request::new(&self.interpreter, self.tstate, detail)
    }

    /// A walk with lines by a registered walker, into a buffer of `capacity`, with a budget that only an endless walk
    /// spends.
    pub fn walk(&self, walker: &WalkerEntry, detail: Detail, capacity: usize) -> (Walk, Vec<Frame>) {
        self.walk_in(walker.image, detail, capacity, 300_000)
    }

    /// The same by anything that walks an image, with a budget of `loads`.
    pub fn walk_in(
        &self,
        walker: impl FnOnce(&Budgeted<ImageReader<'_>>, &Request<'_>, &mut FrameBuf<'_>) -> Walk,
        detail: Detail,
        capacity: usize,
        loads: u32,
    ) -> (Walk, Vec<Frame>) {
        let regions = self.regions();
        let reader = Budgeted::new(ImageReader::new(&regions), loads);
        let mut frames = vec![Frame::default(); capacity];
        let mut out = FrameBuf::new(&mut frames);
        let walk = walker(&reader, &self.request(detail), &mut out);
        (walk, out.frames().to_vec())
    }

    /// A walk with lines by a family with these checks, with a budget that an endless walk spends soon.
    pub fn walk_by(&self, family: &Family, on: Mask) -> (Walk, Vec<Frame>) {
        self.walk_in(|reader, request, out| (family.image)(on, reader, request, out), Detail::Line, 16, 5000)
    }

    fn place_frames(&mut self, slots: &[Slot]) {
        let layout = *self.layout();
        let size = u64::from(layout.frame.size) + 16;
        let chunks = 1 + slots.iter().filter(|slot| **slot == OlderChunk).count() as u64;
        let per_chunk: Vec<u64> = slots
            .split(|slot| *slot == OlderChunk)
            .map(|part| part.iter().filter(|slot| matches!(slot, Function | Incomplete)).count() as u64)
            .collect();
        for (index, frames) in per_chunk.iter().enumerate() {
            // Every version allocates at least 16 KiB a chunk.
            let at = Addr::new(CHUNKS + (chunks - index as u64) * CHUNK_DISTANCE);
            self.memory.map(at.get(), 0x4000);
            self.put(at.plus(chunk::SIZE), 0x4000);
            if index > 0 {
                self.put(self.chunks[index - 1].plus(chunk::PREVIOUS), at.get());
                self.put(at.plus(chunk::TOP), frames * size / 8);
            }
            self.chunks.push(at);
        }
        let top = self.chunks[0].plus(chunk::DATA).get() + per_chunk[0] * size;
        self.put(self.tstate.plus(layout.thread.datastack_chunk), self.chunks[0].get());
        self.put(self.datastack_top(), top);
        // Deeper native frames are at lower addresses; the page above is where the outermost ones are.
        self.memory.map(NATIVE - 0x1000, 0x8000);
        let (mut part, mut left) = (0, per_chunk[0]);
        for (index, slot) in slots.iter().enumerate() {
            match slot {
                OlderChunk => {
                    part += 1;
                    left = per_chunk[part];
                }
                Entry if layout.frame.entry_owner.is_none() => {
                    let Outermost::IsEntry(offset) = layout.frame.outermost else { unreachable!() };
                    let inner = *self.frames.last().expect("3.11 marks the frame before an entry");
                    self.put_bytes(inner.plus(offset), &[1]);
                }
                Entry => self.entry(Addr::new(NATIVE + index as u64 * 0x80)),
                Function | Incomplete => {
                    left -= 1;
                    let at = self.chunks[part].plus(chunk::DATA).get() + left * size;
                    self.python(Addr::new(at), *slot, 0);
                }
                Generator => self.on_heap(index, *slot, 1),
                FrameObject => self.on_heap(index, *slot, 2),
            }
        }
        if let Outermost::BaseFrame(offset) = layout.frame.outermost {
            let base = self.tstate.plus(888);
            self.put(self.tstate.plus(offset), base.get());
            self.entry(base);
        }
    }

    fn on_heap(&mut self, index: usize, slot: Slot, owner: u8) {
        let object = HEAP + index as u64 * 0x1000;
        self.memory.map(object, 0x200);
        self.python(Addr::new(object + 72), slot, owner);
    }

    /// An entry frame: executable None, what is not valid there is what debug builds write.
    fn entry(&mut self, at: Addr) {
        let layout = *self.layout();
        self.frames.push(at);
        self.codes.push(Addr::NULL);
        let index = self.frames.len() - 1;
        self.put(self.executable(index), NOWHERE | u64::from(layout.frame.tagged));
        self.put(at.plus(layout.frame.globals), 0xaaa1);
        self.put(at.plus(layout.frame.builtins), 0xaaa2);
        self.put(self.instruction(index), NOWHERE + 2);
        self.put_bytes(self.owner(index), &[3]);
    }

    fn python(&mut self, at: Addr, slot: Slot, owner: u8) {
        let layout = *self.layout();
        let index = self.frames.len();
        let code = self.code(index);
        self.frames.push(at);
        self.codes.push(code);
        // Neighbours on a stack have different offsets and lines, inside the 64 units.
        let lasti = match slot {
            Generator | Incomplete => 0,
            _ => 8 + 4 * (index as i32 % 30),
        };
        self.put(self.executable(index), code.get());
        self.put(at.plus(layout.frame.globals), NOWHERE + 0x100);
        self.put(at.plus(layout.frame.builtins), NOWHERE + 0x200);
        self.put(self.instruction(index), self.offset(index, lasti.into()));
        self.put_bytes(self.owner(index), &[owner]);
        if slot != Incomplete {
            self.expected.push(Frame { frame: at, code, lasti, line: line(index, lasti) });
        }
    }

    /// The code object of frame `index`: 64 units, a line every two of them, named `f0`, `f1`….
    fn code(&mut self, index: usize) -> Addr {
        let layout = self.layout().code;
        let text = self.layout().text;
        let at = Addr::new(CODES + index as u64 * 0x1000);
        let [table, name] = [at.plus(0x400), at.plus(0x800)];
        self.memory.map(at.get(), 0xa00);
        self.put(at, 3);
        self.put(at.plus(layout.ob_type), CODE_TYPE.get());
        self.put(at.plus(layout.units), UNITS);
        self.put_u32(at.plus(layout.firstlineno), first_line(index) as u32);
        self.put_u32(at.plus(layout.firsttraceable), FIRSTTRACEABLE);
        self.put(at.plus(layout.linetable), table.get());
        for field in [layout.name, layout.qualname, layout.filename] {
            self.put(at.plus(field), name.get());
        }
        // Kind 11, two units: each entry is one line further than the one before.
        let entries = [0xd9, 0, 4].repeat(UNITS as usize / 2);
        self.put(table, 1);
        self.put(table.plus(layout.ob_type), BYTES_TYPE.get());
        self.put(table.plus(text.bytes_size), entries.len() as u64);
        self.put_bytes(table.plus(text.bytes_data), &entries);
        self.put_text(name, &format!("f{index}"));
        at
    }

    /// Writes a string object: compact, in the narrowest kind. The memory must be mapped.
    pub fn put_text(&mut self, at: Addr, spelled: &str) {
        let (layout, ob_type) = (self.layout().text, self.layout().code.ob_type);
        let widest = spelled.chars().max().unwrap_or('\0') as u32;
        let width = if widest < 0x100 {
            1
        } else if widest < 0x1_0000 {
            2
        } else {
            4
        };
        let points = spelled.chars().flat_map(|point| (point as u32).to_le_bytes().into_iter().take(width));
        self.put(at, 1);
        self.put(at.plus(ob_type), UNICODE_TYPE.get());
        self.put(at.plus(layout.length), spelled.chars().count() as u64);
        // Bits 2 to 4: kind, bit 5: compact, bit 6: ASCII.
        let state = (width as u32) << 2 | 1 << 5 | u32::from(spelled.is_ascii()) << 6;
        self.put_u32(at.plus(layout.state), state);
        let data = if spelled.is_ascii() { layout.ascii_data } else { layout.compact_data };
        self.put_bytes(at.plus(data), &points.collect::<Vec<u8>>());
    }

    /// Makes a chain of the frames and hangs it into the thread state.
    fn link(&mut self) {
        for index in 0..self.frames.len() {
            let next = self.frames.get(index + 1).map_or(0, |frame| frame.get());
            self.put(self.previous(index), next);
        }
        if let Head::Cframe { cframe, .. } = self.layout().thread.head {
            self.put(self.tstate.plus(cframe), NATIVE - 0x800);
        }
        let innermost = self.frames.first().map_or(0, |frame| frame.get());
        self.put(self.head_field(), innermost);
    }
}

/// `co_firstlineno` of the code of frame `index`.
pub fn first_line(index: usize) -> i32 {
    100 * (index as i32 + 1)
}

/// What the line table of frame `index` says of `lasti`.
pub fn line(index: usize, lasti: i32) -> i32 {
    first_line(index) + 1 + lasti / 4
}
