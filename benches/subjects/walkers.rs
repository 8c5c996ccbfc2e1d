//! The walkers of the root crate: every row of the registry as it is used for real, and beside them the strict policy over
//! raw loads (same policy, other loads, so that the quotient is the price of guarding a load) and over names.

use super::{Label, Subject, timed};
use crate::depth::{DEPTHS, FEW, USUAL};
use crate::failure::Failure;
use crate::place::Here;
use crate::reference;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::interpreter::Interpreter;
use sigwalk::line_cache::LineCache;
use sigwalk::reader::Reader;
use sigwalk::text::{self, Copied, TextError};
use sigwalk::walk::{Detail, End, Request, Walk};
use sigwalk::walkers::{self, Entry, Readers, Reads, Strict, Walker};
use sigwalk_record::What;
use std::hint::black_box;
use std::time::Duration;

/// Room for a name: what a sampling profiler gives one in a record of fixed size.
const NAME: usize = 128;
/// File and function of one frame.
type Names = [[u8; NAME]; 2];
/// As [`Entry::live`].
pub(crate) type Live = fn(&Readers, &Request<'_>, &mut FrameBuf<'_>) -> Walk;

/// Lines of the stack that is walked: 1024 entries for one a frame at most.
static WARM: LineCache = LineCache::new();

/// Walkers whose whole curve is looked at: the claims of linearity and of cost against the baselines rest on them. The
/// others are variants of theirs.
const CURVES: [&str; 2] = ["guarded", "pr-b1"];

/// In the order they run in: the two sides of `guarded_vs_raw` are neighbours.
pub(super) fn all() -> Vec<Box<dyn Subject>> {
    let mut all: Vec<Box<dyn Subject>> = Vec::new();
    for entry in walkers::ALL {
        if entry.name == "guarded" {
            all.push(Box::new(Walked {
                depths: &[USUAL],
                ..Walked::new("raw_strict", What::Code, |readers, request, out| {
                    Strict::walk(&readers.raw, request, out)
                })
            }));
        }
        all.push(Box::new(Walked::of(entry, What::Code)));
        all.push(Box::new(Walked::of(entry, What::Line)));
        if entry.name == "guarded" {
            all.push(Box::new(Walked { depths: &FEW, ..Walked::of(entry, What::Names) }));
            all.push(Box::new(Walked {
                lines: Some(&WARM),
                ..Walked::new("guarded_warm", What::Line, entry.live)
            }));
        }
    }
    all
}

/// A walker of the registry.
///
/// # Errors
/// There is none of that name.
pub(crate) fn registered(name: &str, what: What) -> Result<Box<dyn Subject>, Failure> {
    let entry = walkers::named(name)
        .ok_or_else(|| Failure::internal(format!("the walker {name} is not in the registry")))?;
    Ok(Box::new(Walked::of(entry, what)))
}

/// A walk that is in no registry.
pub(crate) fn unregistered(subject: String, what: What, live: Live) -> Box<dyn Subject> {
    Box::new(Walked { subject, ..Walked::new("", what, live) })
}

struct Walked {
    subject: String,
    what: What,
    live: Live,
    depths: &'static [u64],
    lines: Option<&'static LineCache>,
    frames: Vec<Frame>,
    names: Vec<Names>,
}

impl Walked {
    fn new(subject: &str, what: What, live: Live) -> Self {
        let subject = super::name(subject);
        Walked { subject, what, live, depths: &DEPTHS, lines: None, frames: Vec::new(), names: Vec::new() }
    }

    fn of(entry: &Entry, what: What) -> Self {
        let depths: &[u64] = match entry.reads {
            Reads::Kernel | Reads::Outside => &[USUAL, 1024],
            Reads::Raw | Reads::Guarded if CURVES.contains(&entry.name) => &DEPTHS,
            Reads::Raw | Reads::Guarded => &FEW,
        };
        Walked { depths, ..Walked::new(entry.name, what, entry.live) }
    }

    /// The buffers at their sizes, outside of what is timed.
    fn prepare<'a>(&mut self, here: &'a Here<'_>) -> Request<'a> {
        self.frames.resize(here.depth as usize + 1, Frame::default());
        if self.what == What::Names {
            self.names.resize(here.depth as usize + 1, [[0; NAME]; 2]);
        }
        let detail = if self.what == What::Code { Detail::Code } else { Detail::Line };
        let request = Request::new(&here.live.interpreter, here.tstate, detail);
        self.lines.map_or(request, |lines| request.with_lines(lines))
    }
}

/// `co_filename` and `co_qualname`: the pointers are loaded through the reader too.
#[inline(never)]
fn copy_names<R: Reader>(
    reader: &R,
    interpreter: &Interpreter,
    frame: &Frame,
    into: &mut Names,
) -> Result<[Copied; 2], TextError> {
    let offsets = &interpreter.layout.code;
    let [file, function] = into;
    Ok([
        text::copy(reader, interpreter, reader.addr(frame.code.plus(offsets.filename))?, file)?,
        text::copy(reader, interpreter, reader.addr(frame.code.plus(offsets.qualname))?, function)?,
    ])
}

/// Whether a name was copied as far as it fits, whole characters only.
fn same(name: &str, copied: &[u8], truncated: bool) -> bool {
    let rest = name.as_bytes().strip_prefix(copied);
    rest.is_some_and(|rest| rest.is_empty() != truncated && (rest.is_empty() || copied.len() + 4 > NAME))
}

impl Subject for Walked {
    fn label(&self) -> Label {
        Label::new(&self.subject, self.what)
    }

    fn depths(&self) -> &'static [u64] {
        self.depths
    }

    fn note(&self) -> Option<String> {
        let warm = || "lines out of a cache that an untimed walk filled".to_owned();
        let names = || format!("file and qualified name copied, up to {NAME} bytes each");
        self.lines.map(|_| warm()).or_else(|| (self.what == What::Names).then(names))
    }

    fn verify(&mut self, here: &Here<'_>) -> Result<u64, Failure> {
        let request = self.prepare(here);
        let mut out = FrameBuf::new(&mut self.frames);
        let walk = (self.live)(&here.live.readers, &request, &mut out);
        if walk.end != End::Complete {
            return Err(Failure::internal(format!("ended as {}", walk.end.name())));
        }
        reference::compare(&reference::stack(here)?, out.frames(), self.what != What::Code)
            .map_err(Failure::internal)?;
        if self.what == What::Names {
            let known = reference::names(here)?;
            for ((frame, names), known) in out.frames().iter().zip(&mut self.names).zip(&known) {
                let copied = copy_names(&here.live.readers.guarded, request.interpreter, frame, names)
                    .map_err(|error| Failure::internal(format!("no names: {error:?}")))?;
                for ((known, name), copied) in known.iter().zip(&*names).zip(copied) {
                    let name = &name[..copied.bytes];
                    if !same(known, name, copied.truncated) {
                        let found = String::from_utf8_lossy(name);
                        return Err(Failure::internal(format!("the name {found:?} instead of {known:?}")));
                    }
                }
            }
        }
        Ok(out.frames().len() as u64)
    }

    fn batch(&mut self, here: &Here<'_>, iters: u64) -> Duration {
        let request = self.prepare(here);
        let (live, readers) = (self.live, &here.live.readers);
        let (frames, names) = (&mut self.frames, &mut self.names);
        // What stays in caches of any kind is there before the clock starts.
        black_box((live)(readers, &request, &mut FrameBuf::new(frames)));
        if self.what != What::Names {
            return timed(iters, || {
                let mut out = FrameBuf::new(frames);
                let ended = black_box(live)(black_box(readers), black_box(&request), &mut out);
                black_box((ended, out.frames()));
            });
        }
        timed(iters, || {
            let mut out = FrameBuf::new(frames);
            let ended = black_box(live)(black_box(readers), black_box(&request), &mut out);
            for (frame, names) in out.frames().iter().zip(names.iter_mut()) {
                let copied = copy_names(&readers.guarded, request.interpreter, frame, names);
                let _ = black_box((copied, names));
            }
            black_box((ended, out.frames()));
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{NAME, same};

    #[test]
    fn a_name_is_whole_or_cut_where_the_room_ends() {
        let long = "x".repeat(NAME + 1);
        assert!(same("a.py", b"a.py", false) && same(&long, &long.as_bytes()[..NAME], true));
        assert!(!same("a.py", b"a.p", true) && !same("a.py", b"b.py", false) && !same("a.py", b"a.py", true));
        assert!(!same(&long, &long.as_bytes()[..NAME], false));
    }
}
