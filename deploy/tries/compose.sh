#!/bin/bash
# Run compose.yaml whole, as root, without an image registry: the images of others are stand-ins made of Debian.
#     debootstrap --variant=minbase --include=python3,python3-venv,postgresql,nginx-light,ca-certificates,curl trixie BASE
#     deploy/tries/compose.sh BASE ARCHIVE
# ARCHIVE is what `make wheelhouse PYTHONS=` makes with the Python of BASE. Needs podman, buildah, runc, netavark, nftables
# and docker-compose (podman-compose 1.3 does not wait for a service that ends). Debian's PostgreSQL takes the variables of
# the image that it stands for; moto's server (from pip) answers for the store. Asks nginx over TLS for the API, the log
# and pages, ends one API host, and asks again.
set -eu
base=$(realpath "$1") archive=$(realpath "$2")
here=$(realpath "$(dirname "$0")/..")
scratch=$(mktemp -d /var/tmp/compose.XXXXXX)
limit() { local found; found=$(ulimit "-H$1"); [ "$found" = unlimited ] && found=-1; echo "$found:$found"; }
printf '[containers]\ndefault_ulimits = ["nofile=%s", "nproc=%s"]\n[engine]\nruntime = "runc"\n' \
  "$(limit n)" "$(limit u)" > "$scratch/containers.conf"
export CONTAINERS_CONF="$scratch/containers.conf" BUILDAH_ISOLATION=chroot PODMAN_IGNORE_CGROUPSV1_WARNING=1
mkdir "$scratch/deploy"
cp -r "$here/container" "$here/database" "$scratch/deploy"
cd "$scratch/deploy/container"
podman system service --time 0 "unix://$scratch/podman.sock" > /dev/null 2>&1 &
serving=$!
export DOCKER_HOST="unix://$scratch/podman.sock"
compose() { docker-compose --project-name try "$@"; }
trap 'compose down --volumes --timeout 5 > /dev/null 2>&1 || :; kill "${checking:-}" "$serving" 2> /dev/null || :; rm -rf "$scratch"' EXIT

# With IMAGES_ARE_BUILT=yes those of the last time are run.
if [ "${IMAGES_ARE_BUILT:-}" != yes ]; then
  tar -C "$scratch" -xf "$archive"
  tar -C "$base" -c . | podman import --quiet - localhost/debian > /dev/null
  # image NAME: a Containerfile on the standard input.
  image() { buildah build --quiet --tag "localhost/$1" --file - "$scratch" > /dev/null; }
  buildah build --quiet --build-arg BASE=localhost/debian --tag localhost/register \
    --file Containerfile "$scratch"/public_algorithm_register-*-offline > /dev/null
  cat > "$scratch/postgres" <<'SH'
#!/bin/bash
set -eu
export PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
data=/var/lib/postgresql/data
if [ ! -d $data ]; then
  install -d -o postgres -m 700 $data
  install -m 600 -o postgres "$POSTGRES_PASSWORD_FILE" /tmp/password
  setpriv --reuid postgres --regid postgres --clear-groups initdb --pgdata $data --username "$POSTGRES_USER" \
    --pwfile /tmp/password --auth-local trust --auth-host scram-sha-256 $POSTGRES_INITDB_ARGS > /dev/null
  echo 'host all all all scram-sha-256' >> $data/pg_hba.conf
  setpriv --reuid postgres --regid postgres --clear-groups postgres --single -D $data postgres \
    <<< "create database \"$POSTGRES_DB\"" > /dev/null
fi
exec setpriv --reuid postgres --regid postgres --clear-groups postgres -D $data -h '*'
SH
  image postgres <<'CF'
FROM localhost/debian
COPY postgres /usr/local/bin/postgres-image
RUN chmod 755 /usr/local/bin/postgres-image && ln -s /usr/lib/postgresql/*/bin/pg_isready /usr/local/bin/
ENTRYPOINT ["postgres-image"]
CF
  python3 -m venv "$scratch/store"
  version=$(chroot "$base" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  "$scratch/store/bin/pip" download --quiet --python-version "$version" --only-binary :all: --dest "$scratch/moto" \
    'moto[s3,server]'
  printf '#!/bin/sh\nexec /opt/moto/bin/moto_server --host 0.0.0.0 --port 8333\n' > "$scratch/server"
  image store <<'CF'
FROM localhost/debian
COPY moto /src
COPY server /usr/local/bin/server
RUN python3 -m venv /opt/moto && /opt/moto/bin/pip install --quiet --no-index --find-links /src 'moto[s3,server]' \
 && chmod 755 /usr/local/bin/server && rm -rf /src
ENTRYPOINT ["sh", "-c", "exec /usr/local/bin/server"]
CF
  image nginx <<'CF'
FROM localhost/debian
RUN rm -f /etc/nginx/sites-enabled/default
ENTRYPOINT ["nginx", "-g", "daemon off;"]
CF
fi

mkdir -m 700 secrets
secret() { python3 -c 'import secrets; print(secrets.token_hex(16), end="")'; }
secret > secrets/database-owner
secret > secrets/database-serving
printf 'postgresql://register:%s@db/register' "$(cat secrets/database-owner)" > secrets/owner-url
printf 'postgresql://serving:%s@db/register' "$(cat secrets/database-serving)" > secrets/serving-url
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=register.example -addext subjectAltName=DNS:register.example \
  -keyout secrets/tls.key -out secrets/tls.pem 2> /dev/null
cat > .env <<'ENV'
REGISTRY_BASE_URL=https://register.example
S3_KEY=key
S3_SECRET=secret
REGISTER_IMAGE=localhost/register
POSTGRES_IMAGE=localhost/postgres
STORE_IMAGE=localhost/store
NGINX_IMAGE=localhost/nginx
ENV
# Where systemd is not there to run the health checks of podman, they are run here.
(while sleep 5; do podman ps --quiet | xargs -r -n 1 podman healthcheck run || :; done > /dev/null 2>&1) &
checking=$!
began=$(date +%s)
timeout 240 docker-compose --project-name try up --quiet-pull --detach
ask() { curl --silent --fail --output /dev/null --cacert secrets/tls.pem --resolve register.example:443:127.0.0.1 "https://register.example$1"; }
for path in /health/live /api/v1/records /log/checkpoint /fr/ /ar/; do
  until ask $path; do
    [ $(($(date +%s) - began)) -lt 240 ] || { compose logs; exit 1; }
    sleep 1
  done
  echo "$path answered after $(($(date +%s) - began)) s"
done
compose stop serve-1
for _ in 1 2 3 4 5 6; do ask /fr/; ask /api/v1/records; done
echo "one API host is enough"
compose ps --all --format '{{.Service}} {{.Status}}'
