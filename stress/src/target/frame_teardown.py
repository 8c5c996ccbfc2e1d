# W3, P7: destructors that run Python code while the frame whose locals die is being cleared. The dying frame is no longer
# in the chain: the destructor's caller is the caller of the function that returns.


def setup_frame_teardown(repeats):
    def leaf():
        return 0

    class Farewell:
        def __del__(self):
            leaf()  # calls leaf

    def returns():
        farewell = Farewell()
        return 0

    def raises():
        farewell = Farewell()
        raise ValueError

    def made():
        farewell = Farewell()
        yield 0

    def main():
        for _ in range(repeats):
            returns()  # calls returns, del
            try:
                raises()  # calls raises, del
            except ValueError:  # calls del
                pass  # calls del
            for _ in made():  # calls made, del
                pass
            made().send(None)  # calls made, del

    functions = {"leaf": leaf, "del": Farewell.__del__, "returns": returns, "raises": raises, "made": made, "main": main}
    return *graph(SOURCE, functions, ["main"]), main
