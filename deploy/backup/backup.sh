#!/bin/sh
# A backup that only who has the private key can open, and a copy of it elsewhere; run by registry-backup.timer.
# Settings, in /etc/registry/backup.env:
#   BACKUP_RECIPIENTS  a file with public keys of age, one a line: their private halves are not on this machine
#   BACKUP_DIR         where it is kept here, /var/backups/registry if not set
#   BACKUP_KEEP        how many are kept here, 30 if not set
#   BACKUP_STORE       where rclone copies it to, such as store:register-backups; none if not set
set -eu
umask 077
: "${BACKUP_RECIPIENTS:?name the file with the public keys that it is encrypted to}"
folder=${BACKUP_DIR:-/var/backups/registry}
name=registry-$(date -u +%Y-%m-%dT%H%M%SZ)
making=$(mktemp -d "$folder/.making.XXXXXX")
trap 'rm -rf "$making"' EXIT

"${REGISTRY:-/opt/registry/bin/registry}" backup "$making/$name"
tar -C "$making" -cf "$making/$name.tar" "$name"
age --encrypt --recipients-file "$BACKUP_RECIPIENTS" --output "$making/$name.tar.age" "$making/$name.tar"
mv "$making/$name.tar.age" "$folder/$name.tar.age"
if [ "${BACKUP_STORE:-}" ]; then
  rclone copyto --immutable "$folder/$name.tar.age" "$BACKUP_STORE/$name.tar.age"
fi
find "$folder" -maxdepth 1 -name 'registry-*.tar.age' | sort -r | tail -n "+$((${BACKUP_KEEP:-30} + 1))" | xargs -r rm --
echo "$folder/$name.tar.age"
