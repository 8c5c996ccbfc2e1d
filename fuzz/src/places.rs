//! What of an image is worth changing: every field that a walk of it reads, by kind of structure.

use crate::memory::{Memory, Place};
use sigwalk::addr::Addr;
use sigwalk::interpreter::Interpreter;
use sigwalk::layout::{Head, Outermost, chunk};

/// A kind of structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Interpreter frames.
    Frame,
    /// Code objects.
    Code,
    /// What of the thread state leads to frames and data stack; the `_PyCFrame`.
    Thread,
    /// Headers of data-stack chunks.
    Chunk,
    /// Location tables: header and every byte.
    Table,
    /// Names: header and every byte.
    Text,
}

/// Number of kinds.
pub const KINDS: usize = 6;

/// A whole structure.
#[derive(Clone, Copy, Debug)]
pub struct Object {
    /// Of which kind.
    pub kind: Kind,
    /// Where it begins.
    pub base: Addr,
    /// Its bytes in the image.
    pub len: u64,
}

/// The fields of one image.
#[derive(Clone, Debug, Default)]
pub struct Places {
    by_kind: [Vec<Place>; KINDS],
    objects: Vec<Object>,
}

impl Places {
    /// Finds them by following the undisturbed chain.
    #[must_use]
    pub fn of(memory: &Memory, interpreter: &Interpreter, tstate: Addr) -> Self {
        let mut finder = Finder { memory, interpreter, found: Places::default(), seen: Vec::new() };
        finder.thread(tstate);
        finder.found
    }

    /// The fields of a kind. None is empty for a seed.
    #[must_use]
    pub fn of_kind(&self, kind: Kind) -> &[Place] {
        &self.by_kind[kind as usize]
    }

    /// The frames, code objects, tables and names, each once.
    #[must_use]
    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// Those of a kind, the frames innermost first.
    pub fn objects_of(&self, kind: Kind) -> impl Iterator<Item = Object> + Clone + '_ {
        self.objects.iter().copied().filter(move |object| object.kind == kind)
    }
}

struct Finder<'a> {
    memory: &'a Memory,
    interpreter: &'a Interpreter,
    found: Places,
    /// Objects that are in `found` already: code and names are shared.
    seen: Vec<u64>,
}

impl Finder<'_> {
    /// Adds the field at `offset` and returns its value.
    fn field(&mut self, kind: Kind, base: Addr, offset: u32, width: u8) -> u64 {
        let place = Place { at: base.plus(offset).get(), base: base.get(), width };
        if self.memory.holds(place) {
            self.found.by_kind[kind as usize].push(place);
        }
        self.memory.get(place)
    }

    fn pointer(&mut self, kind: Kind, base: Addr, offset: u32) -> Addr {
        Addr::new(self.field(kind, base, offset, 8))
    }

    fn object(&mut self, kind: Kind, base: Addr, len: u64) {
        let len = self.memory.readable(base.get(), len).len() as u64;
        self.found.objects.push(Object { kind, base, len });
    }

    fn thread(&mut self, tstate: Addr) {
        let layout = self.interpreter.layout;
        let mut frame = match layout.thread.head {
            Head::Direct { current_frame } => self.pointer(Kind::Thread, tstate, current_frame),
            Head::Cframe { cframe, current_frame } => {
                let cframe = self.pointer(Kind::Thread, tstate, cframe);
                self.pointer(Kind::Thread, cframe, current_frame)
            }
        };
        let base = match layout.frame.outermost {
            Outermost::BaseFrame(offset) => self.pointer(Kind::Thread, tstate, offset),
            _ => Addr::NULL,
        };
        let mut chunk = self.pointer(Kind::Thread, tstate, layout.thread.datastack_chunk);
        self.field(Kind::Thread, tstate, layout.thread.datastack_chunk + 8, 8);
        while !chunk.is_null() {
            self.field(Kind::Chunk, chunk, chunk::SIZE, 8);
            self.field(Kind::Chunk, chunk, chunk::TOP, 8);
            chunk = self.pointer(Kind::Chunk, chunk, chunk::PREVIOUS);
        }
        while !frame.is_null() {
            let f = layout.frame;
            self.object(Kind::Frame, frame, f.size.into());
            let code = self.pointer(Kind::Frame, frame, f.executable);
            self.code(Addr::new(code.get() & !u64::from(f.tagged)));
            self.field(Kind::Frame, frame, f.globals, 8);
            self.field(Kind::Frame, frame, f.builtins, 8);
            self.field(Kind::Frame, frame, f.instruction, 8);
            self.field(Kind::Frame, frame, f.owner, 1);
            if let Outermost::IsEntry(offset) = f.outermost {
                self.field(Kind::Frame, frame, offset, 1);
            }
            let previous = self.pointer(Kind::Frame, frame, f.previous);
            // The base frame of 3.15 counts too.
            frame = if frame == base { Addr::NULL } else { previous };
        }
    }

    fn code(&mut self, code: Addr) {
        let c = self.interpreter.layout.code;
        let header = Place { at: code.plus(c.ob_type).get(), base: code.get(), width: 8 };
        if self.memory.get(header) != self.interpreter.code_type.get() || self.is_known(code) {
            return;
        }
        self.object(Kind::Code, code, c.size.into());
        for offset in [0, c.ob_type, c.units] {
            self.field(Kind::Code, code, offset, 8);
        }
        self.field(Kind::Code, code, c.firstlineno, 4);
        self.field(Kind::Code, code, c.firsttraceable, 4);
        if let Some(offset) = c.monitoring {
            self.field(Kind::Code, code, offset, 8);
        }
        let table = self.pointer(Kind::Code, code, c.linetable);
        self.table(table);
        for offset in [c.filename, c.name, c.qualname] {
            let text = self.pointer(Kind::Code, code, offset);
            self.text(text);
        }
    }

    fn table(&mut self, table: Addr) {
        let (c, t) = (self.interpreter.layout.code, self.interpreter.layout.text);
        self.field(Kind::Table, table, 0, 8);
        self.field(Kind::Table, table, c.ob_type, 8);
        let len = self.field(Kind::Table, table, t.bytes_size, 8);
        self.object(Kind::Table, table, u64::from(t.bytes_data) + len.min(4096));
        for index in 0..len.min(4096) as u32 {
            self.field(Kind::Table, table, t.bytes_data + index, 1);
        }
    }

    fn text(&mut self, text: Addr) {
        let (c, t) = (self.interpreter.layout.code, self.interpreter.layout.text);
        if self.is_known(text) {
            return;
        }
        self.object(Kind::Text, text, u64::from(t.compact_data) + 64);
        self.field(Kind::Text, text, 0, 8);
        self.field(Kind::Text, text, c.ob_type, 8);
        self.field(Kind::Text, text, t.length, 8);
        self.field(Kind::Text, text, t.state, 4);
        for index in 0..64 {
            self.field(Kind::Text, text, t.ascii_data + index, 1);
        }
    }

    fn is_known(&mut self, object: Addr) -> bool {
        let known = self.seen.contains(&object.get());
        self.seen.push(object.get());
        known
    }
}
