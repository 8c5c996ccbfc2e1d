//! Writes images of a few stacks of the interpreter that PYO3_PYTHON names: the seeds of `fuzz/`. `scripts/seeds` runs it.
//!
//! Usage: `capture OUT_DIR`
//!
//! An image holds what a walk may touch and nothing else. It is written only where every walker, live and over the image,
//! gives the answer that CPython itself gives.

use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyTuple};
use sigwalk::addr::Addr;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::layout::{Head, Outermost, chunk};
use sigwalk::reader::{Budgeted, ImageReader, Reader, Region};
use sigwalk::walk::{Detail, End, Request};
use sigwalk::walkers;
use sigwalk_embed::{Live, Options, initialize, interpreter, pyo3, runtime_symbols};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[path = "../../../fuzz/src/image.rs"]
mod image;
use image::{Answer, Image, Piece};

/// The stacks. Their files get other names: what those are called ends up in the images.
const TARGETS: [(&str, &str); 2] = [
    (include_str!("../../../fuzz/seeds/target.py"), "target.py"),
    (include_str!("../../../fuzz/seeds/names.py"), "größe.py"),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = PathBuf::from(std::env::args_os().nth(1).ok_or("usage: capture OUT_DIR")?);
    initialize(Options::default())?;
    let tag = interpreter()?.tag;
    Python::attach(|py| {
        let live = Live::find()?;
        let capture = PyCFunction::new_closure(py, Some(c"capture"), None, move |args, _| {
            let (name, chain): (String, Vec<(u64, i32, i32)>) = args.extract()?;
            let file = out.join(format!("{tag}-{name}.img"));
            let bytes = take(&live, &chain).map_err(|why| failure(format!("{}: {why}", file.display())))?;
            println!("{} {} bytes", file.display(), bytes.len());
            std::fs::write(&file, bytes).map_err(|error| failure(format!("{}: {error}", file.display())))
        })?;
        let scope = PyDict::new(py);
        scope.set_item("__builtins__", py.import("builtins")?)?;
        scope.set_item("capture", capture)?;
        let builtins = py.import("builtins")?;
        for (source, file) in TARGETS {
            let code = builtins.call_method1("compile", (source, file, "exec"))?;
            builtins.call_method1("exec", PyTuple::new(py, [code.as_any(), scope.as_any()])?)?;
        }
        Ok(())
    })
}

fn failure(text: String) -> PyErr {
    pyo3::exceptions::PyRuntimeError::new_err(text)
}

/// The image of the calling thread, checked against `chain` (innermost first), which came from `sys._getframe`.
fn take(live: &Live, chain: &[(u64, i32, i32)]) -> Result<Vec<u8>, String> {
    let tstate = live.tstate().ok_or("no thread state")?;
    let mut memory = Memory { live, taken: BTreeMap::new() };
    memory.thread(tstate).ok_or("a load failed")?;
    let request = Request::new(&live.interpreter, tstate, Detail::Line);
    let mut frames = [Frame::default(); 64];
    let mut answers: Option<Vec<Answer>> = None;
    let pieces = memory.pieces();
    let regions: Vec<Region<'_>> =
        pieces.iter().map(|piece| Region { start: piece.start, bytes: &piece.bytes }).collect();
    for entry in walkers::ALL {
        for from_image in [false, true] {
            let mut buffer = FrameBuf::new(&mut frames);
            let walk = match from_image {
                false => (entry.live)(&live.readers, &request, &mut buffer),
                true => {
                    let reader = Budgeted::new(ImageReader::new(&regions), u32::MAX);
                    (entry.image)(&reader, &request, &mut buffer)
                }
            };
            let what = format!("{} ({})", entry.name, if from_image { "image" } else { "live" });
            if walk.end != End::Complete {
                return Err(format!("{what}: {:?}", walk.end));
            }
            let answer =
                |frame: &Frame| Answer { code: frame.code.get(), lasti: frame.lasti, line: frame.line };
            let found: Vec<Answer> = buffer.frames().iter().map(answer).collect();
            // The innermost frame went on after it looked at itself: only its code is the same.
            let same = found.len() == chain.len()
                && found.iter().zip(chain).enumerate().all(|(index, (ours, theirs))| {
                    ours.code == theirs.0 && (index == 0 || (ours.lasti, ours.line) == (theirs.1, theirs.2))
                });
            if !same || answers.as_ref().is_some_and(|before| *before != found) {
                return Err(format!("{what}: {found:x?}, CPython: {chain:x?}"));
            }
            answers = Some(found);
        }
    }
    let interpreter = &live.interpreter;
    let image = Image {
        version: interpreter.layout.version.hex(),
        tstate: tstate.get(),
        code_type: interpreter.code_type.get(),
        unicode_type: interpreter.unicode_type.get(),
        bytes_type: interpreter.bytes_type.get(),
        runtime: interpreter.runtime.get(),
        runtime_size: runtime_symbols().map_err(|error| error.to_string())?.runtime.size,
        frames: answers.unwrap_or_default(),
        pieces,
    };
    let bytes = image.to_bytes();
    if Image::parse(&bytes).as_ref() != Ok(&image) {
        return Err("the image is not what was written".to_owned());
    }
    Ok(bytes)
}

/// What was copied so far: start → bytes.
struct Memory<'a> {
    live: &'a Live,
    taken: BTreeMap<u64, Vec<u8>>,
}

impl Memory<'_> {
    /// The thread state, what leads to its frames, its data stack, and every frame with its code.
    fn thread(&mut self, tstate: Addr) -> Option<()> {
        let layout = self.live.interpreter.layout;
        self.take(self.live.interpreter.runtime, 1024)?;
        // Allocated size of a thread state.
        let size = match layout.version.triple().1 {
            11 => 360,
            12 => 288,
            13 => 304,
            14 => 936,
            _ => 1096,
        };
        self.take(tstate, size)?;
        let mut frame = match layout.thread.head {
            Head::Direct { current_frame } => self.addr(tstate.plus(current_frame))?,
            Head::Cframe { cframe, current_frame } => {
                let cframe = self.addr(tstate.plus(cframe))?;
                self.take(cframe, u64::from(current_frame) + 16)?;
                self.addr(cframe.plus(current_frame))?
            }
        };
        let base = match layout.frame.outermost {
            Outermost::BaseFrame(offset) => self.addr(tstate.plus(offset))?,
            _ => Addr::NULL,
        };

        let current = self.addr(tstate.plus(layout.thread.datastack_chunk))?;
        let top = self.addr(tstate.plus(layout.thread.datastack_chunk + 8))?;
        self.take(current, top.minus(current))?;
        let mut outward = self.addr(current.plus(chunk::PREVIOUS))?;
        while !outward.is_null() {
            let slots = self.live.word(outward.plus(chunk::TOP))?;
            self.take(outward, u64::from(chunk::DATA) + slots * 8)?;
            outward = self.addr(outward.plus(chunk::PREVIOUS))?;
        }

        while frame != base {
            self.take(frame, u64::from(layout.frame.size))?;
            let tag = u64::from(layout.frame.tagged);
            let code = Addr::new(self.addr(frame.plus(layout.frame.executable))?.get() & !tag);
            if self.addr(code.plus(layout.code.ob_type))? == self.live.interpreter.code_type {
                self.code(code)?;
            }
            frame = self.addr(frame.plus(layout.frame.previous))?;
        }
        Some(())
    }

    fn code(&mut self, code: Addr) -> Option<()> {
        let layout = self.live.interpreter.layout;
        let units = self.live.word(code.plus(layout.code.units))?;
        self.take(code, u64::from(layout.code.adaptive) + units * 2)?;
        let table = self.addr(code.plus(layout.code.linetable))?;
        let len = self.live.word(table.plus(layout.text.bytes_size))?;
        self.take(table, u64::from(layout.text.bytes_data) + len)?;
        for field in [layout.code.filename, layout.code.name, layout.code.qualname] {
            let text = self.addr(code.plus(field))?;
            let length = self.live.word(text.plus(layout.text.length))?;
            let state = self.live.word(text.plus(layout.text.state))? as u32;
            let data = if state & 64 != 0 { layout.text.ascii_data } else { layout.text.compact_data };
            self.take(text, u64::from(data) + length * u64::from((state >> 2) & 7))?;
        }
        Some(())
    }

    fn addr(&self, at: Addr) -> Option<Addr> {
        self.live.word(at).map(Addr::new)
    }

    fn take(&mut self, at: Addr, len: u64) -> Option<()> {
        let mut bytes = vec![0; usize::try_from(len).ok().filter(|len| *len < 1 << 20)?];
        self.live.readers.guarded.bytes(at, &mut bytes).ok()?;
        let place = self.taken.entry(at.get()).or_default();
        if place.len() < bytes.len() {
            *place = bytes;
        }
        Some(())
    }

    /// Overlapping copies made one: frames lie in chunks, a base frame in its thread state.
    fn pieces(&self) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        for (&start, bytes) in &self.taken {
            match pieces.last_mut() {
                Some(last) if start < last.start + last.bytes.len() as u64 => {
                    let from = (start - last.start) as usize;
                    let overlap = (last.bytes.len() - from).min(bytes.len());
                    last.bytes.extend(&bytes[overlap..]);
                }
                _ => pieces.push(Piece { start, bytes: bytes.clone() }),
            }
        }
        pieces
    }
}
