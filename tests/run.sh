#!/usr/bin/env bash
# Installs what is missing, builds, and runs all tests under ctest.
#
#   tests/run.sh           everything that fits into a few minutes once the servers are built
#   tests/run.sh --fast    without the tests that need a server that must first be built
#   tests/run.sh --full    also what is long: 500 kills, 10,000 idle files, long outages, long fuzzing
#
# Where Go or its registry is missing the tests against real servers skip, with one line each.
# PRESET=debug tests/run.sh takes another preset than release.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=${1:-}
case "$mode" in
  "" | --fast | --full) ;;
  *)
    sed -n '2,/^set/p' "$0" | grep '^#' | cut -c3-
    exit 2
    ;;
esac
preset=${PRESET:-release}

tests/packages.sh build test

if [ "$mode" != --fast ]; then
  # They take minutes the first time; the compiler has the other core meanwhile. Tests wait for them.
  tests/e2e/servers/build.sh all >/dev/null 2>&1 &
fi

launcher=()
if command -v ccache >/dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
cmake --preset "$preset" -DAGENT_BUILD_TESTS=ON "${launcher[@]}"
cmake --build --preset "$preset"

choose=()
case "$mode" in
  --fast) choose=(-LE server) ;;
  --full) export AGENT_FULL=1 ;;
  *) export AGENT_KILL_CYCLES=${AGENT_KILL_CYCLES:-50} ;;
esac
[ "$mode" = --fast ] || wait
ctest --test-dir "build/$preset" --output-on-failure -j "$(nproc)" "${choose[@]}"

if [ "$mode" = --full ]; then
  tests/fuzz/run.sh "${AGENT_FUZZ_SECONDS:-600}"
fi
