# Makes objects and frees them, for addresses that really dangle. `seen(kind, address)` notes one that is still alive;
# `frame()` is the address of the innermost frame, `entry()` that of the innermost entry frame (0 where there is none);
# `on_thread(f)` calls f on a thread of its own, which has ended when it returns. What is returned must be kept alive.


def make_victims(seen, frame, entry, on_thread):
    def codes(text, count):
        return [compile(text.format(k), "<victim>", "exec") for k in range(count)]

    small, large = "v{0} = {0} + v", "\n".join(f"v{{0}} = w{k} + x{k}" for k in range(60))

    # A thread gives all of its data stack back when it ends.
    def down(n):
        seen("thread", frame())
        return n and down(n - 1)

    on_thread(lambda: down(6))

    # Frames so large that the thread needs another chunk for them, and gives it back (or keeps one, since gh-142183).
    names = ", ".join(f"l{k}" for k in range(900))
    namespace = {"seen": seen, "frame": frame}
    exec(f"def wide(n):\n    if n < 2:\n        seen('chunk', frame())\n    if n:\n        wide(n - 1)\n    if n < 0:\n        {names} = n",
         namespace)
    namespace["wide"](4)

    # The frame of the evaluation loop that C code started: gone from the C stack when that returns.
    sorted((1,), key=lambda k: seen("entry", entry()) or 0)

    # An object's memory that another one of its kind has now.
    dead = {id(code) for code in codes(small, 8)}
    kept = codes("u{0} = {0} - u", 8)
    for code in kept:
        if id(code) in dead:
            seen("recycled", id(code))

    for kind, text in (("code", small), ("code-large", large)):
        doomed = codes(text, 6)
        for code in doomed:
            seen(kind, id(code))
            if kind == "code":
                seen("table", id(code.co_linetable))
        del code, doomed

    # Generators and coroutines keep their frame inside of themselves.
    def generator():
        seen("generator", frame())
        yield

    generators = [generator() for _ in range(4)]
    for one in generators:
        next(one)
    del one, generators

    # Last: nothing runs on the data stack above its caller after this.
    def popped(n):
        seen("popped", frame())
        return n and popped(n - 1)

    popped(4)
    return kept
