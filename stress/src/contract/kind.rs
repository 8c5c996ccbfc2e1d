//! What a signal-safe walk promises not to do: one row a kind of violation.

macro_rules! kinds {
    ($($variant:ident $name:literal $about:literal,)*) => {
        /// A kind of violation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind {
            $(#[doc = $about] $variant,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Kind] = &[$(Kind::$variant),*];

            /// The name in records.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$variant => $name,)* }
            }
        }
    };
}

kinds! {
    Allocation "allocation" "Memory was asked for or given back.",
    Lock "lock" "A lock, condition or semaphore of the C library was used.",
    Thread "thread" "Thread-specific data, once-functions, threads.",
    Linker "linker" "The dynamic linker was asked, which locks and may allocate.",
    Stdio "stdio" "Formatted or buffered output, which locks and may allocate.",
    SystemCall "system-call" "A system call that the contract does not allow.",
    Refcount "refcount" "The reference count of an object was written, be it with the same value in the end.",
    Gil "gil" "The GIL's words were written.",
    ThreadState "thread-state" "The thread state was written: another frame, another exception, another nesting depth.",
    Breaker "eval-breaker" "The word was written that tells the evaluation loop to stop.",
    Store "store" "Other memory of the interpreter was written.",
    Errno "errno" "errno is another one after the walk.",
    Mask "signal-mask" "Other signals are blocked after the walk.",
    Direction "direction-flag" "The direction flag is set after the walk: the next string instruction of C runs backwards.",
    FloatControl "float-control" "Rounding or exception masks of floating point differ after the walk.",
    Vector "vector-state" "Upper halves of vector registers are in use that were not before: every SSE instruction is slow from then on.",
    Stack "stack" "The walk and the kernel's own frame do not fit into 8 KiB, the signal stack that programs usually have.",
}

impl Kind {
    /// The kind of that name.
    pub fn named(name: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}
