#!/usr/bin/env bash
# Makes a small Debian 12 with the libraries that the agent is linked with, and systemd, once, and prints the path of the
# archive: a base for images, where none can be pulled, and a host to install the package on.
#
# Exit code 69 and one line on standard error: debootstrap, root, or Debian's mirror is missing.
set -euo pipefail

packages=ca-certificates,libabsl20220623,libbz2-1.0,libcurl4,libgnutls30,libisal2,libmaxminddb0,libmicrohttpd12,libpcre2-8-0
packages+=,libprometheus-cpp-core1.0,libre2-9,libsimdjson14,libsnappy1v5,libssl3,libstdc++6,libsystemd0,libuv1
packages+=,libxxhash0,libyaml-cpp0.7,libzstd1,systemd,tzdata

unavailable() {
  echo "no Debian image here: $*" >&2
  exit 69
}

cache=${XDG_CACHE_HOME:-$HOME/.cache}/log-agent
built=$cache/debian-$(sha256sum <"${BASH_SOURCE[0]}" | cut -c1-12).tar
if [ -f "$built" ]; then
  echo "$built"
  exit 0
fi
PATH=$PATH:/usr/sbin:/sbin
command -v debootstrap >/dev/null || unavailable "debootstrap is not installed"
[ "$(id -u)" = 0 ] || unavailable "debootstrap needs root"
mkdir -p "$cache"
exec 9>"$cache/debian.lock"
flock 9
if [ ! -f "$built" ]; then
  work=$(mktemp -d "$cache/debian.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  log=$cache/debian-build.log
  nice -n 10 debootstrap --variant=minbase --include="$packages" bookworm "$work/root" >"$log" 2>&1 || unavailable "$(tail -n 1 "$log") (all of it: $log)"
  rm -rf "$work/root"/var/cache/apt/archives/*.deb "$work/root"/var/lib/apt/lists/* "$work/root"/usr/share/{doc,locale,man}/*
  tar -C "$work/root" -cf "$built.tmp" --exclude=./dev/* .
  mv "$built.tmp" "$built"
fi
echo "$built"
