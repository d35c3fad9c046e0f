#!/usr/bin/env bash
# Makes the file system of the image. Runs in the build stage of the Dockerfile.
#
#   rootfs.sh FOLDER [PREBUILT]
#
# PREBUILT: a folder with `agent` and `launch` that were compiled elsewhere, for the same distribution; without
# it they are compiled here.
set -euo pipefail

root=$1
prebuilt=${2:-}
src=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
uid=10001

if [ -n "$prebuilt" ]; then
  prebuilt=$src/$prebuilt
  if ldd "$prebuilt/agent" | grep -q 'not found'; then "$src/tests/packages.sh" build; fi
else
  build=$src/build/image
  prebuilt=$build/bin
  "$src/tests/packages.sh" build
  (cd "$src" && cmake --preset release -B "$build" -DAGENT_BUILD_TESTS=OFF && cmake --build "$build" --target agent)
  g++ -std=c++20 -Os -static -s -o "$prebuilt/launch" "$src/deploy/docker/launch.cc"
fi

mkdir -p "$root"/{etc/log-agent,etc/ssl/certs,usr/bin,usr/share,tmp,var/lib/log-agent}
install -m 755 "$prebuilt/agent" "$prebuilt/launch" "$root/usr/bin"
# Prebuilt ones may come without symbols, and the base without binutils.
if command -v strip >/dev/null; then strip "$root/usr/bin/agent"; fi

# What the agent is linked with, where the loader looks for it.
ldd "$prebuilt/agent" | sed -n 's/^.*\(=> \|\t\)\(\/[^ ]*\) (.*$/\2/p' | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done
# `encoding` of a job converts with these.
gconv=$(echo /usr/lib/*/gconv)
if [ -d "$gconv" ]; then mkdir -p "$root$gconv" && cp -rL "$gconv"/. "$root$gconv"; fi

# Authorities for TLS, time zones for `location`.
if [ ! -f /etc/ssl/certs/ca-certificates.crt ]; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends ca-certificates
fi
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs"
cp -r /usr/share/zoneinfo "$root/usr/share"

echo "root:x:0:0:root:/:/sbin/nologin
agent:x:$uid:$uid:agent:/var/lib/log-agent:/sbin/nologin" >"$root/etc/passwd"
echo "root:x:0:
agent:x:$uid:" >"$root/etc/group"
echo "hosts: files dns" >"$root/etc/nsswitch.conf"
chmod 1777 "$root/tmp"
chown "$uid:$uid" "$root/var/lib/log-agent"
