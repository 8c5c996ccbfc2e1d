"""Pages with one fault each: a check that does not find its own is broken."""
import contextlib
import io
import pathlib
import sys
import tempfile

import axe
from check import VIEWS, problems
from devtools import Browser

POLICY = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">{policy}
<meta name="viewport" content="width=device-width, initial-scale=1"><title>A title</title><link rel="icon" href="data:,">
<style>:root{{color-scheme:light dark}}body{{background:#fff}}{style}
@media (prefers-color-scheme:dark){{body{{background:#111}}}}</style></head><body><main id="top"><h1>A page</h1><p>Text, and <a href="#top">a link</a>.</p>{body}</main></body></html>"""

ALL = [arguments[0] for arguments in VIEWS]
# Name, what is put into the body and the style, with the page's policy or without, the views that it is opened in, and what
# must be said.
PLANTED = [
    ("nothing", "", "", True, ALL, []),
    ("low contrast", "<p style='color:#999;background:#fff'>grey</p>", "", True, ["desk", "no-script"],
     ["desk, no-script: axe color-contrast"]),
    ("low contrast in the dark", "<p class='n'>grey</p>", "@media (prefers-color-scheme:dark){.n{color:#444}}", True,
     ["desk", "dark", "phone-dark"], ["dark, phone-dark: axe color-contrast"]),
    ("low contrast, folded away",
     "<details><summary>more</summary><p style='color:#999;background:#fff'>grey</p></details>", "", True, ["desk"],
     ["axe color-contrast"]),
    ("no alternative text", "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA='>", "", True, ["phone"],
     ["axe image-alt"]),
    ("a link to nowhere", "<a href='#gone'>x</a>", "", True, ["desk", "no-script"], ["desk, no-script: #gone goes nowhere"]),
    ("a link that leaves", "<a href='https://canary.invalid/'>x</a>", "", True, ["desk"], ["leaves the page"]),
    ("an id twice", "<p id='top'>x</p>", "", True, ["desk"], ["#top is there twice"]),
    ("an inline script", "<script>document.title='gone'</script>", "", True, ["desk", "no-script", "no-policy"],
     ["desk, no-script, no-policy: a <script> that runs", "desk: console: ", "no-policy: a script ran: the title"]),
    ("an inline script without a policy", "<script>window.sigwalkCanary=1;console.log(1);alert(7)</script>", "", False,
     ["desk"], ["a <script> that runs", "sigwalkCanary is there", "console: [1]", "a dialog: 7"]),
    ("a handler", "<button onclick='x()'>x</button>", "", True, ["desk"], ["button has onclick"]),
    ("a link that is a script", "<a href=' java&#10;script:alert(1)'>x</a>", "", True, ["desk"], ["a href= java"]),
    ("an external image", "<img alt='x' src='https://canary.invalid/x.png'>", "", True, ["desk", "no-policy"],
     ["img loads https://canary.invalid/x.png", "desk: console: ", "no-policy: request to https://canary.invalid/x.png"]),
    ("a style that loads", "", "p{background:url(https://canary.invalid/y.png)}", False, ["desk"],
     ["a style that loads", "request to https://canary.invalid/y.png"]),
    ("too wide", "<div style='width:900px'>x</div>", "", True, ["desk", "phone"], ["phone: the page is "]),
    ("nothing on paper", "", "@media print{body{display:none}}", True, ["desk"], ["print: there is nothing on the paper"]),
]


def main():
    script, browser, failed = axe.source(), Browser(), 0
    try:
        with tempfile.TemporaryDirectory() as out:
            out = pathlib.Path(out)
            for name, body, style, policy, views, expected in PLANTED:
                page = out / "page.html"
                page.write_text(PAGE.format(policy=POLICY if policy else "", style=style, body=body))
                chosen = [arguments for arguments in VIEWS if arguments[0] in views]
                with contextlib.redirect_stdout(io.StringIO()):
                    found = problems(browser, script, page, out, chosen)
                missing = [words for words in expected if not any(words in problem for problem in found)]
                good = not missing and bool(found) == bool(expected)
                failed += not good
                print(f"{'ok    ' if good else 'FAILED'} {name}: {len(found)} found")
                if not good:
                    print(f"       not said: {missing}; said: {found}")
    finally:
        browser.close()
    print(f"browser: {len(PLANTED) - failed} of {len(PLANTED)} as planted")
    sys.exit(3 if failed else 0)


if __name__ == "__main__":
    main()
