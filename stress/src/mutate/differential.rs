//! Holds our model of the PR to CPython's own code: `pr-b1` and `cpython-c` walk the same changed memory, and must agree on
//! every frame (code, offset, line), on the end, on the hops, and on the address of the load that would have crashed.
//!
//! Not compared, with the reason:
//!
//! * debug builds: the asserts of their helpers end the process, and the model has none;
//! * a fault at an address that is not canonical: the kernel reports none, so only that the model's is such an address;
//! * the first byte of a load across pages: the kernel reports the second page where only that is missing;
//! * a pointer into the native stack below the caller: either walk finds there what it wrote itself;
//! * the number of hops of a walk that never ends: either side gives up after a number of its own.

use super::change::Change;
use super::stack::{Captured, head_of};
use super::subjects::{ENDLESS, FRAMES, LOADS, stopped_short};
use sigwalk::addr::Addr;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::reader::FaultKind;
use sigwalk::walk::{End, Request, Truncated, Walk, pr_b1};
use sigwalk::walkers;
use sigwalk_embed::Live;
use sigwalk_embed::cpython_c::{BadLoad, CpythonC, Recovery, Skip, Tried, available, catch_faults};
use std::ops::Range;

/// The models, and how the C is asked to skip for each.
const PAIRS: [(&str, Skip); 2] = [("pr-b1", Skip::AsProposed), ("pr-b1-hops", Skip::Guarded)];

/// Loads of the model where its usual budget was too small for a scan that does end, at the end of a mapping at the latest.
const MANY_LOADS: u32 = 1 << 28;

/// Native stack that the walks may use, and all that the main thread may have, bytes.
const OWN_STACK: u64 = 64 << 10;
const MAIN_STACK: u64 = 8 << 20;

/// Differences of a stack that are described; the rest is counted.
const SHOWN: usize = 5;

/// The C, with its faults caught.
#[derive(Clone, Copy, Debug)]
pub struct Theirs {
    walker: CpythonC,
    recovery: Recovery,
}

impl Theirs {
    /// To be called before Python is started: the shim's fault handler must be under sigwalk's.
    ///
    /// # Errors
    /// Why there is nothing to compare with.
    pub fn prepare() -> Result<Theirs, &'static str> {
        Ok(Theirs { walker: available()?, recovery: catch_faults()? })
    }

    /// The walk as proposed.
    pub fn walk(&self, request: &Request<'_>, out: &mut FrameBuf<'_>) -> Tried {
        self.walker.try_walk(self.recovery, request, Skip::AsProposed, ENDLESS, out)
    }

    /// Whether only our limit has ended it: there is no hop budget as proposed.
    pub fn is_endless(walk: &Walk) -> bool {
        walk.end == End::Truncated(Truncated::HopBudget)
    }
}

/// The comparison and its score. Nothing is allocated between two walks that are compared: what was freed on purpose
/// would change.
pub struct Differential {
    theirs: Theirs,
    own_stack: Range<u64>,
    ours: Box<[Frame; FRAMES]>,
    c: Box<[Frame; FRAMES]>,
    /// Pairs of walks that were compared.
    pub compared: u32,
    /// Pairs that were not, because the walk would have read its own native stack.
    pub excluded: u32,
    /// Pairs that differed.
    pub differing: u32,
    /// What differed: the first few.
    pub shown: Vec<String>,
}

impl Differential {
    /// Of that C on that stack. What lies below the innermost interpreter frame on the native stack is buffers and registers of
    /// the walks themselves.
    pub fn new(theirs: Theirs, stack: &Captured<'_>) -> Differential {
        let here = (&raw const stack) as u64;
        let frames = stack.chain.iter().map(|raw| raw.frame.get());
        let above = frames.filter(|frame| (here..here + MAIN_STACK).contains(frame)).min();
        Differential {
            theirs,
            own_stack: here - OWN_STACK..above.unwrap_or(here),
            ours: Box::new([Frame::default(); FRAMES]),
            c: Box::new([Frame::default(); FRAMES]),
            compared: 0,
            excluded: 0,
            differing: 0,
            shown: Vec::with_capacity(SHOWN),
        }
    }

    /// Whether the chain goes through the native stack below us: what was popped, and is a frame again because only its first words
    /// were written, may say so (103 of 101 372 on 3.14.8 differed by that).
    fn leads_to_own_stack(&self, live: &Live, tstate: Addr) -> bool {
        let previous = live.interpreter.layout.frame.previous;
        let head = head_of(live, tstate).and_then(|(structure, offset)| live.word(structure.plus(offset)));
        let next = |frame: &u64| live.word(Addr::new(*frame).plus(previous));
        std::iter::successors(head, next).take(FRAMES).any(|frame| self.own_stack.contains(&frame))
    }

    /// Compares each model with the C, while `change` is in place. `about` names it.
    pub fn compare(
        &mut self,
        live: &Live,
        request: &Request<'_>,
        change: &Change,
        about: impl Fn() -> String,
    ) {
        let own = change.writes().iter().any(|write| self.own_stack.contains(&write.value));
        if own || self.leads_to_own_stack(live, request.tstate) {
            self.excluded += PAIRS.len() as u32;
            return;
        }
        for (name, skip) in PAIRS {
            let entry = walkers::named(name).expect("a registered walker");
            let mut out = FrameBuf::new(&mut self.c[..]);
            let hops = if skip == Skip::Guarded { pr_b1::hop_budget(&out) } else { ENDLESS };
            let tried = self.theirs.walker.try_walk(self.theirs.recovery, request, skip, hops, &mut out);
            let theirs = out.frames();
            let mut out = FrameBuf::new(&mut self.ours[..]);
            let mut walk = (entry.counted)(&live.readers, LOADS, request, &mut out);
            if stopped_short(&walk) {
                out.clear();
                walk = (entry.counted)(&live.readers, MANY_LOADS, request, &mut out);
            }
            self.compared += 1;
            if let Err(why) = agree(&walk, out.frames(), tried, theirs) {
                self.differing += 1;
                if self.shown.len() < SHOWN {
                    self.shown.push(format!("{}: {name} and cpython-c differ: {why}", about()));
                }
            }
        }
    }
}

/// Whether the model and the C say the same; else what they say.
fn agree(walk: &Walk, frames: &[Frame], tried: Tried, theirs: &[Frame]) -> Result<(), String> {
    let same_end = match (walk.end, tried) {
        (End::Truncated(Truncated::Fault(_, fault)), Tried::Ended(ended)) => {
            // A walk that does not end.
            fault.kind == FaultKind::Budget && walk.hops > ENDLESS && Theirs::is_endless(&ended)
        }
        (End::Truncated(Truncated::Fault(_, fault)), Tried::Crashed(bad)) => {
            let signal = match fault.kind {
                FaultKind::Bus => libc::SIGBUS,
                _ => libc::SIGSEGV,
            };
            signal == bad.signal && walk.hops == bad.hops && same_address(fault.at, bad)
        }
        (_, Tried::Ended(ended)) => *walk == ended,
        (_, Tried::Crashed(_)) => false,
    };
    if !same_end {
        return Err(format!("{walk:?} with {} frames, and {tried:?} with {}", frames.len(), theirs.len()));
    }
    if frames != theirs {
        let index = frames.iter().zip(theirs).take_while(|(ours, theirs)| ours == theirs).count();
        return Err(format!("frame {index}: {:?} and {:?}", frames.get(index), theirs.get(index)));
    }
    Ok(())
}

/// Whether a load of up to 8 bytes at `at` faults as the kernel says.
fn same_address(at: Addr, bad: BadLoad) -> bool {
    const CANONICAL: u64 = 1 << 47;
    let last = at.get().wrapping_add(7);
    match bad.address {
        Some(address) => {
            address == at || (address > at && address.get() <= last && address.get() % 4096 == 0)
        }
        None => [at.get(), last]
            .into_iter()
            .any(|byte| (CANONICAL..0_u64.wrapping_sub(CANONICAL)).contains(&byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(address: Option<u64>) -> BadLoad {
        BadLoad { signal: libc::SIGSEGV, address: address.map(Addr::new), pc: 0, step: "", hops: 0 }
    }

    #[test]
    fn addresses_of_one_load() {
        for (at, reported, same) in [
            (0x5000, Some(0x5000), true),
            (0x4ffc, Some(0x5000), true),
            (0x4ff8, Some(0x5000), false),
            (0x5000, Some(0x5001), false),
            (0x5000, Some(0x4fff), false),
            (0x5000, None, false),
            (0xdddd_dddd_dddd_dddd, None, true),
            (0x7fff_ffff_fffc, None, true),
            (0xffff_8000_0000_0000, None, false),
            (0xffff_8000_0000_0000, Some(0xffff_8000_0000_0000), true),
        ] {
            assert_eq!(same_address(Addr::new(at), bad(reported)), same, "{at:#x} {reported:x?}");
        }
    }
}
