# gh-110029: tracemalloc.stop() while a sub-interpreter lives: its names are freed by another interpreter.
# Shown when the process dies.
import tracemalloc

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
tracemalloc.start()
one = interpreters.create()
tracemalloc.stop()
interpreters.destroy(one)
