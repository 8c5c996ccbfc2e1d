# R15: the dump asks pthread_getname_np for the name of a thread that has ended and whose stack is unmapped.
# Shown when the process dies. The thread ends by pthread_exit, so that its thread state stays in the list.
import _thread, ctypes, faulthandler, os, sys, time

if sys.version_info < (3, 13):
    sys.exit(print("needs 3.13, where current_frame is in the thread state", file=sys.stderr) or 2)
bare, state = ctypes.CDLL(None), ctypes.pythonapi.PyThreadState_Get
state.restype, bare.pthread_detach.argtypes = ctypes.c_void_p, [ctypes.c_ulong]
leave, detach = bare.pthread_exit, bare.pthread_detach

def work(after):
    time.sleep(after)
    detach(_thread.get_ident())
    ctypes.c_void_p.from_address(state() + 72).value = None  # no frames: only the list and the name are left to read
    leave(None)

_thread.stack_size(64 << 20)  # more than glibc keeps: the second to end unmaps the stack of the first
for after in (0.1, 0.3):
    _thread.start_new_thread(work, (after,))
time.sleep(0.5)
faulthandler.dump_traceback(file=os.open(os.devnull, os.O_WRONLY), all_threads=True)
os._exit(0)
