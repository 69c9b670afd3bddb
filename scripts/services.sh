#!/usr/bin/env bash
# Installs what the tests with real services need beside Python and is not there: Java for Spark,
# PostgreSQL, and a browser for reports. On Debian, as root; elsewhere it says what is missing.
set -euo pipefail

missing=()
command -v java >/dev/null || missing+=(default-jre-headless)
command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing+=(postgresql)
command -v chromium >/dev/null || missing+=(chromium fonts-noto-cjk)
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "services: the tests with real services need ${missing[*]} of Debian, or the like" >&2
    exit 1
fi
echo "services: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install --no-install-recommends -y "${missing[@]}" >/dev/null
