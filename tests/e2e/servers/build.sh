#!/usr/bin/env bash
# Builds one of the real servers or tools that the end-to-end tests run, once, and prints the path of its binary,
# or of the folder with its classes, or definitions.
#
#   build.sh lumberjack|compose|crds|debian|opensearch|elasticsearch|kustomize|helm|loki|promtool|prometheus|promtail|promtail-journal|kube-apiserver
#   build.sh all           each of them that can be had here
#
# Versions are pinned by the go.mod and go.sum, or the Maven file, beside this script; the result goes into
# ${XDG_CACHE_HOME:-$HOME/.cache}/log-agent/ under a name made from those files, so that another
# version is another file. Exit code 69 and one line on standard error: Go, Java, or a registry is missing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
name=${1:-}
# What takes seconds comes first.
servers=(lumberjack compose crds debian opensearch elasticsearch kustomize helm loki promtool prometheus promtail promtail-journal kube-apiserver)
case "$name" in
  loki) module=loki package=github.com/grafana/loki/v3/cmd/loki ;;
  promtool) module=loki package=github.com/prometheus/prometheus/cmd/promtool ;;
  prometheus) module=prometheus package=github.com/prometheus/prometheus/cmd/prometheus ;;
  kube-apiserver) module=kubernetes package=k8s.io/kubernetes/cmd/kube-apiserver ;;
  promtail | promtail-journal) module=promtail package=github.com/grafana/loki/v3/clients/cmd/promtail ;;
  lumberjack | compose) module=$name package=. ;;
  debian) exec "$here/debian.sh" ;;
  crds) module=crds package=files ;;
  helm) module=helm package=helm.sh/helm/v3/cmd/helm ;;
  kustomize) module=kustomize package=sigs.k8s.io/kustomize/kustomize/v5 ;;
  opensearch | elasticsearch) module=elasticsearch package= ;;
  all)
    for server in "${servers[@]}"; do "$0" "$server" || true; done
    exit 0
    ;;
  *)
    echo "usage: $0 $(IFS='|' && echo "${servers[*]}")|all" >&2
    exit 2
    ;;
esac

unavailable() {
  echo "$name cannot be built here: $*" >&2
  exit 69
}

# Without cgo: no compiler and no journal library are needed, and the result runs anywhere. But to read
# the journal they are.
build_go() {
  local cgo=0 tags=
  if [ "$name" = promtail-journal ]; then cgo=1 tags=promtail_journal_enabled; fi
  # Static targets are enough: the libraries of every cloud are left out.
  if [ "$name" = prometheus ]; then tags=remove_all_sd; fi
  cd "$here/$module" && CGO_ENABLED=$cgo GOFLAGS=-mod=readonly nice -n 10 \
    go build -trimpath -tags "$tags" -ldflags "-s -w" -o "$1" "$package"
}

# A folder with definitions of Kubernetes objects, out of the modules of those who define them.
build_files() {
  mkdir -p "$1"
  cd "$here/$module" && GOFLAGS=-mod=readonly go mod download -json | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p' | while read -r dir; do
    find "$dir" -path '*/prometheus-operator-crd/*monitors.yaml' -o -path '*/prometheus-operator-crd/*rules.yaml' -o -path '*/deploy/vpa-v1-crd-gen.yaml'
  done | xargs cp --no-preserve=mode -t "$1"
}

# A folder with the libraries and the compiled Main. OpenSearch is a fork: its Main differs by package names.
build_java() {
  mkdir -p "$1/classes"
  cp "$here/$module/$name.xml" "$1/pom.xml"
  sed "s/elasticsearch/$name/g" "$here/$module/Main.java" >"$1/Main.java"
  (cd "$1" && MAVEN_OPTS=-Xmx512m nice -n 10 mvn -B -C org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
    -DoutputDirectory=lib -DincludeScope=runtime) && nice -n 10 javac -cp "$1/lib/*" -d "$1/classes" "$1/Main.java"
}

cache=${XDG_CACHE_HOME:-$HOME/.cache}/log-agent
if [ -n "$package" ]; then
  sources=("$here/$module"/go.mod "$here/$module"/go.sum)
  [ ! -f "$here/$module/main.go" ] || sources+=("$here/$module/main.go")
else
  sources=("$here/$module/$name.xml" "$here/$module/Main.java")
fi
version=$(cat "${sources[@]}" | sha256sum | cut -c1-12)
built=$cache/$name-$version
if [ -e "$built" ]; then
  echo "$built"
  exit 0
fi

PATH=$PATH:/usr/local/go/bin
tools=(mvn javac)
[ -z "$package" ] || tools=(go)
for tool in "${tools[@]}"; do
  command -v "$tool" >/dev/null || unavailable "$tool is not installed"
done
mkdir -p "$cache"
# One build at a time: several tests, or a build in the background, may ask for the same server.
exec 9>"$cache/$name.lock"
flock 9
if [ ! -e "$built" ]; then
  log=$cache/$name-build.log
  kind=go
  [ -n "$package" ] || kind=java
  [ "$package" != files ] || kind=files
  rm -rf "$built.tmp"
  ("build_$kind" "$built.tmp") >"$log" 2>&1 ||
    unavailable "$(grep -m 1 -e ERROR "$log" || tail -n 1 "$log") (all of it: $log)"
  mv "$built.tmp" "$built"
fi
echo "$built"
