# S7: code objects that live for one run: made by `compile`, run, freed, and their memory reused by the next. And functions
# whose `__code__` is replaced while they run.


def setup_code_churn(repeats):
    text = "def fresh(k):\n    for _ in range(50):\n        known(k)\n    return k\nfresh(1)\n"
    module = compile(text, "<fresh>", "exec")
    inner = next(constant for constant in module.co_consts if hasattr(constant, "co_code"))
    lines = sorted({*lines_of(module), *lines_of(inner)})

    def known(k):
        for _ in range(20):
            k += 1
        return k

    # One name in the closure of each, so that each can have the code of the other.
    class here:
        pass

    def one(k):
        here.changing.__code__ = here.two.__code__
        here.known(k)  # calls known

    def two(k):
        here.changing.__code__ = here.one.__code__
        here.known(k)  # calls known

    def changing(k):
        here.one(k)  # calls one

    here.known, here.one, here.two, here.changing = known, one, two, changing

    def main():
        for k in range(repeats):
            exec(compile(text, "<fresh>", "exec"), {"known": known})  # calls fresh
            changing(k)  # calls changing, one, two

    # The module's code and its function are both made anew each time, and so both are `fresh`.
    calls = [("fresh", "fresh", 5), ("known", "fresh", 3)]
    functions = {"known": known, "one": one, "two": two, "changing": changing, "main": main, "fresh": ...}
    codes, edges = graph(SOURCE, functions, ["main"], calls)
    # The code objects that `changing` loses and gets are those of `one` and `two`, and so are known.
    return codes + [(..., "fresh", lines)], edges, main
