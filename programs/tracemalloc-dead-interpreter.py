# T5 gh-134604, gh-144172: tracemalloc keeps file names of a sub-interpreter that is gone.
# Shown when the process dies, at the snapshot or while it ends.
import tracemalloc

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
tracemalloc.start()
for _ in range(3):
    one = interpreters.create()
    interpreters.run_string(one, "import string, textwrap")
    interpreters.destroy(one)
names = [str(n) * 20 for n in range(999)]
for trace in tracemalloc.take_snapshot().traces:
    [frame.filename.upper() for frame in trace.traceback]
tracemalloc.stop()
