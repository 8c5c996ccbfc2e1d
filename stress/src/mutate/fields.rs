//! What is changed: one word (or part of one) of a frame, a code object, a line table or the head of the chain.

use super::stack::Captured;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sigwalk::addr::Addr;

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
    Head = "tstate.current_frame",
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
    LinetableSize = "linetable.ob_size",
    LinetableByte = "linetable.ob_sval",
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

impl Field {
    /// Draws an instance: any frame of the chain for fields of frames, any frame with Python code for the others. `None`
    /// when this interpreter has no such field.
    pub fn place(self, stack: &Captured<'_>, random: &mut ChaCha8Rng) -> Option<Place> {
        let layout = &stack.live.interpreter.layout;
        let any = random.random_range(0..stack.chain.len());
        let python = stack.python[random.random_range(0..stack.python.len())];
        let in_frame = |offset, width| {
            let owner = stack.chain[any].frame;
            Some(Place { at: owner.plus(offset), width, frame: any, owner, offset })
        };
        let in_code = |offset, width| {
            let owner = stack.chain[python].code;
            Some(Place { at: owner.plus(offset), width, frame: python, owner, offset })
        };
        let table = || stack.live.word(stack.chain[python].code.plus(layout.code.linetable)).map(Addr::new);
        match self {
            Field::Head => {
                let (owner, offset) = stack.head;
                Some(Place { at: owner.plus(offset), width: 8, frame: 0, owner, offset })
            }
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
            Field::LinetableSize => {
                let owner = table()?;
                let offset = layout.text.bytes_size;
                Some(Place { at: owner.plus(offset), width: 8, frame: python, owner, offset })
            }
            Field::LinetableByte => {
                let owner = table()?;
                let len = stack.live.word(owner.plus(layout.text.bytes_size))?;
                let offset = layout.text.bytes_data + random.random_range(0..len.max(1)) as u32;
                Some(Place { at: owner.plus(offset), width: 1, frame: python, owner, offset })
            }
        }
    }
}
