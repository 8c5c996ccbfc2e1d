//! The stacks of another process: what `stress walk` prints.

use super::access;
use super::locate::Located;
use super::tasks;
use super::threads::{self, State, Torn};
use super::trouble::Trouble;
use serde::Serialize;
use sigwalk::addr::Addr;
use sigwalk::frame::{self, Frame, FrameBuf};
use sigwalk::interpreter::Interpreter;
use sigwalk::reader::{Fault, FaultKind, Reader};
use sigwalk::text::{self, TextError};
use sigwalk::walk::{Detail, End, Request, Truncated, strict};
use std::collections::HashMap;

/// Version of [`Output`]. Raised when a field changes its meaning or is removed.
pub const SCHEMA: u32 = 1;

/// The stacks of one process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Output {
    /// [`SCHEMA`]
    pub schema: u32,
    /// The process.
    pub pid: i32,
    /// Version of its interpreter.
    pub python: String,
    /// The same as `sys.hexversion`.
    pub hexversion: u32,
    /// The process's program, as it sees it.
    pub executable: String,
    /// The file that holds the interpreter.
    pub interpreter_file: String,
    /// In the order of CPython's lists: the newest first.
    pub threads: Vec<Thread>,
}

/// One thread state with its stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Thread {
    /// Which interpreter: 0 is the main one, the others follow in the order of their creation.
    pub interpreter: usize,
    /// `threading.get_native_id()`, in the pid namespace of the process; 0 when the thread has not started yet.
    pub native_id: u64,
    /// `threading.get_ident()`
    pub thread_id: u64,
    /// Name that the kernel has for the thread; `None` when there is no such thread.
    pub name: Option<String>,
    /// The process has a thread of that id.
    pub alive: bool,
    /// Why the walk ended: `complete`, or why it is not (`sigwalk::walk::End::name`), `name unreadable`, `thread exited`.
    pub end: String,
    /// Walks that were made; the frames are the last one's.
    pub attempts: u32,
    /// Innermost first.
    pub frames: Vec<Line>,
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// `co_filename`; `None` when it could not be read.
    pub file: Option<String>,
    /// `co_qualname`; `None` when it could not be read.
    pub function: Option<String>,
    /// `None` when the instruction has no line.
    pub line: Option<i32>,
}

/// Readings of the lists of threads: one takes some microseconds a thread, and threads rarely begin that often.
const READINGS: u32 = 100;

/// Walks all threads of a process, each at most `attempts` times. `blocks` reads the same process as `reader`, and may keep
/// copies within a walk.
///
/// # Errors
/// The process exited, has no thread state, or its list of threads could not be read.
pub fn collect<R: Reader, B: Reader>(
    reader: &R,
    blocks: &B,
    pid: i32,
    located: &Located,
    attempts: u32,
) -> Result<Output, Trouble> {
    let interpreter = &located.interpreter;
    let states = states(reader, pid, interpreter)?;
    if states.is_empty() {
        return Err(Trouble::NoThread(pid));
    }
    // After the states: a thread that is younger than this has no state in the list.
    let names = tasks::of(pid).map_err(|error| match error.raw_os_error() {
        // Which of the two depends on how far it got with exiting.
        Some(libc::ENOENT | libc::ESRCH) => Trouble::Exited(pid),
        _ => Trouble::Proc { pid, what: "task", error },
    })?;
    let walker = Walker { reader, blocks, interpreter, attempts };
    let mut buffer = vec![Frame::default(); 1024];
    let mut walked = Vec::with_capacity(states.len());
    for state in &states {
        let stack = walker
            .stack(state, &mut buffer)
            .map_err(|Lost(fault)| access::trouble_of(pid, fault).unwrap_or(Trouble::Exited(pid)))?;
        let name = names.get(&state.native_id).cloned();
        walked.push(Thread {
            interpreter: state.interpreter,
            native_id: state.native_id,
            thread_id: state.thread_id,
            alive: name.is_some(),
            name,
            end: stack.end.to_owned(),
            attempts: stack.attempts,
            frames: stack.frames,
        });
    }
    let version = interpreter.layout.version;
    Ok(Output {
        schema: SCHEMA,
        pid,
        python: version.to_string(),
        hexversion: version.hex(),
        executable: located.executable.clone(),
        interpreter_file: located.file.clone(),
        threads: walked,
    })
}

fn states<R: Reader>(reader: &R, pid: i32, interpreter: &Interpreter) -> Result<Vec<State>, Trouble> {
    let mut why = String::new();
    for _ in 0..READINGS {
        match threads::list(reader, interpreter) {
            Ok(states) => return Ok(states),
            Err(torn) => {
                if let Torn::Fault(fault) = torn
                    && let Some(trouble) = access::trouble_of(pid, fault)
                {
                    return Err(trouble);
                }
                why = torn.to_string();
            }
        }
    }
    Err(Trouble::Torn { pid, readings: READINGS, why })
}

/// The process cannot be read any more.
struct Lost(Fault);

/// Passes a fault on that is about the process, not about its address.
fn lost(fault: Fault) -> Result<(), Lost> {
    match fault.kind {
        FaultKind::Gone | FaultKind::Refused => Err(Lost(fault)),
        FaultKind::Unmapped | FaultKind::Bus | FaultKind::Budget => Ok(()),
    }
}

struct Stack {
    end: &'static str,
    attempts: u32,
    frames: Vec<Line>,
}

/// Frames that a walk may deliver: 24 MiB. CPython's default limit is 1000.
const MOST_FRAMES: usize = 1 << 20;

struct Walker<'a, R, B> {
    /// For what must be as it is now.
    reader: &'a R,
    /// For a walk, which says what it will read.
    blocks: &'a B,
    interpreter: &'a Interpreter,
    attempts: u32,
}

impl<R: Reader, B: Reader> Walker<'_, R, B> {
    /// Walks until a walk is complete and its names are readable.
    fn stack(&self, state: &State, buffer: &mut Vec<Frame>) -> Result<Stack, Lost> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (end, frames) = self.attempt(state, buffer)?;
            // Of a thread that has exited meanwhile nothing is true any more, and the next attempt would not be better.
            if !self.is_same(state)? {
                return Ok(Stack { end: "thread exited", attempts, frames: Vec::new() });
            }
            let is_complete = end == End::Complete.name();
            if is_complete || attempts >= self.attempts {
                return Ok(Stack { end, attempts, frames });
            }
        }
    }

    fn attempt(&self, state: &State, buffer: &mut Vec<Frame>) -> Result<(&'static str, Vec<Line>), Lost> {
        let request = Request::new(self.interpreter, state.tstate, Detail::Line);
        let (end, count) = loop {
            let mut out = FrameBuf::new(buffer);
            let walk = strict::walk(self.blocks, &request, &mut out);
            let count = out.frames().len();
            if let End::Truncated(Truncated::Fault(_, fault)) = walk.end {
                lost(fault)?;
            }
            if walk.end != End::Truncated(Truncated::BufferFull) || buffer.len() >= MOST_FRAMES {
                break (walk.end.name(), count);
            }
            buffer.resize(buffer.len() * 2, Frame::default());
        };
        let mut names = Names { reader: self.blocks, interpreter: self.interpreter, known: HashMap::new() };
        let mut lines = Vec::with_capacity(count);
        for frame in &buffer[..count] {
            let (file, function) = names.of(frame.code)?;
            lines.push(Line { file, function, line: (frame.line != frame::NO_LINE).then_some(frame.line) });
        }
        let is_named = lines.iter().all(|line| line.file.is_some() && line.function.is_some());
        let end = if end == End::Complete.name() && !is_named { "name unreadable" } else { end };
        Ok((end, lines))
    }

    fn is_same(&self, state: &State) -> Result<bool, Lost> {
        threads::is_same(self.reader, &self.interpreter.layout, state)
            .or_else(|fault| lost(fault).map(|()| false))
    }
}

/// File and function of code objects, each read once a walk: deep recursion has the same again and again.
struct Names<'a, R> {
    reader: &'a R,
    interpreter: &'a Interpreter,
    known: HashMap<Addr, Pair>,
}

/// File and function.
type Pair = (Option<String>, Option<String>);

/// Bytes of a name, at most; a longer one ends in `…`.
const LONGEST: usize = 8192;

impl<R: Reader> Names<'_, R> {
    fn of(&mut self, code: Addr) -> Result<Pair, Lost> {
        if let Some(pair) = self.known.get(&code) {
            return Ok(pair.clone());
        }
        let layout = &self.interpreter.layout.code;
        let pair = (self.text(code.plus(layout.filename))?, self.text(code.plus(layout.qualname))?);
        self.known.insert(code, pair.clone());
        Ok(pair)
    }

    /// The string that the pointer at `place` leads to.
    fn text(&self, place: Addr) -> Result<Option<String>, Lost> {
        let mut bytes = [0; LONGEST];
        let copied = self
            .reader
            .addr(place)
            .map_err(TextError::Fault)
            .and_then(|at| text::copy(self.reader, self.interpreter, at, &mut bytes));
        match copied {
            Ok(copied) => {
                let text = String::from_utf8_lossy(&bytes[..copied.bytes]);
                Ok(Some(if copied.truncated { format!("{text}…") } else { text.into_owned() }))
            }
            Err(TextError::Fault(fault)) => lost(fault).map(|()| None),
            Err(_) => Ok(None),
        }
    }
}
