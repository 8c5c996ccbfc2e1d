/* What the C side of the walker `cpython-c` and src/cpython_c.rs have in common. */
#ifndef SIGWALK_CPYTHON_C_H
#define SIGWALK_CPYTHON_C_H

#include <stdint.h>

/* sigwalk::frame::Frame */
struct sigwalk_frame {
    uint64_t frame;
    uint64_t code;
    int32_t lasti;
    int32_t line;
};

enum sigwalk_end {
    SIGWALK_COMPLETE = 0,
    SIGWALK_BUFFER_FULL = 1,
    SIGWALK_NO_CODE = 2,
    SIGWALK_HOP_LIMIT = 3,
    SIGWALK_FAULT = 4,
};

/* Whose loads are being made: where a fault is booked. */
enum sigwalk_step {
    SIGWALK_HEAD = 0,
    SIGWALK_IS_INCOMPLETE = 1,
    SIGWALK_SAFE_GET_CODE = 2,
    SIGWALK_SAFE_GET_LASTI = 3,
    SIGWALK_SAFE_ADDR2LINE = 4,
    SIGWALK_PREVIOUS = 5,
};

/* How a walk went. The last four are of a fault. */
struct sigwalk_walk {
    int32_t end;
    uint32_t count;
    uint32_t hops;
    int32_t step;
    int32_t signal;
    int32_t has_address;
    uint64_t address;
    uint64_t pc;
};

#endif
