//! A walk: from a thread state to frames in a caller's buffer, and why it ended.
//!
//! A walk returns what it has *and* how it ended; the two do not depend on each other. Frames that were collected before
//! the end stay in the buffer, and only [`End::Complete`] claims that there are no more.

mod head;
pub mod pr_b1;
pub mod strict;

use crate::addr::Addr;
use crate::interpreter::Interpreter;
use crate::line_cache::LineCache;
use crate::reader::{Fault, FaultKind};

/// What a walk delivers of each frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Code object and instruction offset.
    Code,
    /// The same and the line.
    Line,
}

/// What to walk.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The interpreter that the thread belongs to.
    pub interpreter: &'a Interpreter,
    /// The thread state. May be stale: nothing is believed of it.
    pub tstate: Addr,
    /// What to deliver.
    pub detail: Detail,
    /// Where lines are looked for before their table is read, and kept. The strict walk uses it, no other.
    pub lines: Option<&'a LineCache>,
}

impl<'a> Request<'a> {
    /// A walk from `tstate`, without a line cache.
    #[must_use]
    pub const fn new(interpreter: &'a Interpreter, tstate: Addr, detail: Detail) -> Self {
        Request { interpreter, tstate, detail, lines: None }
    }

    /// The same walk with a line cache, which any number of walks may share.
    #[must_use]
    pub const fn with_lines(self, lines: &'a LineCache) -> Self {
        Request { lines: Some(lines), ..self }
    }
}

/// Hops that a walk may make beyond one for each frame of the caller's buffer: entry and incomplete frames are walked
/// but not emitted, and a cycle made of nothing else must end too.
pub const EXTRA_HOPS: u32 = 512;

/// How a walk went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// Why it ended.
    pub end: End,
    /// Frames followed, emitted or not.
    pub hops: u32,
}

/// Why a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// At the end of the chain: the frames are all there are, as far as the walker can tell.
    Complete,
    /// Early: the frames are the innermost part.
    Truncated(Truncated),
    /// Something was read that cannot be: the frames before it are what was read before.
    Rejected(Rejected),
}

/// Why a walk ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truncated {
    /// The caller's buffer is full.
    BufferFull,
    /// More hops than one a frame of the buffer and [`EXTRA_HOPS`].
    HopBudget,
    /// A load failed there.
    Fault(Site, Fault),
    /// The chain ends at a frame that is not the outermost of a thread: cut off by its owner while it was walked.
    ChainCut,
    /// Not begun: walks that are going on hold all places for copies (walkers that copy before they look).
    NoPlace,
}

/// What could not be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// A frame pointer is not shaped like one.
    FrameShape,
    /// The owner is none of this version's.
    Owner,
    /// A frame of the data stack is outside the live part of its thread's chunks.
    OutsideDataStack,
    /// A code pointer is not shaped like one.
    CodeShape,
    /// What should be a code object has another type.
    CodeType,
    /// The code object's reference count is of no live object.
    CodeRefcount,
    /// The instruction pointer is outside the code, or odd.
    Instruction,
    /// RESUME (`_co_firsttraceable`) is outside the code.
    Resume,
    /// The line table is no bytes object, or damaged.
    Linetable,
    /// The head of the chain changed during the walk.
    HeadMoved,
    /// Two collects of the same chain differ (walkers that collect more than once).
    Unstable,
    /// `GetCodeSafe` returned NULL (walkers of the PR).
    NoCode,
}

impl Rejected {
    /// All reasons with their names in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Rejected::FrameShape => "frame-shape",
            Rejected::Owner => "owner",
            Rejected::OutsideDataStack => "outside-data-stack",
            Rejected::CodeShape => "code-shape",
            Rejected::CodeType => "code-type",
            Rejected::CodeRefcount => "code-refcount",
            Rejected::Instruction => "instruction",
            Rejected::Resume => "resume",
            Rejected::Linetable => "linetable",
            Rejected::HeadMoved => "head-moved",
            Rejected::Unstable => "unstable",
            Rejected::NoCode => "no-code",
        }
    }
}

macro_rules! sites {
    ($($variant:ident = $name:literal,)*) => {
        /// What a load was after: how a fault is attributed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Site {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl Site {
            /// All sites.
            pub const ALL: &'static [Site] = &[$(Site::$variant),*];

            /// The name in records.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Site::$variant => $name,)* }
            }
        }
    };
}

sites! {
    TstateHead = "tstate.current_frame",
    Cframe = "cframe.current_frame",
    TstateBaseFrame = "tstate.base_frame",
    TstateDatastack = "tstate.datastack",
    Chunk = "chunk",
    FramePrevious = "frame.previous",
    FrameExecutable = "frame.executable",
    FrameOwner = "frame.owner",
    FrameInstruction = "frame.instr_ptr",
    FrameGlobals = "frame.f_globals",
    FrameBuiltins = "frame.f_builtins",
    FrameIsEntry = "frame.is_entry",
    CodeType = "code.ob_type",
    CodeRefcount = "code.ob_refcnt",
    CodeUnits = "code.ob_size",
    CodeFirsttraceable = "code._co_firsttraceable",
    CodeFirstlineno = "code.co_firstlineno",
    CodeMonitoring = "code._co_monitoring",
    Monitoring = "monitoring.lines",
    CodeLinetable = "code.co_linetable",
    LinetableType = "linetable.ob_type",
    LinetableSize = "linetable.ob_size",
    Linetable = "linetable.ob_sval",
}

/// Stops a walk: the reason travels by `?`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop(pub End);

impl From<Truncated> for Stop {
    fn from(why: Truncated) -> Self {
        Stop(End::Truncated(why))
    }
}

impl From<Rejected> for Stop {
    fn from(why: Rejected) -> Self {
        Stop(End::Rejected(why))
    }
}

/// Names the site of a load.
pub(crate) trait At<T> {
    /// The same result, with the site in the error.
    fn at(self, site: Site) -> Result<T, Stop>;
}

impl<T> At<T> for Result<T, Fault> {
    #[inline(always)]
    fn at(self, site: Site) -> Result<T, Stop> {
        self.map_err(|fault| Truncated::Fault(site, fault).into())
    }
}

impl Walk {
    /// The load that failed, if that ended the walk. With raw loads the process would have died there (or, for
    /// [`FaultKind::Budget`], never have come back).
    #[must_use]
    pub fn fault(&self) -> Option<(Site, FaultKind)> {
        match self.end {
            End::Truncated(Truncated::Fault(site, fault)) => Some((site, fault.kind)),
            _ => None,
        }
    }
}

impl End {
    /// One word for records: `complete`, `truncated: …`, `rejected: …`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            End::Complete => "complete",
            End::Truncated(Truncated::BufferFull) => "truncated: buffer full",
            End::Truncated(Truncated::HopBudget) => "truncated: hop budget",
            End::Truncated(Truncated::Fault(..)) => "truncated: fault",
            End::Truncated(Truncated::ChainCut) => "truncated: chain cut",
            End::Truncated(Truncated::NoPlace) => "truncated: no place for copies",
            End::Rejected(why) => why.name(),
        }
    }
}
