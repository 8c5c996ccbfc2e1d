//! The way from a thread state to its innermost frame, and whether it still leads there.

use super::{At, Rejected, Request, Site, Stop};
use crate::addr::Addr;
use crate::checks::{Check, Checks};
use crate::frame::Frame;
use crate::layout::{self, CodeLayout};
use crate::reader::{Block, Reader};

/// The innermost frame, as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Its address.
    pub frame: Addr,
    /// The `_PyCFrame` that led to it (3.11, 3.12).
    cframe: Option<Addr>,
}

impl Head {
    /// Follows the thread state to its innermost frame.
    #[inline(always)]
    pub fn read<R: Reader>(reader: &R, request: &Request<'_>) -> Result<Head, Stop> {
        reader.prefetch(core::iter::once(of_thread(request)));
        Head::load(reader, request)
    }

    #[inline(always)]
    fn load<R: Reader>(reader: &R, request: &Request<'_>) -> Result<Head, Stop> {
        match request.interpreter.layout.thread.head {
            layout::Head::Direct { current_frame } => {
                let frame = reader.addr_at(request.tstate, current_frame).at(Site::TstateHead)?;
                Ok(Head { frame, cframe: None })
            }
            layout::Head::Cframe { cframe, current_frame } => {
                let cframe = reader.addr_at(request.tstate, cframe).at(Site::TstateHead)?;
                let frame = reader.addr_at(cframe, current_frame).at(Site::Cframe)?;
                Ok(Head { frame, cframe: Some(cframe) })
            }
        }
    }

    /// Reads the way again: a chain whose head moved while it was followed is torn, or was.
    ///
    /// Nothing that was read before is believed from here on, and a reader that pays by the call copies, in the same one, the
    /// code objects that come next (`collected` as [`super::strict`] packs it).
    #[inline(always)]
    pub fn must_be_still<C: Checks, R: Reader>(
        &self,
        checks: C,
        reader: &R,
        request: &Request<'_>,
        collected: &[Frame],
    ) -> Result<(), Stop> {
        reader.forget();
        let cframe = self.cframe.map(|at| Block { at, len: CFRAME });
        let codes = codes(request, collected.get(..GROUP).unwrap_or(collected));
        reader.prefetch(core::iter::once(of_thread(request)).chain(cframe).chain(codes));
        if !checks.has(Check::HeadAgain) {
            return Ok(());
        }
        match Head::load(reader, request)?.frame == self.frame {
            true => Ok(()),
            false => Err(Rejected::HeadMoved.into()),
        }
    }
}

/// Frames whose code objects and line tables are asked for at once.
pub(super) const GROUP: usize = 128;

/// `_PyCFrame` of 3.11, the larger one.
const CFRAME: u32 = 24;

/// The part of the thread state that a walk reads.
fn of_thread(request: &Request<'_>) -> Block {
    // datastack_top follows datastack_chunk, and everything else that is read stands before.
    Block { at: request.tstate, len: request.interpreter.layout.thread.datastack_chunk + 16 }
}

/// The code objects of packed frames.
pub(super) fn codes<'a>(
    request: &'a Request<'_>,
    packed: &'a [Frame],
) -> impl Iterator<Item = Block> + Clone + 'a {
    let untag = request.interpreter.layout.frame.untag();
    let CodeLayout { size, .. } = request.interpreter.layout.code;
    packed
        .iter()
        .map(move |packed| Addr::new(packed.code.get() & untag))
        .filter(|code| code.is_pointer_shaped())
        .map(move |at| Block { at, len: size })
}
