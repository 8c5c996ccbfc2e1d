# Generators by the thousand: made, advanced once, and freed, so that their frames are in objects which are reused at once.


def setup_generator_churn(depth, repeats):
    def made(level):
        if level:
            yield from made(level - 1)  # calls made
        yield level

    def expression(k):
        return sum(n for n in range(k))  # calls genexpr

    def main():
        for k in range(repeats):
            next(made(depth))  # calls made
            expression(3)  # calls expression

    functions = {"made": made, "expression": expression, "main": main}
    functions["genexpr"] = nested(expression)
    return *graph(SOURCE, functions, ["main"]), main
