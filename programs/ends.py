# Ends as the variable ENDS says: what the workload makes of each end is tested with it.
import ctypes, os, signal, sys, time

end = os.environ["ENDS"]
print(end, "with seed", sys.argv[1], file=sys.stderr, flush=True)
if end == "wrong":
    sys.exit(3)
if end == "cannot":
    sys.exit(2)
if end == "abort":
    os.abort()
if end == "fault":
    ctypes.string_at(0)
if end == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
while end == "loop":
    pass
while end == "sleep":
    time.sleep(60)
