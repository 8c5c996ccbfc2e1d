//! The ratios that are judged, one row each. A new ratio is a row here and nothing else.

use super::Target::{AtLeast, AtMost};
use super::{Definition, Figure, Side};
use sigwalk_record::Counted;
use sigwalk_record::What::{self, Chain, Code, Line, Names};

/// What a subject delivers that is asked for no more than its lines.
const ANY: &[What] = &[Names, Line, Code, Chain];

/// In the order of the report.
pub(super) const REGISTRY: &[Definition] = &[
    Definition {
        name: "raw_vs_floor",
        says: "raw loads of code and offset, against a bare chase of the chain",
        figure: Figure::Quotient(Side::usual("raw", &[Code]), Side::usual("floor", &[Chain])),
        target: AtMost(1.5),
    },
    Definition {
        name: "api_line_vs_tracemalloc",
        says: "PyTraceMalloc_Track over the PR's walk with lines",
        figure: Figure::Quotient(Side::usual("tracemalloc", &[Line]), Side::usual("pr_b1", &[Line])),
        target: AtLeast(1.0),
    },
    Definition {
        name: "api_line_vs_dump",
        says: "DumpTraceback to /dev/null over the PR's walk with lines",
        figure: Figure::Quotient(Side::usual("dump_traceback", ANY), Side::usual("pr_b1", &[Line])),
        target: AtLeast(1.0),
    },
    Definition {
        name: "guarded_vs_raw",
        says: "guarded loads against raw loads, the policy being the same",
        figure: Figure::Quotient(Side::usual("guarded", &[Code]), Side::usual("raw_strict", &[Code])),
        target: AtMost(1.15),
    },
    Definition {
        name: "strict_vs_floor",
        says: "guarded walker (strict policy, code and offset), against a bare chase of the chain",
        figure: Figure::Quotient(Side::usual("guarded", &[Code]), Side::usual("floor", &[Chain])),
        target: AtMost(4.0),
    },
    Definition {
        name: "guarded_line_vs_tracemalloc_cold",
        says: "tracemalloc's walk over guarded with lines, no cache",
        figure: Figure::Quotient(Side::usual("tracemalloc", &[Line]), Side::usual("guarded", &[Line])),
        target: AtLeast(2.0),
    },
    Definition {
        name: "guarded_line_vs_tracemalloc_warm",
        says: "tracemalloc's walk over guarded with lines, line cache warm",
        figure: Figure::Quotient(Side::usual("tracemalloc", &[Line]), Side::usual("guarded_warm", &[Line])),
        target: AtLeast(8.0),
    },
    Definition {
        name: "guarded_line_vs_dump",
        says: "DumpTraceback to /dev/null over guarded with lines",
        figure: Figure::Quotient(Side::usual("dump_traceback", ANY), Side::usual("guarded", &[Line])),
        target: AtLeast(25.0),
    },
    Definition {
        name: "structured_vs_dump_and_parse",
        says: "DumpTraceback and parsing its text, over the collected call stack (design A)",
        figure: Figure::Quotient(Side::usual("dump_and_parse", ANY), Side::usual("call_stack", &[Names])),
        target: AtLeast(20.0),
    },
    Definition {
        name: "line_lookup_small",
        says: "PyCode_Addr2Line over our decoder, small table",
        figure: Figure::Quotient(Side::usual("addr2line_small", ANY), Side::usual("line_table_small", ANY)),
        target: AtLeast(1.0),
    },
    Definition {
        name: "line_lookup_1k",
        says: "PyCode_Addr2Line over our decoder, end of a 1 KiB table",
        figure: Figure::Quotient(Side::usual("addr2line_1k", ANY), Side::usual("line_table_1k", ANY)),
        target: AtLeast(8.0),
    },
    Definition {
        name: "line_lookup_40k",
        says: "PyCode_Addr2Line over our decoder, end of a 40 KiB table",
        figure: Figure::Quotient(Side::usual("addr2line_40k", ANY), Side::usual("line_table_40k", ANY)),
        target: AtLeast(12.0),
    },
    Definition {
        name: "depth_growth_code",
        says: "guarded with code and offset: what a frame more costs beyond depth 64, against up to there",
        figure: Figure::Quotient(
            Side::slope("guarded", &[Code], 64, 4096),
            Side::slope("guarded", &[Code], 1, 64),
        ),
        target: AtMost(1.5),
    },
    Definition {
        name: "depth_growth_line",
        says: "guarded with lines: what a frame more costs beyond depth 64, against up to there",
        figure: Figure::Quotient(
            Side::slope("guarded", &[Line], 64, 4096),
            Side::slope("guarded", &[Line], 1, 64),
        ),
        target: AtMost(1.5),
    },
    Definition {
        name: "threads_growth",
        says: "guarded in a process with 64 other Python threads, against one with 1; one process, by turns",
        figure: Figure::Quotient(Side::usual("threads_64", &[Code]), Side::usual("threads_1", &[Code])),
        target: AtMost(1.15),
    },
    Definition {
        name: "modules_growth",
        says: "guarded with 150 standard-library modules more, against a bare interpreter; two forked copies of one process, by turns",
        figure: Figure::Quotient(
            Side::usual("modules_loaded", &[Code]),
            Side::usual("modules_bare", &[Code]),
        ),
        target: AtMost(1.15),
    },
    Definition {
        name: "syscalls_per_walk",
        says: "system calls that a walk of syscall with lines enters, the most of any; counted, not timed",
        figure: Figure::Count(Counted::Syscalls, "syscall", Line),
        target: AtMost(6.0),
    },
];
