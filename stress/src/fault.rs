//! Faults: deliberate perturbations of the walked thread's own frames, made right before a walk and taken back right after it.
//! A new one is a row here.
//!
//! Only where a thread walks itself in a handler (workloads signal, and step by the trap flag): it is in native code meanwhile, so
//! nobody else sees its frames. Other workloads make no fault, and campaigns that ask for one are refused.

use crate::word;
use sigwalk::addr::Addr;
use sigwalk::layout::Head;
use sigwalk_embed::Live;

/// Two places with what stands, or is to stand, there. The same twice where one is enough.
pub type Words = [(Addr, u64); 2];

/// A fault.
#[derive(Debug)]
pub struct Fault {
    /// Name in campaigns and records.
    pub name: &'static str,
    /// Rows of the catalogue.
    pub ids: &'static [&'static str],
    /// What is done, in one line.
    pub about: &'static str,
    /// Where what is written: place and value. Nothing where these frames do not allow it.
    words: fn(&Live, &[Frame]) -> Option<Words>,
    /// It is about entry frames.
    needs_entry_frames: bool,
}

/// A frame of the healthy chain, innermost first.
#[derive(Clone, Copy)]
pub struct Frame {
    /// Its address.
    pub at: Addr,
    /// Whether it is one of C code, which walkers pass over.
    pub entry: bool,
}

/// Frames that are looked at.
const FRAMES: usize = 64;

/// All faults.
pub const ALL: &[Fault] = &[
    Fault {
        name: "entry-cycle",
        ids: &["R3"],
        about: "the innermost entry frame's previous is that frame itself: a cycle of frames that are skipped",
        words: |live, frames| {
            let entry = frames.iter().find(|frame| frame.entry)?.at;
            once(live.previous(entry), entry.get())
        },
        needs_entry_frames: true,
    },
    Fault {
        name: "entry-pair-cycle",
        ids: &["R3"],
        about: "the outer of two entry frames leads back to the inner one, and that to it (pysignalprof's endless loop)",
        words: |live, frames| {
            let mut entries = frames.iter().filter(|frame| frame.entry).map(|frame| frame.at);
            let (inner, outer) = (entries.next()?, entries.next()?);
            Some([(live.previous(inner), outer.get()), (live.previous(outer), inner.get())])
        },
        needs_entry_frames: true,
    },
    Fault {
        name: "incomplete-cycle",
        ids: &["R3"],
        about: "the innermost frame is before its RESUME, and its previous is the frame itself",
        words: |live, frames| {
            let frame = frames.iter().find(|frame| !frame.entry)?.at;
            let layout = &live.interpreter.layout;
            let code = live.word(frame.plus(layout.frame.executable))? & layout.frame.untag();
            let before = Addr::new(code).plus(layout.code.adaptive).get() - 2;
            Some([(live.previous(frame), frame.get()), (frame.plus(layout.frame.instruction), before)])
        },
        needs_entry_frames: false,
    },
    Fault {
        name: "self-cycle",
        ids: &["P3"],
        about: "the innermost frame's previous is that frame itself",
        words: |live, frames| once(live.previous(frames.first()?.at), frames.first()?.at.get()),
        needs_entry_frames: false,
    },
    Fault {
        name: "cut",
        ids: &["R13"],
        about: "the innermost frame's previous is NULL, as a generator's is right after it yielded",
        words: |live, frames| once(live.previous(frames.first()?.at), 0),
        needs_entry_frames: false,
    },
    Fault {
        name: "previous-3",
        ids: &["P5"],
        about: "the innermost frame's previous is 3, as a profiler met it in 3.11: a freed pattern since gh-140815, no pointer before",
        words: |live, frames| once(live.previous(frames.first()?.at), 3),
        needs_entry_frames: false,
    },
    Fault {
        name: "previous-cd",
        ids: &["W2"],
        about: "the innermost frame's previous was never written: 0xCD…, as gh-100536",
        words: |live, frames| once(live.previous(frames.first()?.at), 0xcdcd_cdcd_cdcd_cdcd),
        needs_entry_frames: false,
    },
];

/// The fault of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Fault> {
    ALL.iter().find(|fault| fault.name == name)
}

fn once(place: Addr, value: u64) -> Option<Words> {
    Some([(place, value); 2])
}

/// A fault that is there until this is dropped.
#[must_use = "the fault is taken back when this is dropped"]
pub struct Made(Words);

impl Drop for Made {
    fn drop(&mut self) {
        // The second first: both may be the same place.
        for (place, before) in self.0.iter().rev() {
            word::store(*place, 8, *before);
        }
    }
}

impl Fault {
    /// Why it cannot be made in this interpreter.
    #[must_use]
    pub fn not_available(&self) -> Option<&'static str> {
        (self.needs_entry_frames && sigwalk_embed::hexversion() < 0x030c_0000)
            .then_some("3.11 has no entry frames")
    }

    /// Makes the fault in the calling thread's own frames. `None` where they do not allow it.
    ///
    /// # Signal safety
    /// Guarded loads and plain stores to frames of the calling thread.
    pub fn make(&self, live: &Live, tstate: Addr) -> Option<Made> {
        write(live, |frames| (self.words)(live, frames), tstate)
    }
}

/// Writes what `words` makes of the calling thread's own frames, innermost first and no more than 64 of them. `None` where
/// they do not allow it.
///
/// # Signal safety
/// As [`Fault::make`].
pub fn write(live: &Live, words: impl FnOnce(&[Frame]) -> Option<Words>, tstate: Addr) -> Option<Made> {
    let mut frames = [Frame { at: Addr::NULL, entry: false }; FRAMES];
    let mut count = 0;
    let mut next = live.head(tstate)?;
    while count < FRAMES && !next.is_null() {
        frames[count] = Frame { at: next, entry: live.is_entry(next)? };
        next = Addr::new(live.word(live.previous(next))?);
        count += 1;
    }
    let words = words(&frames[..count])?;
    let before = words.map(|(place, _)| live.word(place).map(|word| (place, word)));
    let [Some(first), Some(second)] = before else { return None };
    for (place, value) in words {
        word::store(place, 8, value);
    }
    Some(Made([first, second]))
}

trait Frames {
    fn head(&self, tstate: Addr) -> Option<Addr>;
    fn previous(&self, frame: Addr) -> Addr;
    fn is_entry(&self, frame: Addr) -> Option<bool>;
}

impl Frames for Live {
    fn head(&self, tstate: Addr) -> Option<Addr> {
        let word = |at: Addr| self.word(at).map(Addr::new);
        match self.interpreter.layout.thread.head {
            Head::Direct { current_frame } => word(tstate.plus(current_frame)),
            Head::Cframe { cframe, current_frame } => word(word(tstate.plus(cframe))?.plus(current_frame)),
        }
    }

    fn previous(&self, frame: Addr) -> Addr {
        frame.plus(self.interpreter.layout.frame.previous)
    }

    fn is_entry(&self, frame: Addr) -> Option<bool> {
        let layout = &self.interpreter.layout.frame;
        let owner = self.word(frame.plus(layout.owner & !7))? >> (8 * (layout.owner & 7)) & 0xff;
        Some(layout.entry_owner.is_some_and(|entry| owner >= u64::from(entry)))
    }
}
