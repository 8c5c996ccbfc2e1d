# S16: sys.settrace switched on and off, with and without line events, also while traced functions are suspended further
# up: instrumented code takes the place of plain code under running frames.


def setup_tracing(depth, work):
    import sys

    root, functions, calls = build(depth, work, 0, "plain")

    def all_events(frame, event, argument):
        return all_events

    def calls_only(frame, event, argument):
        return None

    def opcodes(frame, event, argument):
        frame.f_trace_opcodes = True
        return opcodes

    def suspended(tracer):
        root(1)  # calls n1
        sys.settrace(tracer)
        root(1)  # calls n1

    def main():
        for tracer in (all_events, calls_only, opcodes):
            suspended(tracer)  # calls suspended
            root(1)  # calls n1
            sys.settrace(None)
            root(1)  # calls n1

    tracers = {"all_events": all_events, "calls_only": calls_only, "opcodes": opcodes}
    functions.update(suspended=suspended, main=main)
    calls = calls + anywhere(tracers, functions)
    functions.update(tracers)
    return *graph(SOURCE, functions, ["main"], calls), main
