#!/bin/sh
# Installs what the tests use beyond wheels: real servers and promtool. Needs root, or sudo, Debian's packages, and Go.
set -eu

as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo"

# MinIO is source-only since October 2025: its last Go module, about four minutes to build.
MINIO="github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"
if ! command -v minio >/dev/null; then
    built=$(mktemp -d)
    GOBIN="$built" go install "$MINIO"
    $as_root install "$built/minio" /usr/local/bin/minio
    rm -r "$built"
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
