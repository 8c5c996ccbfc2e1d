//! Walkers with a choice of checks: what a policy is worth without one of them, or with nothing but one.

use super::{Policy, PrB1, PrB1Hops, Readers, Strict};
use crate::checks::{Check, Mask};
use crate::frame::FrameBuf;
use crate::reader::{Budgeted, ImageReader};
use crate::walk::{Request, Walk};

/// A policy and its checks. With all of them it is the registered walker of its name.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Name of the registered walker.
    pub name: &'static str,
    /// The checks that the policy has. Others in a mask make no difference.
    pub checks: &'static [Check],
    /// The walk with the checks of the mask, over guarded loads and with a budget of these: as [`super::Entry::counted`]. Without
    /// its budgets of hops a walk need not end before its loads do.
    pub walk: fn(Mask, &Readers, u32, &Request<'_>, &mut FrameBuf<'_>) -> Walk,
    /// The same over an image: as [`super::Entry::image`].
    pub image: fn(Mask, &Budgeted<ImageReader<'_>>, &Request<'_>, &mut FrameBuf<'_>) -> Walk,
}

impl Family {
    const fn of<P: Policy>(name: &'static str, checks: &'static [Check]) -> Family {
        Family { name, checks, walk: counted::<P>, image: image::<P> }
    }
}

fn counted<P: Policy>(
    on: Mask,
    readers: &Readers,
    loads: u32,
    request: &Request<'_>,
    out: &mut FrameBuf<'_>,
) -> Walk {
    P::walk_by(on, &Budgeted::new(readers.guarded, loads), request, out)
}

fn image<P: Policy>(
    on: Mask,
    reader: &Budgeted<ImageReader<'_>>,
    request: &Request<'_>,
    out: &mut FrameBuf<'_>,
) -> Walk {
    P::walk_by(on, reader, request, out)
}

/// All families.
pub const FAMILIES: &[Family] = &[
    Family::of::<PrB1>(
        "pr-b1",
        &[
            Check::FrameFreed,
            Check::GlobalsNull,
            Check::BuiltinsNull,
            Check::ExecutableNull,
            Check::ExecutableFreed,
            Check::TypeFreed,
            Check::CodeType,
            Check::SecondLook,
            Check::LastiRange,
            Check::WidePatterns,
        ],
    ),
    Family::of::<PrB1Hops>(
        "pr-b1-hops",
        &[
            Check::HopBudget,
            Check::FrameFreed,
            Check::CodeBeforeComplete,
            Check::GlobalsNull,
            Check::BuiltinsNull,
            Check::ExecutableNull,
            Check::ExecutableFreed,
            Check::TypeFreed,
            Check::CodeType,
            Check::SecondLook,
            Check::LastiRange,
            Check::WidePatterns,
        ],
    ),
    Family::of::<Strict>(
        "guarded",
        &[
            Check::FrameShape,
            Check::HopBudget,
            Check::DataStack,
            Check::ChunkShape,
            Check::ChunkBudget,
            Check::OwnerPlace,
            Check::Owner,
            Check::ChainEnd,
            Check::HeadAgain,
            Check::CodeShape,
            Check::CodeType,
            Check::Refcount,
            Check::Instruction,
            Check::Resume,
            Check::TableShape,
            Check::TableType,
            Check::TableBounds,
        ],
    ),
];

/// The family of that name.
#[must_use]
pub fn family(name: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.name == name)
}
