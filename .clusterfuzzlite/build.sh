#!/usr/bin/env bash
# One recipe serves ClusterFuzzLite and OSS-Fuzz.
exec "${SRC:?set by the engine}/sigwalk/fuzz/oss-fuzz/build.sh"
