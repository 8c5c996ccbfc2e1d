//! Loads that a hook lets fail: the n-th, the n-th and all after it, or some.

use super::rows::{Outcome, count, row, show};
use super::{FRAMES, LOADS, Rows};
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::reader::{AnyReader, Before, Failing, VmReader};
use sigwalk::walk::{End, Request, Walk};
use sigwalk::walkers::{Entry, Reads};
use sigwalk_embed::Live;
use sigwalk_record::{Injection, Mode};

/// One walker on one stack.
pub(super) struct Sweep<'a> {
    request: &'a Request<'a>,
    entry: &'static Entry,
    reader: AnyReader<'static>,
    undisturbed: Vec<Frame>,
}

/// What a walker of this kind reads by, where its loads can be hooked. (After a fork, this process is another one than the
/// [`Live`] was made in.)
pub(super) fn reader(live: &Live, entry: &Entry) -> AnyReader<'static> {
    match entry.reads {
        Reads::Kernel | Reads::Outside => AnyReader::Vm(VmReader::own()),
        Reads::Raw | Reads::Guarded => AnyReader::Guarded(live.readers.guarded),
    }
}

impl<'a> Sweep<'a> {
    /// `None` where the walker refuses the stack as it is.
    pub(super) fn of(live: &Live, request: &'a Request<'a>, entry: &'static Entry) -> Option<Self> {
        let mut sweep = Sweep { request, entry, reader: reader(live, entry), undisturbed: Vec::new() };
        let (walk, frames) = sweep.walk(&Failing::none().within(LOADS));
        sweep.undisturbed = frames;
        (walk.end == End::Complete).then_some(sweep)
    }

    pub(super) fn into_undisturbed(self) -> Vec<Frame> {
        self.undisturbed
    }

    /// n = 1, 2, … until a walk makes no such load.
    pub(super) fn every_load(&self, mode: Mode, rows: &mut Rows) {
        let mut row = row(self.entry.name, mode, 0);
        for nth in 1.. {
            let failing = match mode {
                Mode::Persistent => Failing::persistent(nth),
                _ => Failing::transient(nth),
            };
            if !self.tried(&failing.within(LOADS), &mut row, rows, || format!("load {nth}")) {
                break;
            }
            row.longest = u64::from(nth);
        }
        rows.add(row);
    }

    /// Each load fails with a probability; `seed` is drawn for each of `walks` walks. One in which no load failed is one of
    /// them.
    pub(super) fn rate(&self, per_million: u32, walks: u32, mut seed: impl FnMut() -> u64, rows: &mut Rows) {
        let mut row = row(self.entry.name, Mode::Rate, per_million);
        for _ in 0..walks {
            let seed = seed();
            let failing = Failing::rate(per_million, seed).within(LOADS);
            if !self.tried(&failing, &mut row, rows, || format!("{per_million} in a million, seed {seed:#x}"))
            {
                count(&mut row, Outcome::Unharmed, 1);
            }
            row.longest = row.longest.max(u64::from(failing.made()));
        }
        rows.add(row);
    }

    /// A walk; counted if a load failed.
    fn tried(
        &self,
        failing: &Failing,
        row: &mut Injection,
        rows: &mut Rows,
        about: impl Fn() -> String,
    ) -> bool {
        let (walk, frames) = self.walk(failing);
        if failing.failed() == 0 {
            return false;
        }
        row.failed += u64::from(failing.failed());
        let outcome = outcome(&walk, &frames, &self.undisturbed);
        let outcome = match (outcome, self.entry.reads, walk.fault()) {
            _ if failing.spent() => Outcome::Hang,
            (Outcome::Noticed, Reads::Raw, Some(_)) => Outcome::Crash,
            _ => outcome,
        };
        if outcome == Outcome::Silent {
            show(&mut rows.silent, || format!("{}, {} failed: {walk:?}", self.entry.name, about()));
        }
        count(row, outcome, 1);
        true
    }

    fn walk(&self, failing: &Failing) -> (Walk, Vec<Frame>) {
        let mut frames = [Frame::default(); FRAMES];
        let mut out = FrameBuf::new(&mut frames);
        let hook = |load| failing.before(load);
        let walk = (self.entry.hooked)(&Before::new(self.reader, &hook), self.request, &mut out);
        (walk, out.frames().to_vec())
    }
}

/// What a walk that came back is, by its frames.
pub(super) fn outcome(walk: &Walk, frames: &[Frame], undisturbed: &[Frame]) -> Outcome {
    match walk.end {
        End::Complete if frames == undisturbed => Outcome::Unharmed,
        End::Complete => Outcome::Silent,
        End::Truncated(_) | End::Rejected(_) => Outcome::Noticed,
    }
}
