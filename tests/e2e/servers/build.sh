#!/usr/bin/env bash
# Builds one of the real servers that the end-to-end tests run, once, and prints the path of its binary.
#
#   build.sh loki|promtool|promtail|kube-apiserver
#
# Versions are pinned by the go.mod and go.sum beside this script; the binary goes into
# ${XDG_CACHE_HOME:-$HOME/.cache}/log-agent/ under a name made from those files, so that another
# version is another file. Exit code 69 and one line on standard error: Go or the registry is missing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
name=${1:-}
case "$name" in
  loki) module=loki package=github.com/grafana/loki/v3/cmd/loki ;;
  promtool) module=loki package=github.com/prometheus/prometheus/cmd/promtool ;;
  kube-apiserver) module=kubernetes package=k8s.io/kubernetes/cmd/kube-apiserver ;;
  promtail) module=promtail package=github.com/grafana/loki/v3/clients/cmd/promtail ;;
  *)
    echo "usage: $0 loki|promtool|promtail|kube-apiserver" >&2
    exit 2
    ;;
esac

unavailable() {
  echo "$name cannot be built here: $*" >&2
  exit 69
}

cache=${XDG_CACHE_HOME:-$HOME/.cache}/log-agent
version=$(cat "$here/$module/go.mod" "$here/$module/go.sum" | sha256sum | cut -c1-12)
binary=$cache/$name-$version
if [ -x "$binary" ]; then
  echo "$binary"
  exit 0
fi

PATH=$PATH:/usr/local/go/bin
command -v go >/dev/null || unavailable "Go is not installed"
mkdir -p "$cache"
# One build at a time: several tests, or a build in the background, may ask for the same server.
exec 9>"$cache/$name.lock"
flock 9
if [ ! -x "$binary" ]; then
  log=$cache/$name-build.log
  # Without cgo: no compiler and no journal library are needed, and the result runs anywhere.
  (cd "$here/$module" && CGO_ENABLED=0 GOFLAGS=-mod=readonly nice -n 10 \
    go build -trimpath -ldflags "-s -w" -o "$binary.tmp" "$package") >"$log" 2>&1 ||
    unavailable "$(tail -n 1 "$log") (all of it: $log)"
  mv "$binary.tmp" "$binary"
fi
echo "$binary"
