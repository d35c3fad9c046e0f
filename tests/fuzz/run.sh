#!/usr/bin/env bash
# Builds every fuzz target with clang and runs each for so many seconds (default 15). What makes one
# crash is kept in build/fuzz/artifacts; what it learned stays in build/fuzz/corpus for the next time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-15}

tests/packages.sh build check
launcher=()
if command -v ccache >/dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
cmake --preset fuzz "${launcher[@]}" >/dev/null
targets=()
for source in tests/fuzz/*_fuzz.cc; do
  targets+=("$(basename "$source" .cc)")
done
cmake --build --preset fuzz --target "${targets[@]}"

fuzz_one() {
  local target=$1 corpus=build/fuzz/corpus/$1
  local -a seeds=()
  mkdir -p "$corpus" build/fuzz/artifacts
  if [ -d "tests/fuzz/corpus/$target" ]; then seeds=("tests/fuzz/corpus/$target"); fi
  if ! "build/fuzz/bin/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=0 \
    -artifact_prefix="build/fuzz/artifacts/$target-" "$corpus" "${seeds[@]}" >"build/fuzz/$target.log" 2>&1; then
    echo "$target: FAILED"
    tail -n 40 "build/fuzz/$target.log"
    return 1
  fi
  echo "$target: $(grep -oE '^Done [0-9]+ runs' "build/fuzz/$target.log" | tail -n 1), nothing found in $seconds s"
}
export -f fuzz_one
export seconds
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'fuzz_one {}'
