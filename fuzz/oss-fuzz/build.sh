#!/usr/bin/env bash
# Builds every fuzz target for OSS-Fuzz and ClusterFuzzLite: SRC holds the repository as `sigwalk`, binaries with their corpora,
# dictionaries and options go to OUT.
set -euo pipefail

cd -- "${SRC:?set by the engine: the directory that holds sigwalk}/sigwalk"
: "${OUT:?set by the engine: where binaries go}"
# The base image's default is a nightly; elsewhere it is asked for.
cargo --version | grep -q nightly || export RUSTUP_TOOLCHAIN=nightly

# With debug assertions: overflow is a finding.
cargo fuzz build -O --debug-assertions
built=fuzz/target/x86_64-unknown-linux-gnu/release
for source in fuzz/fuzz_targets/*.rs; do
    target=$(basename "$source" .rs)
    cp "$built/$target" "$OUT/"
    cp "fuzz/dictionaries/$target.dict" "$OUT/"
    zip -jqr "$OUT/${target}_seed_corpus.zip" "fuzz/inputs/$target"
    # Seconds of one input, which takes microseconds.
    printf '[libfuzzer]\ndict = %s.dict\ntimeout = 10\nrss_limit_mb = 2048\n' "$target" >"$OUT/$target.options"
done
