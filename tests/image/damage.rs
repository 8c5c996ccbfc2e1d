//! Every field that a walk reads, what wrong values of it look like, and what harm an answer does: for searches over all damages
//! of one field.

use super::{CODE_TYPE, NOWHERE, Process, UNITS};
use sigwalk::addr::Addr;
use sigwalk::frame::Frame;
use sigwalk::layout::{Head, Outermost, chunk};
use sigwalk::reader::{FaultKind, POISON};
use sigwalk::walk::{End, Walk};
use std::collections::BTreeSet;

/// A field: its kind, where it is, and its width in bytes.
pub type Field = (&'static str, Addr, usize);

/// One field with a wrong value.
#[derive(Clone, Copy, Debug)]
pub struct Damage {
    pub field: &'static str,
    pub at: Addr,
    pub width: usize,
    pub value: u64,
}

/// What a walk does that nobody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// With raw loads the process would have died.
    Crash,
    /// It does not end.
    Hang,
    /// It calls a wrong stack whole.
    Lie,
}

impl Harm {
    /// Of an answer. −1 for an offset or a line says that there is none, and is no lie.
    pub fn of(truth: &[Frame], walk: &Walk, frames: &[Frame]) -> Option<Harm> {
        let is_true = |(said, is): (&Frame, &Frame)| {
            let number = |said, is| said == is || said == -1;
            said.frame == is.frame
                && said.code == is.code
                && number(said.lasti, is.lasti)
                && number(said.line, is.line)
        };
        match (walk.fault(), walk.end) {
            (Some((_, FaultKind::Budget)), _) => Some(Harm::Hang),
            (Some(_), _) => Some(Harm::Crash),
            (None, End::Complete) if frames.len() != truth.len() => Some(Harm::Lie),
            (None, End::Complete) if !frames.iter().zip(truth).all(is_true) => Some(Harm::Lie),
            _ => None,
        }
    }
}

impl Process {
    /// Runs `look` while the damage is done, and takes it back.
    pub fn damaged<T>(&mut self, damage: &Damage, look: impl FnOnce(&Process) -> T) -> T {
        let before = self.word(damage.at).to_le_bytes();
        self.put_bytes(damage.at, &damage.value.to_le_bytes()[..damage.width]);
        let seen = look(self);
        self.put_bytes(damage.at, &before[..damage.width]);
        seen
    }

    /// All fields that a walk reads.
    pub fn fields(&self) -> Vec<Field> {
        let layout = *self.layout();
        let mut fields: Vec<Field> = vec![("head", self.head_field(), 8)];
        if let Head::Cframe { cframe, .. } = layout.thread.head {
            fields.push(("cframe", self.tstate.plus(cframe), 8));
        }
        if let Outermost::BaseFrame(offset) = layout.frame.outermost {
            fields.push(("base frame", self.tstate.plus(offset), 8));
        }
        fields.push(("datastack_chunk", self.tstate.plus(layout.thread.datastack_chunk), 8));
        fields.push(("datastack_top", self.datastack_top(), 8));
        for at in &self.chunks {
            fields.push(("chunk.previous", at.plus(chunk::PREVIOUS), 8));
            fields.push(("chunk.top", at.plus(chunk::TOP), 8));
        }
        for (index, frame) in self.frames.iter().enumerate() {
            fields.push(("executable", self.executable(index), 8));
            fields.push(("previous", self.previous(index), 8));
            fields.push(("globals", frame.plus(layout.frame.globals), 8));
            fields.push(("builtins", frame.plus(layout.frame.builtins), 8));
            fields.push(("instruction", self.instruction(index), 8));
            fields.push(("owner", self.owner(index), 1));
            if let Outermost::IsEntry(offset) = layout.frame.outermost {
                fields.push(("is_entry", frame.plus(offset), 1));
            }
        }
        for (index, code) in self.codes.iter().enumerate().filter(|(_, code)| !code.is_null()) {
            fields.push(("ob_refcnt", *code, 8));
            fields.push(("ob_type", code.plus(layout.code.ob_type), 8));
            fields.push(("ob_size", code.plus(layout.code.units), 8));
            fields.push(("firsttraceable", code.plus(layout.code.firsttraceable), 4));
            fields.push(("linetable", code.plus(layout.code.linetable), 8));
            let table = self.linetable(index);
            fields.push(("linetable.ob_type", table.plus(layout.code.ob_type), 8));
            fields.push(("linetable.ob_size", table.plus(layout.text.bytes_size), 8));
            for byte in [0, 1, 6] {
                fields.push(("linetable.ob_sval", table.plus(layout.text.bytes_data + byte), 1));
            }
        }
        fields
    }

    /// Wrong values of a field, of every class that there is: each once, and never the right one.
    pub fn damages(&self, (field, at, width): Field) -> Vec<Damage> {
        let old = self.word(at);
        let mut values: BTreeSet<u64> = BTreeSet::new();
        if width == 1 {
            values.extend(0..=0xff);
        } else {
            // Small numbers, the fills of the debug hooks, what no pointer is, what is mapped nowhere, a failed load.
            values.extend([
                0,
                1,
                2,
                3,
                7,
                8,
                0x40,
                0xfe,
                0xff,
                0x100,
                0x1000,
                UNITS - 1,
                UNITS + 1,
                UNITS + 2,
            ]);
            values.extend([0xcd, 0xdd, 0xfd].map(|byte| byte * 0x0101_0101_0101_0101));
            values.extend([1_u64, 2, 0x5a, 0xff, 0x100, 0x101].map(u64::wrapping_neg));
            values.extend([
                NOWHERE,
                NOWHERE + 1,
                NOWHERE + 4,
                1 << 31,
                1 << 47,
                1 << 61,
                i64::MAX as u64,
                POISON,
            ]);
            // Near the right one, and 4 GiB away from it.
            for near in [1_i64, 2, 4, 8, 16, 0x400, 1 << 32, 1 << 33] {
                values.extend([old.wrapping_add_signed(near), old.wrapping_add_signed(-near)]);
            }
            values.extend([old ^ 1, CODE_TYPE.get()]);
            // Another object: aligned, and not.
            for index in 0..self.frames.len() {
                values.extend([
                    self.frames[index].get(),
                    self.frames[index].get() + 1,
                    self.codes[index].get(),
                ]);
                values.insert(self.word(self.instruction(index)));
                if !self.codes[index].is_null() {
                    values.insert(self.linetable(index).get());
                }
            }
            for at in &self.chunks {
                values.extend([at.get(), at.get() + 1, at.get() + 24, at.get() + 0x400]);
            }
            values.insert(self.tstate.get());
        }
        let mask = if width == 8 { u64::MAX } else { (1 << (width * 8)) - 1 };
        let values: BTreeSet<u64> = values.into_iter().map(|value| value & mask).collect();
        let wrong = values.into_iter().filter(|value| *value != old & mask);
        wrong.map(|value| Damage { field, at, width, value }).collect()
    }
}
