# PyUnstable_DumpTraceback documents a message as its result where the thread state is no good; it always returns NULL.
# Shown (exit 3) when a freed thread state is noticed in the text and not in the result.
import ctypes, os, sys

if sys.version_info < (3, 15):
    sys.exit(print("needs 3.15", file=sys.stderr) or 2)
dump = ctypes.pythonapi.PyUnstable_DumpTraceback
dump.restype, dump.argtypes = ctypes.c_char_p, [ctypes.c_int, ctypes.c_void_p]
reader, writer = os.pipe()
result = dump(writer, 0xDDDD_DDDD_DDDD_DDDD)
text = os.read(reader, 1000)
print(result, text, file=sys.stderr)
sys.exit(3 if result is None else 0)
