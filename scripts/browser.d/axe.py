"""axe-core, brought into the page by the debugger: the page's policy forbids scripts, and stays in force."""
import base64
import hashlib
import os
import sys
import tarfile

# Without preload: axe would fetch style sheets again, and this page must fetch nothing.
RUN = """axe.run(document, {resultTypes: ['violations'], preload: false}).then(result =>
  ({rules: result.passes.length, violations: result.violations.map(found => ({id: found.id, impact: found.impact,
  help: found.help, count: found.nodes.length, nodes: found.nodes.slice(0, 3).map(node =>
  node.target.join(' ') + (node.any[0] ? ': ' + node.any[0].message : ''))}))}))"""


def source():
    """axe.min.js out of the tarball, which must be the one that was meant."""
    path, expected = os.environ["AXE"], os.environ["AXE_INTEGRITY"]
    with open(path, "rb") as tarball:
        found = "sha512-" + base64.b64encode(hashlib.sha512(tarball.read()).digest()).decode()
    if found != expected:
        print(f"browser: {path} is {found}, not {expected}; remove it and run again", file=sys.stderr)
        sys.exit(6)
    with tarfile.open(path) as tarball:
        return tarball.extractfile("package/axe.min.js").read().decode()


def findings(tab, script):
    """What axe finds to be serious or critical, one line each."""
    # What is folded away is read, too.
    tab.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true", isolated=True)
    tab.evaluate(script + "\n;0", isolated=True)
    result = tab.evaluate(RUN, isolated=True, promise=True)
    if not isinstance(result, dict) or not result["rules"]:
        return ["axe has looked at nothing"]
    return [f"axe {found['id']} ({found['impact']}): {found['help']}: {found['count']}×, e.g. " + " | ".join(found["nodes"])
            for found in result["violations"] if found["impact"] in ("serious", "critical")]
