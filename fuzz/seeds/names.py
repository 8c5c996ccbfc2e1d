"""Names of every width, and calls whose line comes before the lines of their arguments."""

def häßlich(tiefe):
    return (
        Ωμέγα(
            tiefe,

            [
                tiefe],
        )
        + 1)

def Ωμέγα(x, y): return 梯𠀀(
    x,
    "a string"
    " on many"
    " lines",


    y,
)

def 梯𠀀(*rest):
    value = (rest
        and snap(
            "names"))
    return 0

häßlich(1)
