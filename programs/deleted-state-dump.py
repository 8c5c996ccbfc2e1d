# S10: a thread's state is deleted by another thread; the thread's slot still names it, and a dump in the thread reads it.
# Shown when the process dies or (exit 3) freed memory is printed as a stack.
import _thread, ctypes, faulthandler, os, signal, time

api, bare = ctypes.pythonapi, ctypes.CDLL(None)
api.PyThreadState_Get.restype = ctypes.c_void_p
api.PyThreadState_Delete.argtypes = [ctypes.c_void_p]
reader, writer = os.pipe()
faulthandler.register(signal.SIGUSR1, file=writer, all_threads=False)
states, mutex = [], ctypes.create_string_buffer(64)

def victim():
    states.append(api.PyThreadState_Get())
    for _ in range(2):
        bare.pthread_mutex_lock(mutex)  # the second time for ever, and a signal does not end it

ident = _thread.start_new_thread(victim, ())
time.sleep(0.2)
api.PyThreadState_Delete(states[0])
signal.pthread_kill(ident, signal.SIGUSR1)
bare.usleep(200000)
text = os.read(reader, 999)
os.write(2, text)
os._exit(3 if b"in victim" in text else 0)
