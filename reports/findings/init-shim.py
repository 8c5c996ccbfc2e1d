# A specialised Cls() pushes a shim frame; the dump takes it for an invalid frame and stops: callers are lost.
# Shown (exit 3) when the dump does not name the caller.
import faulthandler, sys, tempfile

class Cls:
    def __init__(self, file):
        if file:
            faulthandler.dump_traceback(file=file, all_threads=False)

def caller(file):
    return Cls(file)

for _ in range(100):
    caller(None)
with tempfile.TemporaryFile("w+") as file:
    caller(file)
    file.seek(0)
    text = file.read()
if "in caller" not in text:
    sys.exit(print(text, "the caller is not in the dump", file=sys.stderr) or 3)
