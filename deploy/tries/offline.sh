#!/bin/sh
# Follow docs/operating/offline.md in a bare Debian without network, as root:
#     debootstrap --variant=minbase --include=python3,python3-venv trixie BASE
#     deploy/tries/offline.sh BASE ARCHIVE
# Runs the blocks of "Install it" and "Start it" as they stand there, and says how long they took.
set -eu
base=$(realpath "$1") archive=$(realpath "$2")
page=$(realpath "$(dirname "$0")/../../docs/operating/offline.md")
root=$(mktemp -d /var/tmp/offline.XXXXXX)
trap 'rm -rf "$root"' EXIT
cp -a "$base/." "$root"
cp "$archive" "$root/root/"
{
  echo 'set -eux; cd /root'
  sed -n '/^## Install it/,$p' "$page" | sed -n '/^```sh$/,/^```$/p' | grep -v '^```'
} > "$root/root/steps.sh"
began=$(date +%s)
# Ends with the chroot's first process, and whatever it left running.
unshare --net --mount --pid --fork --kill-child sh -eu -c '
  mount -t proc proc "$1/proc"
  mount -t tmpfs tmpfs "$1/dev/shm" 2> /dev/null || { mkdir -p "$1/dev/shm"; mount -t tmpfs tmpfs "$1/dev/shm"; }
  ip link set lo up
  chroot "$1" /bin/sh /root/steps.sh
' sh "$root"
echo "done in $(($(date +%s) - began)) s; $(du -sh "$root/opt/registry" | cut -f 1) in /opt/registry"
