#!/usr/bin/env bash
# The one list of what is needed from Debian 12, and the way to get it.
#
#   tests/packages.sh build|test|check...    installs what is missing of these groups (with sudo if not root)
#   tests/packages.sh --list build|test|check...
#
# build: to compile the agent. test: to run its tests. check: what .ci/run looks at the code with.
set -euo pipefail

build=(
  g++ cmake ninja-build pkg-config
  catch2
  libabsl-dev libbz2-dev libcurl4-openssl-dev libgnutls28-dev libisal-dev libmaxminddb-dev libmicrohttpd-dev libpcre2-dev libre2-dev
  libsimdjson-dev libsnappy-dev libssl-dev libsystemd-dev libuv1-dev libxxhash-dev libyaml-cpp-dev libzstd-dev
  prometheus-cpp-dev tzdata zlib1g-dev
)
test=(
  busybox-static ca-certificates chromium debootstrap etcd-server fish lintian logrotate man-db maven nginx-light openssl python3 python3-yaml
  rsyslog systemd systemd-journal-remote zsh zstd
)
# Another Docker than Debian's serves as well, and the two cannot be installed together.
PATH=$PATH:/usr/sbin command -v dockerd >/dev/null || test+=(docker.io)
# So does another JDK.
command -v javac >/dev/null || test+=(default-jdk-headless)
check=(ccache clang clang-format clang-tidy git libclang-rt-14-dev mold)

list_only=false
wanted=()
for group in "$@"; do
  case "$group" in
    --list) list_only=true ;;
    build) wanted+=("${build[@]}") ;;
    test) wanted+=("${test[@]}") ;;
    check) wanted+=("${check[@]}") ;;
    *)
      echo "usage: $0 [--list] build|test|check..." >&2
      exit 2
      ;;
  esac
done

if $list_only; then
  printf '%s\n' "${wanted[@]}"
  exit 0
fi

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
# The tests start what they need themselves: nothing is to run as a service for that.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" install -m 755 /dev/stdin "$policy"
fi
echo "Installing ${missing[*]}" >&2
"${as_root[@]}" apt-get update -qq >&2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
