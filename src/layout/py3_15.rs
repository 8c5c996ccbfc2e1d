//! CPython 3.15: checked against 3.15.0, release and debug.

use super::{
    CodeLayout, FrameLayout, Head, Layout, Outermost, RuntimeLayout, TextLayout, ThreadLayout, Version,
};

pub(super) const LAYOUT: Layout = Layout {
    version: Version::from_hex(0x030f_0000),
    runtime: RuntimeLayout {
        interpreters_head: 936,
        auto_tss_key: None,
        interp_next: 7264,
        threads_head: 7336,
        code_object_generation: Some(7944),
    },
    thread: ThreadLayout {
        prev: 0,
        next: 8,
        interp: 16,
        head: Head::Direct { current_frame: 72 },
        thread_id: 176,
        native_thread_id: 184,
        datastack_chunk: 256,
    },
    frame: FrameLayout {
        executable: 0,
        previous: 8,
        globals: 24,
        builtins: 32,
        instruction: 56,
        owner: 74,
        size: 88,
        entry_owner: Some(3),
        tagged: true,
        outermost: Outermost::BaseFrame(80),
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
        monitoring_lines: 104,
        firsttraceable: 192,
        adaptive: 208,
        size: 216,
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
