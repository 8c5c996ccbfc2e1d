# W6 gh-158364: sys._current_frames() in a sub-interpreter makes frame objects of another interpreter's frames.
# Shown when the process dies: an allocator frees what another one gave.
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
one = interpreters.create()
for _ in range(20):
    interpreters.run_string(one, "import sys; sys._current_frames()")
interpreters.destroy(one)
