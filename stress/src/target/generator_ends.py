# S8: generators that are suspended inside one another are closed, thrown into, dropped and collected as garbage, on the
# thread that made them and on another one. `throw` and `close` link a frame by hand and unlink it afterwards.


def setup_generator_ends(repeats):
    import _thread, gc

    gc.disable()  # collections are where this file says

    def leaf():
        return 0

    def inner():
        try:
            while True:
                yield leaf()  # calls leaf
        finally:
            leaf()  # calls leaf

    def outer():
        try:
            yield from inner()  # calls inner
        except KeyError:
            leaf()  # calls leaf

    def begin():
        generator = outer()  # calls outer
        next(generator)  # calls outer
        return generator

    # `inner` may be called past `outer`: closing goes to the innermost first, and outer's frame is linked in some versions
    # only.
    def close(generator):
        generator.close()  # calls outer, inner

    def throw(generator):
        try:
            generator.throw(KeyError)  # calls outer, inner
        except StopIteration:
            pass

    def drop(generators):
        generators.clear()  # calls outer, inner

    def collect(generators):
        generators.append(generators)
        del generators
        gc.collect()  # calls outer, inner

    def end():
        close(begin())  # calls close, begin
        throw(begin())  # calls throw, begin
        drop([begin()])  # calls drop, begin
        collect([begin()])  # calls collect, begin

    def elsewhere(generators, done):
        sigwalk_arm()
        close(generators.pop())  # calls close
        throw(generators.pop())  # calls throw
        drop(generators)  # calls drop
        done.release()

    def main():
        for _ in range(repeats):
            end()  # calls end
            done = _thread.allocate_lock()
            done.acquire()
            _thread.start_new_thread(elsewhere, ([begin(), begin(), begin()], done))  # calls begin
            done.acquire()

    functions = {"leaf": leaf, "inner": inner, "outer": outer, "begin": begin, "close": close, "throw": throw}
    functions.update(drop=drop, collect=collect, end=end, elsewhere=elsewhere, main=main)
    return *graph(SOURCE, functions, ["main", "elsewhere"]), main
