#!/bin/sh
# Try a backup: open it, restore it into a server that is thrown away, check it by its log. On a machine that
# publishes nothing, where the register's program is installed:
#     drill.sh IDENTITY BACKUP.tar.age
# IDENTITY is the file with the private key of age. Ends with 0 if everything is in order.
set -eu
umask 077
identity=$(realpath "$1") backup=$(realpath "$2")
registry=${REGISTRY:-/opt/registry/bin/registry}
# A socket's path is short; the embedded server of a root user runs as another.
scratch=$(mktemp -d /var/tmp/drill.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch"

began=$(date +%s)
mkdir -m 700 "$scratch/opened"
# Into a file first: age says at the end whether the whole is as it was written.
age --decrypt --identity "$identity" --output "$scratch/opened.tar" "$backup"
tar -C "$scratch/opened" -xf "$scratch/opened.tar"
unset REGISTRY_DATABASE_URL REGISTRY_DATABASE_URL_FILE REGISTRY_LOG_KEY_FILE REGISTRY_PUBLISH_TO
export REGISTRY_DATA_DIR="$scratch/data"
"$registry" restore "$scratch"/opened/registry-*
"$registry" log publish
"$registry" log fsck
echo "restored, checked and published again in $(($(date +%s) - began)) s: $(basename "$backup")"
