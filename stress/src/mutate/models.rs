//! Fault models: what is made of a field, each with its source in CPython or in the allocator below it.
//!
//! Those that are called freed, popped, exited, returned or recycled point to memory that the interpreter itself has freed
//! in the same process ([`super::victims`]); the others are values that were seen where a pointer should be, or that a
//! reader that races with a writer can see.

use super::change::Change;
use super::fields::{Field, Holds, Place};
use super::names;
use super::stack::Captured;
use super::victims::Kind;
use rand::RngExt;
use rand::seq::IteratorRandom;
use rand_chacha::ChaCha8Rng;
use sigwalk::addr::Addr;

macro_rules! models {
    ($($variant:ident = $name:literal, $about:literal;)*) => {
        /// A fault model.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Model { $($variant,)* }

        /// All models.
        pub const ALL: &[Model] = &[$(Model::$variant),*];

        impl Model {
            /// Name in campaigns and records.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Model::$variant => $name,)* }
            }
            /// Where it comes from.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self { $(Model::$variant => $about,)* }
            }
        }
    };
}

models! {
    FreedCd = "freed-cd", "fresh memory of the debug hooks, 0xCD… (obmalloc.c, PYMEM_CLEANBYTE)";
    FreedDd = "freed-dd", "freed memory of the debug hooks, 0xDD… (PYMEM_DEADBYTE)";
    FreedFd = "freed-fd", "guard bytes of the debug hooks, 0xFD… (PYMEM_FORBIDDENBYTE)";
    Zero = "zero", "NULL; the first word of the last free block of a pool (pymalloc_free)";
    Small = "small", "1 to 0xff: small integers and flags where a pointer was; NULL of a stack reference is 1";
    NegativeSmall = "negative-small", "-0xff to -1: error codes, counts that went below 0";
    Unmapped = "unmapped", "an address of memory that was given back: aligned, canonical, not readable (arena_free, munmap of a chunk)";
    NonCanonical = "non-canonical", "no user address: a mangled pointer, a hash";
    TcacheKey = "tcache-key", "the second word of a small block that glibc has freed, as found in this process (ob_type of a freed object with PYTHONMALLOC=malloc)";
    UnsortedBin = "unsorted-bin", "the first word of a large block that glibc has freed, as found: a pointer into main_arena";
    Unaligned = "unaligned", "the value plus 1 to 7: half of a pointer's store";
    TagFlip = "tag-flip", "the lowest bit changed: a stack reference's tag (3.14, _PyStackRef)";
    SelfCycle = "self-cycle", "the frame as its own previous";
    TwoCycle = "two-cycle", "the next inner frame as previous";
    EntryCycle = "entry-cycle", "two entry frames as each other's previous: a skip loop meets no complete frame (3.12+)";
    AnotherFrame = "another-frame", "the address of another frame of the chain";
    Neighbour = "neighbour", "the same field of another frame of this stack: a store that is overtaken";
    Alias4Gib = "alias-4gib", "the value plus a multiple of 4 GiB: _PyFrame_SafeGetLasti cuts to 32 bits";
    Garbage = "garbage", "an address of readable memory that holds random bytes: reused for something else";
    BitFlip = "bit-flip", "the value with one bit changed";
    Random = "random", "64 random bits";
    FreedCode = "freed-code", "executable and instr_ptr of a code object of up to 512 bytes that was freed (code_dealloc)";
    FreedCodeLarge = "freed-code-large", "the same of more than 512 bytes: from the raw allocator";
    RecycledCode = "recycled-code", "executable and instr_ptr of a code object whose memory another one has taken";
    FreedTable = "freed-table", "co_linetable of a freed code object (code_dealloc leaves its members as they are)";
    FreedGenerator = "freed-generator", "the frame inside of a generator that was freed (gen_dealloc)";
    ExitedThread = "exited-thread", "a frame of a thread that has ended (clear_datastack)";
    PoppedChunk = "popped-chunk", "a frame in a chunk that was given back (_PyThreadState_PopFrame)";
    PoppedFrame = "popped-frame", "a frame that was popped: its words are what they were";
    ReturnedEntry = "returned-entry", "the entry frame of a call from C that has returned: dead C stack (3.12+, _PyEval_EvalFrameDefault)";
    ShiftedFrame = "shifted-frame", "a frame's address and some words: the data stack was used again at another alignment";
    HalfWrittenFrame = "half-written-frame", "a new innermost frame of which the first stores only are made (_PyFrame_Initialize)";
    ClearedFrame = "cleared-frame", "a frame while it is taken down: executable is NULL, and the rest as it was (_PyFrame_ClearExceptCode, clear_thread_frame)";
    FreedTstate = "freed-tstate", "a thread state that was deleted (free_threadstate)";
    NoHeaderBit = "no-header-bit", "an entry of a line table that does not begin with one";
    EndlessVarint = "endless-varint", "a varint of a line table that goes on to its end";
    Truncated = "truncated", "a table that is shorter than it was";
    Empty = "empty", "a table without anything";
    NameLength = "name-length", "another length of a str object: a recycled address, a resize that is half done (PEP 393)";
    NameKind = "name-kind", "another kind of a str object: a recycled address (PEP 393)";
    NameState = "name-state", "compact and ascii bits of a str object changed: the state of another with its data";
}

impl Model {
    /// Whether it says anything about a field.
    #[must_use]
    pub const fn applies(self, field: Field) -> bool {
        use Model::*;
        let holds = field.holds();
        match self {
            FreedCd | FreedDd | FreedFd | Zero | Small | NegativeSmall | Unmapped | NonCanonical
            | Unaligned | Alias4Gib | Garbage | BitFlip | Random => {
                !matches!(holds, Holds::WholeFrame | Holds::WholeTable)
            }
            TcacheKey | UnsortedBin => {
                !matches!(holds, Holds::WholeFrame | Holds::WholeTable | Holds::Number)
            }
            Neighbour => {
                matches!(holds, Holds::Code | Holds::Instruction | Holds::Table | Holds::Text)
                    || matches!(
                        field,
                        Field::Previous
                            | Field::Owner
                            | Field::Globals
                            | Field::Builtins
                            | Field::CodeType
                            | Field::CodeRefcount
                            | Field::CodeUnits
                            | Field::CodeFirstlineno
                            | Field::CodeFirsttraceable
                            | Field::CodeMonitoring
                    )
            }
            TagFlip => matches!(holds, Holds::Frame | Holds::Code | Holds::Instruction),
            SelfCycle | TwoCycle | EntryCycle => matches!(field, Field::Previous),
            AnotherFrame => matches!(field, Field::BaseFrame | Field::Head),
            FreedCode | FreedCodeLarge | RecycledCode => matches!(holds, Holds::Code),
            FreedTable => matches!(holds, Holds::Table),
            FreedGenerator | ExitedThread | PoppedChunk | PoppedFrame | ReturnedEntry | ShiftedFrame => {
                matches!(holds, Holds::Frame)
            }
            HalfWrittenFrame | ClearedFrame => matches!(holds, Holds::WholeFrame),
            FreedTstate => matches!(holds, Holds::Tstate),
            NoHeaderBit | EndlessVarint => matches!(holds, Holds::WholeTable),
            Truncated | Empty => matches!(field, Field::LinetableSize),
            NameLength => matches!(holds, Holds::Length),
            NameKind | NameState => matches!(holds, Holds::State),
        }
    }

    /// The change for a drawn place. `None` where this stack has nothing that it could be made of.
    pub fn change(
        self,
        field: Field,
        place: &Place,
        stack: &Captured<'_>,
        random: &mut ChaCha8Rng,
    ) -> Option<Change> {
        let before = match field {
            Field::Tstate => stack.tstate.get(),
            _ => stack.live.word(place.at)? & (u64::MAX >> (64 - place.width * 8)),
        };
        match self {
            Model::EntryCycle => entry_cycle(stack, random),
            Model::FreedCode => stale_code(stack, place, Kind::Code, random),
            Model::FreedCodeLarge => stale_code(stack, place, Kind::CodeLarge, random),
            Model::RecycledCode => stale_code(stack, place, Kind::Recycled, random),
            Model::HalfWrittenFrame => half_written(stack, random),
            Model::ClearedFrame => Some(cleared(stack, place)),
            Model::NoHeaderBit | Model::EndlessVarint => table(self, stack, place),
            _ => {
                let value = self.value(place, before, stack, random)?;
                Some(match field {
                    Field::Tstate => Change::of_tstate(value),
                    _ => Change::word(place.at, place.width, value),
                })
            }
        }
    }

    /// The value of a model of one word.
    fn value(self, place: &Place, before: u64, stack: &Captured<'_>, random: &mut ChaCha8Rng) -> Option<u64> {
        let pick = |random: &mut ChaCha8Rng, length: u64| random.random_range(0..length);
        let dead = |kind, random: &mut ChaCha8Rng| stack.victims.of(kind).choose(random);
        Some(match self {
            Model::FreedCd => 0xcdcd_cdcd_cdcd_cdcd,
            Model::FreedDd => 0xdddd_dddd_dddd_dddd,
            Model::FreedFd => 0xfdfd_fdfd_fdfd_fdfd,
            Model::Zero | Model::Empty => 0,
            Model::Small => 1 + pick(random, 0xff),
            Model::NegativeSmall => (1 + pick(random, 0xff)).wrapping_neg(),
            Model::Unmapped => stack.memory.unmapped + pick(random, stack.memory.size / 16) * 16,
            Model::NonCanonical => random.random::<u64>() | 1 << 62,
            Model::TcacheKey => stack.victims.tcache_key,
            Model::UnsortedBin => stack.victims.unsorted,
            Model::Unaligned => before.wrapping_add(1 + pick(random, 7)),
            Model::TagFlip => before ^ 1,
            Model::SelfCycle => stack.chain[place.frame].frame.get(),
            Model::TwoCycle => stack.chain[place.frame.checked_sub(1)?].frame.get(),
            Model::AnotherFrame => stack.chain[random.random_range(0..stack.chain.len())].frame.get(),
            Model::Neighbour => {
                let other = &stack.chain[stack.python[random.random_range(0..stack.python.len())]];
                // Of the same kind of owner: the frame, or what the frame's code leads to.
                let base =
                    if place.owner == stack.chain[place.frame].frame { other.frame } else { other.code };
                stack.live.word(base.plus(place.offset & !7))? >> ((place.offset & 7) * 8)
            }
            Model::Alias4Gib => before.wrapping_add((1 + pick(random, 255)) << 32),
            Model::Garbage => stack.memory.garbage + pick(random, stack.memory.size / 16 - 64) * 16,
            Model::BitFlip => before ^ 1 << pick(random, u64::from(place.width) * 8),
            Model::Random => random.random(),
            Model::FreedTable => dead(Kind::Table, random)?,
            Model::FreedGenerator => dead(Kind::Generator, random)?,
            Model::ExitedThread => dead(Kind::Thread, random)?,
            Model::PoppedChunk => dead(Kind::Chunk, random)?,
            Model::PoppedFrame => dead(Kind::Popped, random)?,
            Model::ReturnedEntry => dead(Kind::Entry, random)?,
            Model::FreedTstate => dead(Kind::Tstate, random)?,
            Model::ShiftedFrame => {
                stack.chain[random.random_range(0..stack.chain.len())].frame.get()
                    + 8 * (1 + pick(random, 10))
            }
            Model::Truncated => pick(random, before.clamp(1, 1 << 20)),
            Model::NameLength => names::Model::Length.value(before, random),
            Model::NameKind => names::Model::Kind.value(before, random),
            Model::NameState => names::Model::State.value(before, random),
            _ => return None,
        })
    }
}

/// A frame that still says what it said of a code object that is gone: both of its words.
fn stale_code(stack: &Captured<'_>, place: &Place, kind: Kind, random: &mut ChaCha8Rng) -> Option<Change> {
    let layout = &stack.live.interpreter.layout;
    let code = stack.victims.of(kind).choose(random)?;
    let within = 2 * random.random_range(0..24_u64);
    let instruction = code + u64::from(layout.code.adaptive) + within;
    // A reference that a frame has of its own is tagged as borrowed or not; both were seen (3.14+).
    let tag = u64::from(layout.frame.tagged && random.random());
    let frame = stack.chain[place.frame].frame;
    Some(Change::word(place.at, 8, code | tag).and(frame.plus(layout.frame.instruction), 8, instruction))
}

/// Two entry frames as each other's previous; one as its own where there are no two.
fn entry_cycle(stack: &Captured<'_>, random: &mut ChaCha8Rng) -> Option<Change> {
    let layout = &stack.live.interpreter.layout.frame;
    let owner = layout.entry_owner?;
    let is_entry =
        |frame: Addr| stack.live.word(frame.plus(layout.owner)).map(|word| word as u8) == Some(owner);
    let entries: Vec<Addr> =
        stack.chain.iter().map(|raw| raw.frame).filter(|&frame| is_entry(frame)).collect();
    let one = entries.iter().choose(random)?;
    let other = entries.iter().filter(|&entry| entry != one).choose(random).unwrap_or(one);
    let change = Change::word(one.plus(layout.previous), 8, other.get());
    Some(if one == other { change } else { change.and(other.plus(layout.previous), 8, one.get()) })
}

/// A frame above the data stack's top becomes the innermost, with the first of its stores made, in the order of
/// `_PyFrame_Initialize`; the rest is what was left there.
fn half_written(stack: &Captured<'_>, random: &mut ChaCha8Rng) -> Option<Change> {
    let layout = &stack.live.interpreter.layout;
    let top = stack.live.word(stack.tstate.plus(layout.thread.datastack_chunk + 8))?;
    let limit = stack.live.word(stack.tstate.plus(layout.thread.datastack_chunk + 16))?;
    if top == 0 || top + u64::from(layout.frame.size) > limit {
        return None;
    }
    let new = Addr::new(top);
    let like = stack.chain[stack.python[random.random_range(0..stack.python.len())]].frame;
    let mut change = Change::word(stack.head.0.plus(stack.head.1), 8, top);
    let stores = [
        (layout.frame.executable, 8),
        (layout.frame.builtins, 8),
        (layout.frame.globals, 8),
        (layout.frame.instruction, 8),
        (layout.frame.owner, 1),
        (layout.frame.previous, 8),
    ];
    for (offset, width) in stores.into_iter().take(random.random_range(0..stores.len())) {
        change = change.and(new.plus(offset), width, stack.live.word(like.plus(offset))?);
    }
    Some(change)
}

/// What is left of a frame that is being taken down: no code, and a generator's has no previous either.
fn cleared(stack: &Captured<'_>, place: &Place) -> Change {
    let layout = &stack.live.interpreter.layout.frame;
    let none = u64::from(layout.tagged);
    Change::word(stack.chain[place.frame].frame.plus(layout.executable), 8, none)
}

/// Damage of up to eight bytes of a line table, from the drawn byte on.
fn table(model: Model, stack: &Captured<'_>, place: &Place) -> Option<Change> {
    const HEADER: u64 = 0x80;
    let text = &stack.live.interpreter.layout.text;
    let size = stack.live.word(place.owner.plus(text.bytes_size))?;
    let end = u64::from(text.bytes_data) + size;
    match model {
        Model::NoHeaderBit => {
            // The first header from the drawn byte on.
            let header = (u64::from(place.offset)..end).find(|&offset| {
                stack.live.word(place.owner.plus(offset as u32)).is_some_and(|word| word & HEADER != 0)
            })?;
            let at = place.owner.plus(header as u32);
            Some(Change::word(at, 1, stack.live.word(at)? & !HEADER))
        }
        _ => {
            // A header of an entry with a varint, and groups of which another follows, seven at least where there is room.
            let mut change = Change::word(place.at, 1, 0xe8);
            for offset in (u64::from(place.offset) + 1..end).take(7) {
                change = change.and(place.owner.plus(offset as u32), 1, 0x7f);
            }
            Some(change)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutate::fields;

    #[test]
    fn every_model_has_a_field_and_every_field_a_model() {
        for &model in ALL {
            assert!(fields::ALL.iter().any(|&field| model.applies(field)), "{}", model.name());
        }
        for &field in fields::ALL {
            assert!(ALL.iter().any(|&model| model.applies(field)), "{}", field.name());
        }
    }
}
