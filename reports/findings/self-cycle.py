# A torn `previous` that names its own frame: the dump repeats that frame until its limit of 100.
# Shown (exit 3) when one call is printed many times and nothing says that it is wrong.
import ctypes, faulthandler, sys, tempfile

at = {11: 48}.get(sys.version_info[1], 8)

def looped(file):
    address = ctypes.c_int64.from_address(id(sys._getframe()) + 24).value
    word = ctypes.c_int64.from_address(address + at)
    good, word.value = word.value, address
    faulthandler.dump_traceback(file=file, all_threads=False)
    word.value = good

with tempfile.TemporaryFile("w+") as file:
    looped(file)
    file.seek(0)
    text = file.read()
count = text.count("in looped")
if count > 1:
    sys.exit(print(text[-100:], f"one call is {count} frames", file=sys.stderr) or 3)
