//! All checks: what each asks, and where it is made.

macro_rules! checks {
    ($($variant:ident = $name:literal, $about:literal, $source:literal;)*) => {
        /// A check of a policy. Its number is its bit in a [`super::Mask`], and may change between versions; its name does not.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Check {
            $(#[doc = concat!("`", $name, "`: ", $about, ". Made in ", $source, ".")] $variant,)*
        }

        impl Check {
            /// All checks of all policies.
            pub const ALL: &'static [Check] = &[$(Check::$variant),*];

            /// The name in records and reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Check::$variant => $name,)* }
            }

            /// What it asks, in a few words.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Check::$variant => $about,)* }
            }

            /// Where it is made: a function of CPython, or a file of ours.
            #[must_use]
            pub const fn source(self) -> &'static str {
                match self { $(Check::$variant => $source,)* }
            }

            /// The check of that name.
            #[must_use]
            pub fn named(name: &str) -> Option<Check> {
                Check::ALL.iter().copied().find(|check| check.name() == name)
            }
        }
    };
}

checks! {
    // CPython's, in the order in which they are made.
    FrameFreed = "frame-freed", "the pointer to a frame is no pattern of freed memory", "_PyMem_IsPtrFreed, asked by the PR's skip loop";
    CodeBeforeComplete = "code-before-complete", "the code is believed before completeness is asked", "our amendment of the PR's skip loop";
    GlobalsNull = "globals-null", "f_globals is not NULL", "_PyFrame_SafeGetCode";
    BuiltinsNull = "builtins-null", "f_builtins is not NULL", "_PyFrame_SafeGetCode";
    ExecutableNull = "executable-null", "f_executable is no null reference (3.14+)", "_PyFrame_SafeGetCode, PyStackRef_IsNull";
    ExecutableFreed = "executable-freed", "f_executable is no pattern of freed memory", "_PyFrame_SafeGetCode, _PyMem_IsPtrFreed and _PyObject_IsFreed";
    TypeFreed = "type-freed", "ob_type of the code is no pattern of freed memory", "_PyObject_IsFreed";
    SecondLook = "second-look", "the code is asked for again before offset and line", "_PyFrame_SafeGetLasti and GetLineSafe";
    LastiRange = "lasti-range", "the offset is inside the code before its line is looked up", "_PyCode_SafeAddr2Line";
    WidePatterns = "wide-patterns", "the lowest and the highest 256 values are patterns of freed memory, too", "_PyMem_IsPtrFreed since gh-140815";
    // Of both.
    CodeType = "code-type", "the type of the code object is the code type", "PyCode_Check in _PyFrame_SafeGetCode; walk/strict/judge.rs";
    HopBudget = "hop-budget", "a walk follows no more frames than its buffer has room for, and 512", "walk/pr_b1.rs (amended skip loop); walk/strict/chain.rs";
    // The strict policy's, in the order in which they are made.
    FrameShape = "frame-shape", "a frame pointer has the shape of a pointer", "walk/strict/chain.rs";
    DataStack = "data-stack", "a frame that its thread owns is in the live part of the thread's chunks", "walk/strict/data_stack.rs";
    ChunkShape = "chunk-shape", "the pointer to a chunk has the shape of a pointer", "walk/strict/data_stack.rs";
    ChunkBudget = "chunk-budget", "there are no more chunks than frames, and two", "walk/strict/data_stack.rs";
    OwnerPlace = "owner-place", "a frame that its thread does not own is in no live chunk", "walk/strict/chain.rs";
    Owner = "owner", "the owner is one that this version has", "walk/strict/chain.rs";
    ChainEnd = "chain-end", "the chain ends with a frame that this version's chains end with", "walk/strict/chain.rs";
    HeadAgain = "head-again", "the head of the chain is the same after it was followed", "walk/head.rs";
    CodeShape = "code-shape", "a code pointer has the shape of a pointer", "walk/strict/judge.rs";
    Refcount = "refcount", "the reference count of the code is one that a live object can have", "walk/strict/judge.rs";
    Instruction = "instruction", "the instruction pointer is in the bytecode, and even", "walk/strict/judge.rs";
    Resume = "resume", "RESUME is in the bytecode of a frame that was not resumed", "walk/strict/judge.rs";
    TableShape = "table-shape", "the pointer to the line table has the shape of a pointer", "walk/strict/line.rs";
    TableType = "table-type", "the type of the line table is bytes", "walk/strict/line.rs";
    TableBounds = "table-bounds", "the line table is well-formed, and looked at inside its bounds; else CPython's own scan", "walk/strict/line.rs, line_table.rs";
}
