#!/usr/bin/env bash
# Writes logs as applications do, until it is stopped: examples/quickstart/generate-logs.sh DIRECTORY
#
#   DIRECTORY/containers/inference-gateway/inference-gateway-json.log   Docker's json-file around an
#       inference gateway's JSON; some lines have an e-mail address or a user's id in them
#   DIRECTORY/syslog   what a syslog daemon writes
#
# Bash alone, no other program: about 20 lines a second.
set -euo pipefail
export LC_ALL=C # Month names, and the point in EPOCHREALTIME.

dir=${1:?usage: $0 DIRECTORY}
mkdir -p "$dir/containers/inference-gateway"
gateway=$dir/containers/inference-gateway/inference-gateway-json.log
syslog=$dir/syslog

levels=(info info info info info info debug debug warning error)
paths=(/api/v1/predict /api/v1/models /api/v2/embeddings /healthz)
models=(resnet50 bert-base whisper-small)
processes=(sshd systemd cron kernel)
messages=("session opened for user deploy" "Started Daily apt upgrade" "link is up" "job finished in 12 ms")

# Sets `now` (RFC 3339, microseconds) without starting a program.
clock() {
  local real=$EPOCHREALTIME
  TZ=UTC printf -v now '%(%Y-%m-%dT%H:%M:%S)T' "${real%.*}"
  now+=".${real#*.}Z"
}

gateway_line() {
  local level=${levels[RANDOM % ${#levels[@]}]} path=${paths[RANDOM % ${#paths[@]}]}
  local status=200 stream=stdout message inner
  case "$level" in
    warning) status=404 ;;
    error) status=500 stream=stderr ;;
  esac
  message="POST $path $status"
  if ((RANDOM % 8 == 0)); then message+=" report sent to jane.doe$((RANDOM % 100))@example.com"; fi
  printf -v inner '{"time":"%s","level":"%s","logger":"uvicorn.access","message":"%s","trace_id":"%08x%08x","status_code":%d,"latency_ms":%d.%d,"model_name":"%s","user_id":"%d"}' \
    "$now" "$level" "$message" $((RANDOM * RANDOM)) $((RANDOM * RANDOM)) "$status" $((RANDOM % 400)) $((RANDOM % 10)) \
    "${models[RANDOM % ${#models[@]}]}" $((10000 + RANDOM))
  printf '{"log":"%s\\n","stream":"%s","time":"%s"}\n' "${inner//\"/\\\"}" "$stream" "$now" >>"$gateway"
}

syslog_line() {
  local when process=${processes[RANDOM % ${#processes[@]}]}
  TZ=UTC printf -v when '%(%b %e %H:%M:%S)T' -1
  printf '%s node-1 %s[%d]: %s\n' "$when" "$process" $((RANDOM % 9000 + 100)) "${messages[RANDOM % ${#messages[@]}]}" >>"$syslog"
}

exec {never}<> <(:) # Nothing comes from it: reading with a time limit is a pause.
for ((n = 0; ; n++)); do
  clock
  gateway_line
  if ((n % 4 == 0)); then syslog_line; fi
  read -r -t 0.06 -u "$never" || true
done
