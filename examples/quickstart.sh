#!/usr/bin/env bash
# Builds the agent and shows it at work on logs that are made on the spot; needs nothing else running.
#
#   examples/quickstart.sh              until Ctrl-C
#   examples/quickstart.sh --for 20s    ends by itself (s, m or h)
#   LOKI_URL=http://localhost:3100 examples/quickstart.sh    ships to a Loki as well
#
# On a Debian 12 it installs by apt what the build needs (with sudo if you are not root).
# QUICKSTART_AGENT=path takes a binary that is built already.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

usage() { sed -n '2,/^set/p' "$0" | grep '^#' | cut -c3-; }

seconds=""
while [ $# -gt 0 ]; do
  case "$1" in
    --for)
      [[ ${2:-} =~ ^([0-9]+)([smh]?)$ ]] || { echo "--for wants a time such as 20s" >&2 && exit 2; }
      seconds=${BASH_REMATCH[1]}
      case "${BASH_REMATCH[2]}" in m) seconds=$((seconds * 60)) ;; h) seconds=$((seconds * 3600)) ;; esac
      shift 2
      ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
  esac
done

bold="" dim="" red="" yellow="" cyan="" plain=""
if [ -t 1 ]; then
  bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' yellow=$'\e[33m' cyan=$'\e[36m' plain=$'\e[0m'
fi
note() { printf '%s%s%s\n' "$bold" "$*" "$plain"; }

binary=${QUICKSTART_AGENT:-$root/build/release/bin/agent}
build() {
  [ -z "${QUICKSTART_AGENT:-}" ] || return 0
  "$root/tests/packages.sh" build
  local log
  log=$(mktemp)
  note "Building (the first time takes some minutes) ..."
  if ! (cd "$root" && cmake --preset release -DAGENT_BUILD_TESTS=OFF && cmake --build --preset release --target agent) >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    exit 1
  fi
  rm -f "$log"
}

# The answer's body of GET http://127.0.0.1:$port$1, without any program that may not be there.
get() {
  local line
  { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return 1
  printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$1" >&3
  IFS= read -r line <&3 || return 1
  [[ $line == *" 200 "* ]] || { exec 3>&- && return 1; }
  while IFS= read -r line <&3 && [ "$line" != $'\r' ]; do :; done
  cat <&3
  exec 3>&-
}

port=${QUICKSTART_PORT:-9080}
pick_port() {
  while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
}

# Prints entries as the agent's file has them (time=… label=value … line="…"), and how many they were to $dir/shown.
show() {
  local entry when labels text colour shown=0
  while IFS= read -r entry; do
    shown=$((shown + 1))
    when=${entry%% *} entry=${entry#* }
    when=${when#time=} labels=${entry%% line=*} text=${entry#* line=}
    # In quotes, where it is not plain.
    [[ $text != \"* ]] || { text=${text#\"} text=${text%\"} text=${text//\\\"/\"} text=${text//\\\\/\\}; }
    colour=""
    case "$labels" in *level=error*) colour=$red ;; *level=warning*) colour=$yellow ;; esac
    printf '%s%s%s %s%s%s %s%s%s\n' "$dim" "$when" "$plain" "$cyan" "$labels" "$plain" "$colour" "$text" "$plain"
  done
  echo "$shown" >"$dir/shown"
}

# Sum of a metric's samples in $1: name, and optionally a piece of text that the labels contain.
sum() { awk -v name="$2" -v has="${3:-}" '{ n = $1; sub(/\{.*/, "", n) } n == name && (has == "" || index($0, has)) { s += $NF } END { printf "%.0f", s }' <<<"$1"; }

# "reason number" of everything that was dropped.
drops() {
  awk '{ n = $1; sub(/\{.*/, "", n) }
    (n == "logentry_dropped_lines_total" || n == "promtail_dropped_entries_total") && $NF > 0 {
      match($0, /reason="[^"]*"/); sum[substr($0, RSTART + 8, RLENGTH - 9)] += $NF }
    END { for (reason in sum) printf "  dropped  %8d lines    reason %s\n", sum[reason], reason }' <<<"$1"
}

summary() {
  local metrics=$1 shipped
  note "Summary"
  printf '  read     %8s lines    %s bytes\n' "$(sum "$metrics" promtail_read_lines_total)" "$(sum "$metrics" promtail_read_bytes_total)"
  if [ -n "${LOKI_URL:-}" ]; then
    printf '  shipped  %8s entries  %s bytes, compressed\n' "$(sum "$metrics" promtail_sent_entries_total)" "$(sum "$metrics" promtail_sent_bytes_total)"
  else
    shipped=$(cat "$dir/shown" 2>/dev/null || echo 0)
    printf '  shown    %8s entries  (with LOKI_URL=http://... they are shipped)\n' "$shipped"
  fi
  drops "$metrics"
}

finish() {
  trap '' INT TERM
  kill "$generator" 2>/dev/null || true
  wait "$generator" 2>/dev/null || true
  # What was written last is still on its way: wait until all is read and settled, but not for long.
  local metrics="" again
  for again in {1..20}; do
    metrics=$(get /metrics || true)
    [ "$(sum "$metrics" agent_ledger_in_flight_bytes)" != 0 ] || [ "$again" -lt 8 ] || break
    read -r -t 0.2 -u "$never" || true
  done
  kill -TERM "$agent" 2>/dev/null || true
  wait "$agent" && code=0 || code=$?
  [ -z "$display" ] || wait "$display" 2>/dev/null || true
  echo
  summary "$metrics"
  exit "$code"
}

build
pick_port
agent="" generator="" display=""
trap 'kill $agent $generator 2>/dev/null || true; rm -rf "$dir"' EXIT
dir=$(mktemp -d "${TMPDIR:-/tmp}/log-agent-quickstart.XXXXXX")
mkdir -p "$dir/logs"
exec {never}<> <(:) # Nothing comes from it: reading with a time limit is a pause.

export QUICKSTART_PORT=$port QUICKSTART_DIR=$dir
# In sessions of their own, so that Ctrl-C reaches only this script and the end has an order.
setsid "$root/examples/quickstart/generate-logs.sh" "$dir/logs" &
generator=$!
flags=(-config.file="$root/examples/quickstart/agent.yaml" -config.expand-env=true)
if [ -n "${LOKI_URL:-}" ]; then
  case "$LOKI_URL" in */push) ;; *) LOKI_URL=${LOKI_URL%/}/loki/api/v1/push ;; esac
  note "Shipping to $LOKI_URL"
  setsid "$binary" "${flags[@]}" -client.url="$LOKI_URL" &
  agent=$!
else
  mkdir -p "$dir/entries"
  touch "$dir/entries/shown.log"
  setsid "$binary" "${flags[@]}" -log.level=warn 2>"$dir/agent.log" &
  agent=$!
  (trap '' INT && tail -n +1 -F -s 0.1 --pid="$agent" "$dir/entries/shown.log" 2>/dev/null | show) &
  display=$!
fi
trap finish INT TERM

note "Metrics  http://127.0.0.1:$port/metrics"
note "Targets  http://127.0.0.1:$port/targets"
[ -n "$seconds" ] || note "Ctrl-C ends it"
echo

end=$((SECONDS + ${seconds:-0}))
while [ -z "$seconds" ] || ((SECONDS < end)); do
  if ! kill -0 "$agent" 2>/dev/null; then
    echo "The agent ended by itself:" >&2
    cat "$dir/agent.log" >&2 2>/dev/null || true
    exit 1
  fi
  read -r -t 0.2 -u "$never" || true
done
finish
