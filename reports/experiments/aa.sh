#!/usr/bin/env bash
# Two runs of the same thing, and a third with a planted slowdown, measured in turn: what `report compare` says of runs that
# do not differ, and whether it finds what was planted.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

usage() {
    cat <<'TEXT'
Usage: reports/experiments/aa.sh [--processes N] [--python X] --out DIR

Runs, in the order A B B A so that drift of the machine meets both alike:
  DIR/a, DIR/b     N processes of the benches each, and the trials of campaigns/quick.toml, in four shards that are merged
  DIR/planted      N processes of the benches in which the subject `guarded` does 20 % more (SIGWALK_PLANT_SLOW)
  DIR/rates        campaigns/planted-rates.toml: a walker that dies in 0.1 % of trials, and one that dies in 1 %
and compares them. Runs that are there already are kept.

  --processes N   an even number [default: 12]
  --python X      the interpreter [default: python3]
  --out DIR       where to write
  --help          this text

Exit codes: 0 done, 1 A and B differ or what was planted was not found, 2 usage, 6 the machine lacks something.
TEXT
}

processes=12 python=python3 out=''
while [ $# -gt 0 ]; do
    case $1 in
        --processes) [ $# -gt 1 ] || die 2 '--processes needs a number'; processes=$2; shift ;;
        --python) [ $# -gt 1 ] || die 2 '--python needs a path or a version'; python=$2; shift ;;
        --out) [ $# -gt 1 ] || die 2 '--out needs a directory'; out=$2; shift ;;
        --help | -h) usage; exit 0 ;;
        *) die 2 "unknown argument $1; see reports/experiments/aa.sh --help" ;;
    esac
    shift
done
[ -n "$out" ] || die 2 'give --out DIR'
[[ $processes =~ ^[1-9][0-9]*$ && $((processes % 2)) = 0 ]] || die 2 '--processes needs an even number'

python=$(interpreter "$python")
mkdir -p "$out"
out=$(cd "$out" && pwd)
cargo build --release --quiet -p sigwalk-report
report=${CARGO_TARGET_DIR:-target}/release/report
stress=$(build_stress "$python")

bench() { # SIDE PROCESS [PLANT]
    [ ! -e "$out/$1/cost-$2/manifest.json" ] || return 0
    PYO3_PYTHON=$python SIGWALK_QUICK=1 SIGWALK_COST_DIR=$out/$1/cost-$2 SIGWALK_PLANT_SLOW=${3:-} \
        cargo bench --quiet -p sigwalk-benches --bench walk >"$out/bench.log" 2>&1 || die 1 "the benches failed: $out/bench.log"
}
trials() { # SIDE SHARD
    [ -e "$out/shards/$1-$2" ] || "$stress" run campaigns/quick.toml --shard "$2/4" --out "$out/shards/$1-$2"
}

for process in $(seq 1 2 "$processes"); do
    next=$((process + 1))
    bench a "$process"; bench b "$process"; bench planted "$process" guarded:20
    bench planted "$next" guarded:20; bench b "$next"; bench a "$next"
done
for shard in 1 3; do
    next=$((shard + 1))
    trials a "$shard"; trials b "$shard"; trials b "$next"; trials a "$next"
done
for side in a b; do
    [ -e "$out/$side/trials" ] || "$stress" merge "$out/shards/$side"-[1-4] --out "$out/$side/trials"
done
[ -e "$out/rates" ] || "$stress" run campaigns/planted-rates.toml --out "$out/rates"

cd "$out"
report=$(cd "$OLDPWD" && realpath "$report")
"$report" compare a b | tee a-b.txt
"$report" compare a planted | tee a-planted.txt
"$report" compare rates rates --walker planted-crash-1000=planted-crash-100 | tee rates.txt
"$report" compare a b --gate 0 >/dev/null || die 1 'A and B differ, and nothing differs between them: see a-b.txt'
code=0
"$report" compare a planted --gate 10 >/dev/null || code=$?
[ "$code" = 3 ] || die 1 'the planted slowdown was not found: see a-planted.txt'
code=0
"$report" compare rates rates --walker planted-crash-1000=planted-crash-100 --gate 10 >/dev/null || code=$?
[ "$code" = 3 ] || die 1 'the planted rate of crashes was not found: see rates.txt'
