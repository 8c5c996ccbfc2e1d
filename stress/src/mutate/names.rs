//! Names as a subject of mutation: what file and function a frame's code object names, and the strings behind.
//!
//! A name that cannot be believed is *missing* and says so; a name that is wrong and says nothing is what is looked for. No
//! check can tell every wrong name from a right one: a str object has no redundancy but its type, its kind and that ASCII
//! goes with compact.

mod damage;
#[cfg(test)]
mod tests;

pub use damage::Model;

use sigwalk::addr::Addr;
use sigwalk::call_stack::{FrameInfo, TRUNCATED, collect};
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::reader::{Before, Failing};
use sigwalk::text;
use sigwalk::walk::{Request, Walk, strict};
use sigwalk_embed::Live;

/// Name of the subject in records, beside the walkers'.
pub const NAME: &str = "call-stack";

/// Frames that are collected with their names.
const FRAMES: usize = 256;
/// Bytes of a qualified name.
const QUALNAME: usize = 256;

/// A name, as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// There is none, or it was not believed.
    Missing,
    /// The bytes, as far as there was room.
    Text {
        /// What it holds.
        bytes: Vec<u8>,
        /// Whether it was cut.
        truncated: bool,
    },
}

/// A stack with names.
#[derive(Clone, Debug)]
pub struct Named {
    /// How the walk went, by the strict policy.
    pub walk: Walk,
    /// Its frames.
    pub frames: Vec<Frame>,
    /// `co_filename`, `co_name` and `co_qualname` of each.
    pub names: Vec<[Name; 3]>,
    /// More loads were asked for than it may make: a hang.
    pub spent: bool,
}

/// What became of the names, where the frames are the right ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// All are the undisturbed ones.
    Same,
    /// Some are missing, and the others the undisturbed ones: it was noticed.
    Missing,
    /// One is wrong, and does not say so.
    Wrong,
}

/// Collects a stack with its names over guarded loads, at most `loads` of them: the frames by the strict walk, files and
/// functions by [`collect`], qualified names by [`text::copy`].
pub fn walk(live: &Live, request: &Request<'_>, loads: u32) -> Named {
    let budget = Failing::none().within(loads);
    let hook = |load| budget.before(load);
    let reader = Before::new(live.readers.guarded, &hook);
    let mut frames = vec![Frame::default(); FRAMES];
    let mut out = FrameBuf::new(&mut frames);
    let walk = strict::walk(&reader, request, &mut out);
    let len = out.frames().len();
    frames.truncate(len);

    let mut infos = vec![FrameInfo::<180, 64>::EMPTY; FRAMES];
    let collected = collect(&reader, request, &mut infos);
    let qualname = |frame: &Frame| {
        let mut bytes = [0; QUALNAME];
        let at = frame.code.plus(request.interpreter.layout.code.qualname);
        let copied = sigwalk::reader::Reader::addr(&reader, at)
            .map_err(text::TextError::Fault)
            .and_then(|string| text::copy(&reader, request.interpreter, string, &mut bytes));
        copied.map_or(Name::Missing, |copied| Name::Text {
            bytes: bytes[..copied.bytes].to_vec(),
            truncated: copied.truncated,
        })
    };
    let names = infos[..collected.frames]
        .iter()
        .zip(&frames)
        .map(|(info, frame)| {
            let file = name(info.filename(), info.filename_flags);
            [file, name(info.name(), info.name_flags), qualname(frame)]
        })
        .collect();
    Named { walk, frames, names, spent: budget.spent() }
}

fn name(text: Option<&[u8]>, flags: u32) -> Name {
    text.map_or(Name::Missing, |text| Name::Text { bytes: text.to_vec(), truncated: flags & TRUNCATED != 0 })
}

impl Named {
    /// Compares with the names of the undisturbed stack, which has the same frames.
    pub fn against(&self, undisturbed: &Named) -> Verdict {
        if self.names.len() != undisturbed.names.len() {
            return Verdict::Missing;
        }
        let pairs = self.names.iter().flatten().zip(undisturbed.names.iter().flatten());
        let verdict = |(name, healthy): (&Name, &Name)| match name {
            name if name == healthy => Verdict::Same,
            Name::Missing => Verdict::Missing,
            Name::Text { .. } => Verdict::Wrong,
        };
        pairs.map(verdict).max().unwrap_or(Verdict::Same)
    }
}

/// What damage applies to, of one code object: name in records, address and bytes. Of a string's data the first byte, the
/// middle one and the last one stand for all.
pub fn fields(live: &Live, code: Addr) -> impl Iterator<Item = (&'static str, Addr, u32)> {
    const FILENAME: [&str; 5] =
        ["code.co_filename", "filename.ob_type", "filename.length", "filename.state", "filename.data"];
    const NAME: [&str; 5] = ["code.co_name", "name.ob_type", "name.length", "name.state", "name.data"];
    const QUALNAME: [&str; 5] =
        ["code.co_qualname", "qualname.ob_type", "qualname.length", "qualname.state", "qualname.data"];
    let layout = &live.interpreter.layout.code;
    [(FILENAME, layout.filename), (NAME, layout.name), (QUALNAME, layout.qualname)]
        .into_iter()
        .flat_map(move |(names, offset)| of_string(live, names, code.plus(offset)))
}

fn of_string(live: &Live, names: [&'static str; 5], pointer: Addr) -> Vec<(&'static str, Addr, u32)> {
    let [at, of_type, of_length, of_state, of_data] = names;
    let mut found = vec![(at, pointer, 8)];
    let text = &live.interpreter.layout.text;
    let string = live.word(pointer).map(Addr::new).filter(|string| string.is_pointer_shaped());
    let Some(string) = string else { return found };
    found.push((of_type, string.plus(live.interpreter.layout.code.ob_type), 8));
    found.push((of_length, string.plus(text.length), 8));
    found.push((of_state, string.plus(text.state), 4));
    let (Some(length), Some(state)) =
        (live.word(string.plus(text.length)), live.word(string.plus(text.state)))
    else {
        return found;
    };
    let state = damage::State(state as u32);
    // Names that a compiler made are compact.
    let data = if state.is_ascii() { text.ascii_data } else { text.compact_data };
    if let Some(last) = (length * u64::from(state.kind())).checked_sub(1).filter(|_| state.is_compact()) {
        let mut bytes = vec![0, last / 2, last];
        bytes.dedup();
        found.extend(bytes.into_iter().map(|byte| (of_data, string.plus(data + byte as u32), 1)));
    }
    found
}
