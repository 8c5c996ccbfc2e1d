//! The line cache on the running interpreter: what hits, and whether a code object that is freed and replaced at the same
//! address can be taken for its successor. One test: a process has one interpreter.

use pyo3::prelude::*;
use pyo3::types::PyCFunction;
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::layout::Layout;
use sigwalk::line_cache::{LineCache, fingerprint};
use sigwalk::reader::{Budgeted, Reader};
use sigwalk::walk::{Detail, End, Request, strict};
use sigwalk_embed::{Live, Options, initialize, pyo3};
use std::collections::HashMap;
use std::ffi::CString;
use std::sync::Mutex;

static LINES: LineCache = LineCache::new();
static SEEN: Mutex<Vec<Seen>> = Mutex::new(Vec::new());

/// The innermost frame, with the cache and without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    cached: Frame,
    fresh: Frame,
    /// Loads of the walk with the cache.
    loads: u32,
    /// What the key of any version knows beside the code object's address, and what 3.11 adds to that.
    table: (u64, u64, u32, u64),
}

/// Walks the calling thread twice; called by Python as `probe()`.
fn probe(live: &Live) {
    const BUDGET: u32 = 1_000_000;
    let reader = live.readers.guarded;
    let request = Request::new(&live.interpreter, live.tstate().expect("attached"), Detail::Line);
    let walk = |request: &Request<'_>| {
        let counted = Budgeted::new(reader, BUDGET);
        let mut frames = [Frame::default(); 16];
        let mut out = FrameBuf::new(&mut frames);
        let walk = strict::walk(&counted, request, &mut out);
        assert_eq!(walk.end, End::Complete);
        (out.frames()[0], BUDGET - counted.left())
    };
    let (cached, loads) = walk(&request.with_lines(&LINES));
    let (fresh, _) = walk(&request);
    let Layout { code, text, .. } = live.interpreter.layout;
    let at = reader.addr_at(fresh.code, code.linetable).unwrap();
    let len = reader.u64_at(at, text.bytes_size).unwrap();
    let first = reader.u32_at(fresh.code, code.firstlineno).unwrap();
    let print = fingerprint(&reader, at.plus(text.bytes_data), len as u32).unwrap();
    SEEN.lock().unwrap().push(Seen { cached, fresh, loads, table: (at.get(), len, first, print) });
}

/// A function of 40 lines that calls `probe` in the last one; with an empty line before line `gap`, which changes one byte of
/// its location table and nothing else.
fn source(gap: Option<usize>) -> String {
    let line = |number| format!("{}    x = 1\n", if Some(number) == gap { "\n" } else { "" });
    format!("def f(probe):\n{}    probe()\n", (0..40).map(line).collect::<String>())
}

const DRIVER: &str = "
def make(source):
    names = {}
    exec(compile(source, 'reuse.py', 'exec'), names)
    function = names['f']
    names.clear()
    return function
def call(source, probe, times=1):
    function = make(source)
    for _ in range(times):
        function(probe)
def die(source):
    make(source)
def many(source, probe, count):
    functions = [make(source) for _ in range(count)]
    for function in functions:
        function(probe)
    del function
    # The last one first: the allocator's free lists are stacks, and hand the blocks out in the order of birth again.
    while functions:
        functions.pop()
";

struct Driver<'py> {
    module: Bound<'py, PyModule>,
    probe: Bound<'py, PyCFunction>,
}

impl Driver<'_> {
    /// Makes so many such functions, calls each once, lets all die: what was seen in each call.
    fn many(&self, source: &str, functions: u32) -> Vec<Seen> {
        self.module.call_method1("many", (source, &self.probe, functions)).expect("runs");
        std::mem::take(&mut SEEN.lock().unwrap())
    }

    /// Makes the function, calls it, lets it die: what was seen in each call.
    fn call(&self, source: &str, times: usize) -> Vec<Seen> {
        self.module.call_method1("call", (source, &self.probe, times)).expect("runs");
        std::mem::take(&mut SEEN.lock().unwrap())
    }
}

#[test]
fn a_freed_and_reused_code_object() {
    initialize(Options::default()).expect("initialised");
    let live = Live::find().expect("everything is found");
    let minor = live.interpreter.layout.version.triple().1;
    Python::attach(|py| {
        let driver = CString::new(DRIVER).unwrap();
        let module = PyModule::from_code(py, &driver, c"driver.py", c"driver").expect("compiles");
        let probe = PyCFunction::new_closure(py, None, None, move |_, _| probe(&live)).expect("closure");
        let driver = Driver { module, probe };
        hits(&driver);
        a_death_empties_it_for_an_interpreter_with_generations(&driver, &live);

        // Empty lines that 3.11's 32 bytes of the table do not cover (a quarter down), and such as they do.
        let hidden = reuse(&driver, [None, Some(10)]);
        println!("3.{minor}: {hidden:?}");
        assert!(hidden.reused >= ENOUGH, "the allocator did not reuse the addresses: {hidden:?}");
        assert!(hidden.alike >= ENOUGH, "the fingerprints differ, so nothing is shown: {hidden:?}");
        match minor {
            // The documented limit: it goes wrong by rule, unless the entry was pushed out meanwhile.
            11 => assert!(hidden.fooled > hidden.alike / 2, "{hidden:?}"),
            _ => assert!(hidden.fooled == 0, "{hidden:?}"),
        }
        let covered = reuse(&driver, [None, Some(0)]);
        println!("3.{minor}: {covered:?}");
        assert!(covered.reused >= ENOUGH && covered.alike == 0 && covered.fooled == 0, "{covered:?}");
    });
}

/// The second walk of the same instruction does not read the table again.
fn hits(driver: &Driver<'_>) {
    let calls = driver.call(&source(None), 3);
    let [first, second, third] = calls[..] else { panic!("{calls:?}") };
    assert_eq!((first.cached, second.cached, third.cached), (first.fresh, first.fresh, first.fresh));
    assert_eq!(first.fresh.line, 42);
    // The frames of `call` and of the module are in it, too.
    assert!(second.loads + 8 < first.loads, "{} loads, then {}", first.loads, second.loads);
    assert_eq!(second.loads, third.loads);
}

/// 3.14+: nothing hits any more when any code object of the interpreter has died. Before: only the dead one is concerned.
fn a_death_empties_it_for_an_interpreter_with_generations(driver: &Driver<'_>, live: &Live) {
    let keep = driver.module.call_method1("make", (source(None),)).expect("runs");
    let loads = || {
        keep.call1((&driver.probe,)).expect("runs");
        SEEN.lock().unwrap().pop().expect("was called").loads
    };
    let (cold, warm) = (loads(), loads());
    driver.module.call_method1("die", ("def f(): pass\n",)).expect("runs");
    let after = loads();
    assert!(warm < cold);
    let generations = live.interpreter.layout.runtime.code_object_generation.is_some();
    assert_eq!(after, if generations { cold } else { warm });
}

/// Addresses that were reused before the test is content.
const ENOUGH: u32 = 20;

#[derive(Debug, Default)]
struct Reuse {
    rounds: u32,
    /// Code object and table at the addresses of their predecessors, with the same length and another line.
    reused: u32,
    /// Of these: 3.11's key is the same, too.
    alike: u32,
    /// Of these: the walk said the predecessor's line.
    fooled: u32,
}

/// Many functions, and when they are dead as many others, until the allocator has reused the addresses often enough.
fn reuse(driver: &Driver<'_>, gaps: [Option<usize>; 2]) -> Reuse {
    let sources = gaps.map(source);
    let mut count = Reuse::default();
    while count.reused < ENOUGH && count.rounds < 200 {
        count.rounds += 1;
        // How many it takes depends on what the free lists hold already.
        let functions = 20 + 20 * (count.rounds % 20);
        // The cache knows nothing but the functions of this round, lest a hit is of an older one.
        LINES.clear();
        let dead: HashMap<u64, Seen> = driver
            .many(&sources[0], functions)
            .into_iter()
            .map(|seen| (seen.fresh.code.get(), seen))
            .collect();
        assert!(dead.values().all(|seen| seen.cached == seen.fresh), "nothing else is in the cache");
        for seen in driver.many(&sources[1], functions) {
            let (is, was) = (seen.table, dead.get(&seen.fresh.code.get()));
            let Some(was) = was.filter(|was| (was.table.0, was.table.1, was.table.2) == (is.0, is.1, is.2))
            else {
                assert_eq!(seen.cached, seen.fresh, "another address is another key");
                continue;
            };
            assert_ne!(was.fresh.line, seen.fresh.line, "the sources differ by a line");
            count.reused += 1;
            count.alike += u32::from(was.table.3 == is.3);
            if seen.cached != seen.fresh {
                assert_eq!(seen.cached.line, was.fresh.line, "a line of nobody");
                count.fooled += 1;
            }
        }
    }
    count
}
