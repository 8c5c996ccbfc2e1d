"""check.py PAGE OUT_DIR: every check on every view of a page."""
import base64
import html.parser
import pathlib
import re
import sys

import axe
from devtools import Browser, Tab

LINKS = """(() => { const bad = [];
for (const a of document.querySelectorAll('a[href], area[href]')) {
  const href = a.getAttribute('href');
  if (!href.startsWith('#')) { bad.push(href + ' leaves the page'); continue; }
  if (!document.getElementById(decodeURIComponent(href.slice(1)))) bad.push(href + ' goes nowhere'); }
const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) bad.push('#' + id + ' is there twice');
return bad; })()"""
# What would run or load, were it not for the page's policy: the policy is the second lock, not the first.
ACTIVE = r"""(() => { const bad = [];
for (const e of document.querySelectorAll('*')) {
  const name = e.localName;
  if (name === 'script' && !/^(application|text)\/(ld\+)?(json|plain)$/.test(e.type)) bad.push('a <script> that runs');
  if (['iframe', 'frame', 'object', 'embed', 'base', 'form', 'applet', 'portal'].includes(name)) bad.push('a <' + name + '>');
  if (name === 'meta' && /refresh/i.test(e.httpEquiv)) bad.push('a <meta> that leaves the page');
  for (const a of e.attributes) {
    if (/^on/i.test(a.name)) bad.push(name + ' has ' + a.name);
    if (/^\s*(javascript|vbscript|data:text)/i.test(a.value.replace(/[\0-\x20]/g, ''))) bad.push(name + ' ' + a.name + '=' + a.value);
    if (['src', 'srcset', 'srcdoc', 'poster', 'background', 'xlink:href'].includes(a.name) && !/^(data:image\/|#)/.test(a.value))
      bad.push(name + ' loads ' + a.value); }
  if (name === 'link' && !e.getAttribute('href').startsWith('data:')) bad.push('link loads ' + e.getAttribute('href'));
  if (name === 'style' && /@import|url\(/i.test(e.textContent)) bad.push('a style that loads');
} return bad.slice(0, 20); })()"""
SIZE = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"

# Name, width, colours, scripts on, the page's own policy in force.
VIEWS = [
    ("desk", 1280, "light", True, True),
    ("phone", 390, "light", True, True),
    ("dark", 1280, "dark", True, True),
    ("phone-dark", 390, "dark", True, True),
    ("no-script", 1280, "light", False, True),
    ("no-policy", 1280, "light", True, False),
]


class Title(html.parser.HTMLParser):
    """The title as it is written: that of the document may have been changed by a script."""

    inside, text = False, ""

    def handle_starttag(self, tag, attrs):
        self.inside = self.inside or (tag == "title" and not self.text)

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "title"

    def handle_data(self, data):
        self.text += data if self.inside else ""


def told(page, events):
    """Problems that the browser told of by itself."""
    for message in events:
        method, params = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            url = params["request"]["url"]
            if url.split("#")[0] != page.as_uri() and not url.startswith("data:"):
                yield f"request to {url}"
        elif method == "Log.entryAdded":
            yield f"console: {params['entry'].get('text')}"
        elif method == "Runtime.consoleAPICalled":
            yield f"console: {[argument.get('value') for argument in params['args']]}"
        elif method == "Runtime.exceptionThrown":
            yield f"exception: {params['exceptionDetails'].get('text')}"
        elif method == "Page.javascriptDialogOpening":
            yield f"a dialog: {params.get('message')}"


def acted(tab, page):
    """Problems that a script which ran has left behind; hostile records try to run such (reports/tests/common/twin.rs)."""
    title = Title()
    title.feed(page.read_text())
    if tab.evaluate("document.title").split() != title.text.split():
        yield "a script ran: the title was changed"
    if tab.evaluate("typeof window.sigwalkCanary") != "undefined":
        yield "a script ran: window.sigwalkCanary is there"


def printed(tab, out):
    """Problems of the page on paper."""
    data = base64.b64decode(tab.call("Page.printToPDF", printBackground=False)["data"])
    (out / "print.pdf").write_bytes(data)
    pages = len(re.findall(rb"/Type\s*/Page\b", data))
    # Text needs a font; an empty sheet has none.
    if not data.startswith(b"%PDF") or not pages or b"/Font" not in data.replace(b"/Font <<>>", b""):
        yield "print: there is nothing on the paper"
    print(f"{out / 'print.pdf'}  {pages} pages, {len(data) // 1024} KiB")


def shot(tab, name, width, height, out):
    picture = tab.call("Page.captureScreenshot", captureBeyondViewport=True,
                       clip={"x": 0, "y": 0, "width": width, "height": height, "scale": 1})
    (out / f"{name}.png").write_bytes(base64.b64decode(picture["data"]))
    print(f"{out / (name + '.png')}  {width}×{height}")


def view(browser, script, page, out, name, width, scheme, scripts, policy):
    """Problems of one view."""
    tab = Tab(browser, page.as_uri(), width, scheme, scripts, policy)
    for check in (LINKS, ACTIVE):
        found = tab.evaluate(check, isolated=True)
        yield from found if isinstance(found, list) else ["the document could not be read"]
    wide, high = tab.evaluate(SIZE, isolated=True)
    if wide > width:
        yield f"the page is {wide} pixels wide on a screen of {width}"
    if scripts:
        yield from acted(tab, page)
    if policy and scripts:
        shot(tab, name, width, min(high, 8000 if width < 600 else 14000), out)
    if name == "desk":
        yield from printed(tab, out)
    if not scripts:
        # axe waits by timers. The document is the one that a reader without scripts has.
        tab.allow_scripts()
    if policy:
        yield from axe.findings(tab, script)
    yield from told(page, browser.events)
    tab.close()


def problems(browser, script, page, out, views=VIEWS):
    """Problems of all views, each once."""
    found = {}
    for arguments in views:
        for problem in view(browser, script, page, out, *arguments):
            found.setdefault(problem, {})[arguments[0]] = True
    return [f"{', '.join(names)}: {problem}" for problem, names in found.items()]


def main():
    page, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    script = axe.source()
    browser = Browser()
    try:
        found = problems(browser, script, page, out)
    finally:
        browser.close()
    for problem in found:
        print(f"browser: {problem}", file=sys.stderr)
    print("browser: " + (f"{len(found)} problem(s)" if found else "no problem found"))
    sys.exit(3 if found else 0)


if __name__ == "__main__":
    main()
