# S16: sys.monitoring switched on and off for lines, instructions, calls and returns, with a callback in Python and one in C,
# also while monitored functions are suspended further up.


def setup_monitoring(depth, work):
    import sys

    root, functions, calls = build(depth, work, 0, "plain")
    monitoring = sys.monitoring
    events = monitoring.events
    tool = monitoring.PROFILER_ID
    monitoring.use_tool_id(tool, "sigwalk")

    def callback(*_):
        return None

    def suspended(which):
        root(1)  # calls n1
        monitoring.set_events(tool, which)
        root(1)  # calls n1

    def main():
        for which in (events.LINE, events.INSTRUCTION, events.PY_START | events.PY_RETURN, events.LINE | events.CALL):
            for called in (callback, "".format):
                for event in (events.LINE, events.INSTRUCTION, events.PY_START, events.PY_RETURN, events.CALL):
                    monitoring.register_callback(tool, event, called)
                suspended(which)  # calls suspended
                root(1)  # calls n1
                monitoring.set_events(tool, 0)
            root(1)  # calls n1

    functions.update(suspended=suspended, main=main)
    calls = calls + anywhere(["callback"], functions)
    functions["callback"] = callback
    return *graph(SOURCE, functions, ["main"], calls), main
