//! What is changed: one word (or part of one) of a frame, a code object, a line table, a name, the thread's data stack or the
//! head of the chain; and, for faults that take more than a word, a whole frame or a whole table.

use super::names;
use super::stack::Captured;
use rand::RngExt;
use rand::seq::IteratorRandom;
use rand_chacha::ChaCha8Rng;
use sigwalk::addr::Addr;
use sigwalk::layout::{Outermost, chunk};

macro_rules! fields {
    ($($variant:ident = $name:literal,)*) => {
        /// A field.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Field { $($variant,)* }

        /// All fields.
        pub const ALL: &[Field] = &[$(Field::$variant),*];

        impl Field {
            /// Name in records: CPython's.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Field::$variant => $name,)* }
            }
        }
    };
}

fields! {
    Tstate = "tstate",
    Head = "tstate.current_frame",
    BaseFrame = "tstate.base_frame",
    Datastack = "tstate.datastack_chunk",
    DatastackTop = "tstate.datastack_top",
    ChunkPrevious = "chunk.previous",
    ChunkTop = "chunk.top",
    Frame = "frame",
    Executable = "frame.executable",
    Previous = "frame.previous",
    Instruction = "frame.instr_ptr",
    Owner = "frame.owner",
    Globals = "frame.f_globals",
    Builtins = "frame.f_builtins",
    CodeType = "code.ob_type",
    CodeRefcount = "code.ob_refcnt",
    CodeUnits = "code.ob_size",
    CodeLinetable = "code.co_linetable",
    CodeFirstlineno = "code.co_firstlineno",
    CodeFirsttraceable = "code._co_firsttraceable",
    CodeMonitoring = "code._co_monitoring",
    LinetableType = "linetable.ob_type",
    LinetableSize = "linetable.ob_size",
    LinetableByte = "linetable.ob_sval",
    Linetable = "linetable",
    CodeFilename = "code.co_filename",
    CodeName = "code.co_name",
    CodeQualname = "code.co_qualname",
    FilenameType = "filename.ob_type",
    FilenameLength = "filename.length",
    FilenameState = "filename.state",
    FilenameData = "filename.data",
    NameType = "name.ob_type",
    NameLength = "name.length",
    NameState = "name.state",
    NameData = "name.data",
    QualnameType = "qualname.ob_type",
    QualnameLength = "qualname.length",
    QualnameState = "qualname.state",
    QualnameData = "qualname.data",
}

/// One place in memory, of one drawn instance of a field.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Where it is.
    pub at: Addr,
    /// Bytes: 1, 4 or 8.
    pub width: u32,
    /// Index of its frame in the chain.
    pub frame: usize,
    /// The frame, code object or table that it is in.
    pub owner: Addr,
    /// Its offset in that.
    pub offset: u32,
}

/// What a value of a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// A pointer to a thread state.
    Tstate,
    /// A pointer to a frame.
    Frame,
    /// A pointer to a code object, tagged from 3.14.
    Code,
    /// A pointer into a code object's bytecode.
    Instruction,
    /// A pointer to a bytes object.
    Table,
    /// A pointer to a str object.
    Text,
    /// The length of a str object.
    Length,
    /// The state of a str object.
    State,
    /// A byte of a str object's data.
    Letters,
    /// A pointer to something else.
    Pointer,
    /// A number.
    Number,
    /// More than a word: a frame.
    WholeFrame,
    /// More than a word: the bytes of a line table.
    WholeTable,
}

impl Field {
    /// What it holds.
    #[must_use]
    pub const fn holds(self) -> Holds {
        match self {
            Field::Tstate => Holds::Tstate,
            Field::Head | Field::BaseFrame | Field::Previous => Holds::Frame,
            Field::Executable => Holds::Code,
            Field::Instruction => Holds::Instruction,
            Field::CodeLinetable => Holds::Table,
            Field::CodeFilename | Field::CodeName | Field::CodeQualname => Holds::Text,
            Field::FilenameType | Field::NameType | Field::QualnameType => Holds::Pointer,
            Field::FilenameLength | Field::NameLength | Field::QualnameLength => Holds::Length,
            Field::FilenameState | Field::NameState | Field::QualnameState => Holds::State,
            Field::FilenameData | Field::NameData | Field::QualnameData => Holds::Letters,
            Field::Frame => Holds::WholeFrame,
            Field::Linetable => Holds::WholeTable,
            Field::Datastack
            | Field::DatastackTop
            | Field::ChunkPrevious
            | Field::Globals
            | Field::Builtins
            | Field::CodeType
            | Field::CodeMonitoring
            | Field::LinetableType => Holds::Pointer,
            Field::ChunkTop
            | Field::Owner
            | Field::CodeRefcount
            | Field::CodeUnits
            | Field::CodeFirstlineno
            | Field::CodeFirsttraceable
            | Field::LinetableSize
            | Field::LinetableByte => Holds::Number,
        }
    }

    /// Whether only a walk that delivers names looks at it.
    #[must_use]
    pub fn is_of_a_name(self) -> bool {
        matches!(self.holds(), Holds::Text | Holds::Length | Holds::State | Holds::Letters)
            || matches!(self, Field::FilenameType | Field::NameType | Field::QualnameType)
    }

    /// Draws an instance: any frame of the chain for fields of frames, any frame with Python code for the others. `None`
    /// when this interpreter or this stack has no such field.
    pub fn place(self, stack: &Captured<'_>, random: &mut ChaCha8Rng) -> Option<Place> {
        let layout = &stack.live.interpreter.layout;
        let any = random.random_range(0..stack.chain.len());
        let python = stack.python[random.random_range(0..stack.python.len())];
        let word = |at: Addr| stack.live.word(at).map(Addr::new);
        let of = |owner: Addr, offset: u32, width: u32, frame: usize| {
            Some(Place { at: owner.plus(offset), width, frame, owner, offset })
        };
        let in_frame = |offset, width| of(stack.chain[any].frame, offset, width, any);
        let in_code = |offset, width| of(stack.chain[python].code, offset, width, python);
        let in_tstate = |offset| of(stack.tstate, offset, 8, 0);
        let code = stack.chain[python].code;
        let table = || word(code.plus(layout.code.linetable));
        let first_chunk =
            || word(stack.tstate.plus(layout.thread.datastack_chunk)).filter(|at| !at.is_null());
        match self {
            Field::Tstate => in_tstate(0),
            Field::Head => of(stack.head.0, stack.head.1, 8, 0),
            Field::BaseFrame => match layout.frame.outermost {
                Outermost::BaseFrame(offset) => in_tstate(offset),
                _ => None,
            },
            Field::Datastack => in_tstate(layout.thread.datastack_chunk),
            Field::DatastackTop => in_tstate(layout.thread.datastack_chunk + 8),
            Field::ChunkPrevious => of(first_chunk()?, chunk::PREVIOUS, 8, 0),
            // Of the current chunk `top` is not kept up to date, and means nothing.
            Field::ChunkTop => {
                let outer = word(first_chunk()?.plus(chunk::PREVIOUS)).filter(|at| !at.is_null())?;
                of(outer, chunk::TOP, 8, 0)
            }
            Field::Frame => in_frame(0, 8),
            Field::Executable => in_frame(layout.frame.executable, 8),
            Field::Previous => in_frame(layout.frame.previous, 8),
            Field::Instruction => in_frame(layout.frame.instruction, 8),
            Field::Owner => in_frame(layout.frame.owner, 1),
            Field::Globals => in_frame(layout.frame.globals, 8),
            Field::Builtins => in_frame(layout.frame.builtins, 8),
            Field::CodeType => in_code(layout.code.ob_type, 8),
            Field::CodeRefcount => in_code(0, 8),
            Field::CodeUnits => in_code(layout.code.units, 8),
            Field::CodeLinetable => in_code(layout.code.linetable, 8),
            Field::CodeFirstlineno => in_code(layout.code.firstlineno, 4),
            Field::CodeFirsttraceable => in_code(layout.code.firsttraceable, 4),
            Field::CodeMonitoring => in_code(layout.code.monitoring?, 8),
            Field::LinetableType => of(table()?, layout.code.ob_type, 8, python),
            Field::LinetableSize => of(table()?, layout.text.bytes_size, 8, python),
            Field::LinetableByte | Field::Linetable => {
                let owner = table()?;
                let len = word(owner.plus(layout.text.bytes_size))?.get();
                let offset = layout.text.bytes_data + random.random_range(0..len.clamp(1, 1 << 20)) as u32;
                of(owner, offset, 1, python)
            }
            _ => {
                let name = self.name();
                let of_that_name = names::fields(stack.live, code).filter(|(other, ..)| *other == name);
                let (_, at, width) = of_that_name.choose(random)?;
                Some(Place { at, width, frame: python, owner: code, offset: at.minus(code) as u32 })
            }
        }
    }
}
