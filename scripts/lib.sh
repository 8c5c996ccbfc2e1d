# Shared by the scripts here; to be sourced. Paths are relative to the root of the checkout.

# Say something on stderr; end with a message and the exit code for it.
say() { printf '%s\n' "$*" >&2; }
die() { local code=$1; shift; say "$(basename "$0"): $*"; exit "$code"; }

# interpreter SPEC → path of an interpreter: a path as it is, `python3`, or a version that this machine lacks and
# scripts/pythons brings.
interpreter() {
    local spec=$1
    case $spec in
        */*) [ -x "$spec" ] || die 2 "$spec is no interpreter"; realpath -s "$spec" ;;
        python*) command -v "$spec" || die 2 "$spec is not on PATH" ;;
        *) scripts/pythons --print "$spec" ;;
    esac
}

# supported PYTHON: fails, with what was found and the remedy, where the interpreter is none that sigwalk can embed.
supported() {
    local python=$1 found
    found=$("$python" -c '
import platform, sys, sysconfig
name = platform.python_implementation()
version = "%d.%d.%d" % sys.version_info[:3]
if name != "CPython":
    print(f"is {name} {version}; sigwalk walks CPython 3.11 to 3.15")
elif not (3, 11) <= sys.version_info[:2] <= (3, 15):
    print(f"is CPython {version}; sigwalk knows 3.11 to 3.15")
elif sysconfig.get_config_var("Py_GIL_DISABLED"):
    print(f"is a free-threaded CPython {version}; sigwalk knows default (GIL) builds")
elif not sysconfig.get_config_var("Py_ENABLE_SHARED"):
    print(f"is CPython {version} without a libpython (built without --enable-shared)")
else:
    print("ok")
' 2>/dev/null) || true
    [ -n "$found" ] || die 2 "$python is no Python interpreter"
    [ "$found" = ok ] || die 6 "$python $found; give another with --python, e.g. --python 3.15"
    # Debian ships its interpreter without the library and the headers.
    case $(readlink -f "$python") in
        /usr/bin/*)
            found=$("$python" -c '
import os, sys, sysconfig
library = os.path.join(*map(sysconfig.get_config_var, ("LIBDIR", "LDLIBRARY")))
header = os.path.join(sysconfig.get_config_var("INCLUDEPY"), "Python.h")
if not (os.path.exists(library) and os.path.exists(header)):
    print("libpython%d.%d-dev" % sys.version_info[:2])
')
            [ -z "$found" ] || apt_install "$found"
            ;;
    esac
}

# apt_install PACKAGE…: installs what is missing, as root; else says what to install.
apt_install() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    [ "$(id -u)" = 0 ] || die 6 "install ${missing[*]} (apt-get install ${missing[*]}) and run again"
    say "installing ${missing[*]}"
    # Another installation may be under way.
    local install=(apt-get install -y -o DPkg::Lock::Timeout=300 --no-install-recommends)
    "${install[@]}" "${missing[@]}" >/dev/null 2>&1 ||
        { apt-get update >/dev/null 2>&1 && "${install[@]}" "${missing[@]}" >&2; } ||
        die 6 "apt-get install ${missing[*]} failed"
}

# tag_of PYTHON → e.g. 3.15.0, 3.15.0d
tag_of() {
    "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3] + ("d" if hasattr(sys, "gettotalrefcount") else ""))'
}

# counted VALUE NAME: VALUE is a number above zero.
counted() {
    case $1 in '' | 0* | *[!0-9]*) die 2 "$2 is ${1:-missing}; give a number above zero" ;; esac
}

# shards_and_campaign N CAMPAIGN: both are there.
shards_and_campaign() {
    counted "$1" 'the number of shards'
    [ -n "$2" ] || die 2 "give a campaign, e.g. campaigns/smoke.toml; see scripts/$(basename "$0") --help"
    [ -r "$2" ] || die 2 "$2 cannot be read; campaigns are in campaigns/"
}

# build_stress PYTHON → path of the stress binary that was built for it. One binary an interpreter, in .builds/TAG.
build_stress() {
    local python=$1 tag target
    tag=$(tag_of "$python")
    target=${CARGO_TARGET_DIR:-target}
    PYO3_PYTHON=$python cargo build --release --quiet -p sigwalk-stress >&2 || die 1 "building stress for $tag failed"
    mkdir -p ".builds/$tag"
    # A new file, so that a running stress keeps its own.
    cp --remove-destination "$target/release/stress" ".builds/$tag/stress"
    printf '%s\n' ".builds/$tag/stress"
}

# build_benches PYTHON → path of the benches that were built for it, in .builds/TAG.
build_benches() {
    local python=$1 tag built
    tag=$(tag_of "$python")
    built=$(PYO3_PYTHON=$python cargo bench --quiet -p sigwalk-benches --bench walk --no-run --message-format=json |
        sed -n 's/.*"name":"walk".*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
    [ -n "$built" ] || die 1 "building the benches for $tag failed"
    mkdir -p ".builds/$tag"
    cp --remove-destination "$built" ".builds/$tag/benches"
    printf '%s\n' ".builds/$tag/benches"
}

# Makes /dev/null the device again where a container left a plain file there. Such a file keeps what build scripts write
# to it, and the next cargo, whose `rustc -` reads its program from /dev/null, compiles that: "error: unknown start of
# token: cc: error: unrecognized command-line option". Where no device may be made, the file is emptied.
null_device() {
    [ ! -c /dev/null ] || return 0
    if mknod -m 666 "/dev/null.$$" c 1 3 && mv -f "/dev/null.$$" /dev/null; then
        say "/dev/null was a plain file; it is the device again"
    else
        rm -f "/dev/null.$$"
        : >/dev/null
    fi
}
