# F19 gh-149085: a dump of all threads ends after 100 of them, the newest first: the main thread is not in it.
# Shown (exit 3) when 150 threads wait and the dump has no frame of the main thread.
import faulthandler, sys, tempfile, threading

gate = threading.Event()

def main_thread(file):
    more = {"max_threads": 200} if sys.version_info >= (3, 15) else {}  # what the issue brought
    faulthandler.dump_traceback(file=file, all_threads=True, **more)

for _ in range(150):
    threading.Thread(target=gate.wait, daemon=True).start()
with tempfile.TemporaryFile("w+") as file:
    main_thread(file)
    file.seek(0)
    text = file.read()
gate.set()
if "in main_thread" not in text:
    sys.exit(print(text[-200:], "no frame of the main thread", file=sys.stderr) or 3)
