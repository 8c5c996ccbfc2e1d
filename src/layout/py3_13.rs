//! CPython 3.13: checked against 3.13.0, 3.13.5 and 3.13.15, release and debug.

use super::{
    CodeLayout, FrameLayout, Head, Layout, Outermost, RuntimeLayout, TextLayout, ThreadLayout, Version,
};

pub(super) const LAYOUT: Layout = Layout {
    version: Version::from_hex(0x030d_0000),
    runtime: RuntimeLayout {
        interpreters_head: 632,
        auto_tss_key: Some(2160),
        interp_next: 7264,
        threads_head: 7344,
        code_object_generation: None,
    },
    thread: ThreadLayout {
        prev: 0,
        next: 8,
        interp: 16,
        head: Head::Direct { current_frame: 72 },
        thread_id: 152,
        native_thread_id: 160,
        datastack_chunk: 232,
    },
    frame: FrameLayout {
        executable: 0,
        previous: 8,
        globals: 24,
        builtins: 32,
        instruction: 56,
        owner: 70,
        size: 80,
        entry_owner: Some(3),
        tagged: false,
        outermost: Outermost::EntryFrame,
    },
    code: CodeLayout {
        ob_type: 8,
        units: 16,
        filename: 112,
        name: 120,
        qualname: 128,
        version: Some(92),
        linetable: 136,
        firstlineno: 68,
        monitoring: Some(176),
        monitoring_lines: 32,
        firsttraceable: 184,
        adaptive: 200,
        size: 208,
    },
    text: TextLayout {
        bytes_size: 16,
        bytes_data: 32,
        length: 16,
        state: 32,
        ascii_data: 40,
        compact_data: 56,
    },
};
