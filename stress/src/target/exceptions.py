# Exceptions unwind frames: with nothing in the way, through `finally`, through `with`, into a handler several frames up.


def setup_exceptions(repeats):
    def leaf():
        return 0

    class Manager:
        def __enter__(self):
            leaf()  # calls leaf

        def __exit__(self, *_):
            leaf()  # calls leaf

    def raises(k):
        if k:
            raise ValueError(k)

    def passes(k):
        raises(k)  # calls raises

    def finally_(k):
        try:
            passes(k)  # calls passes
        finally:
            leaf()  # calls leaf

    def with_(k):
        with Manager():  # calls enter, exit
            finally_(k)  # calls finally_

    def made(k):
        yield with_(k)  # calls with_

    def main():
        for k in range(repeats):
            try:
                for _ in made(k & 1):  # calls made
                    pass
            except ValueError:
                leaf()  # calls leaf

    functions = {"leaf": leaf, "enter": Manager.__enter__, "exit": Manager.__exit__, "raises": raises, "made": made}
    functions.update(passes=passes, finally_=finally_, with_=with_, main=main)
    return *graph(SOURCE, functions, ["main"]), main
