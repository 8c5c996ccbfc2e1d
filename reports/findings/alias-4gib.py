# The offset of an instruction is cut to 32 bits: a pointer 4 GiB beyond the code is taken for one inside it.
# Shown (exit 3) when the dump gives such a frame a line as if nothing were wrong.
import ctypes, faulthandler, sys, tempfile

def inner(frame, file):
    word = ctypes.c_int64.from_address(ctypes.c_int64.from_address(id(frame) + 24).value + 56)
    good, word.value = word.value, word.value + (1 << 32)
    faulthandler.dump_traceback(file=file, all_threads=False)
    word.value = good

def outer(file):
    inner(sys._getframe(), file)

with tempfile.TemporaryFile("w+") as file:
    outer(file)
    file.seek(0)
    text = file.read()
line = f"line {outer.__code__.co_firstlineno + 1} in outer"
if line in text:
    sys.exit(print(text, "a pointer outside of the code has a line", file=sys.stderr) or 3)
