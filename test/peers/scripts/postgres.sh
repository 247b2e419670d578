#!/bin/sh
# A real PostgreSQL for tests, from the system's package, on loopback, with users and data of its own.
#
#   postgres.sh start  [--port N] [--dir D] [--tls] [--set NAME=VALUE]...
#   postgres.sh stop   [--port N] [--dir D] [--purge]
#
# start prints POSTGRES_URL='...', _USER, _PASSWORD and, with --tls, _CA on stdout, fit for eval; everything else goes to
# stderr. Nothing is synced to disk: the tests kill the server, not the machine. Users: entente, who owns the database
# entente, with a password; postgres without one, for what an administrator does.
#
# Environment: ENTENTE_PEERS_DIR (state, default ~/.cache/entente-peers), POSTGRES_BIN (folder of initdb; the newest
# below /usr/lib/postgresql), ENTENTE_PEERS_USER (user to run as when root: nobody; initdb refuses root).
set -eu
umask 022

die() { printf '%s\n' "postgres.sh: $*" >&2; exit 1; }

[ $# -ge 1 ] || die 'start or stop?'
action=$1; shift
port=5450 dir='' tls=false purge=false settings=''
while [ $# -gt 0 ]; do
  case $1 in
    --port) port=$2; shift ;;
    --dir) dir=$2; shift ;;
    --tls) tls=true ;;
    --purge) purge=true ;;
    --set) settings="$settings -c $2"; shift ;;
    *) die "what is $1?" ;;
  esac
  shift
done
dir=${dir:-${ENTENTE_PEERS_DIR:-$HOME/.cache/entente-peers}/run/postgres-$port}
root=false; [ "$(id -u)" -ne 0 ] || root=true
user=${ENTENTE_PEERS_USER:-nobody}

as_peer() {
  if ! $root; then "$@"
  elif command -v setpriv >/dev/null 2>&1; then
    setpriv --reuid="$(id -u "$user")" --regid="$(id -g "$user")" --clear-groups -- "$@"
  else runuser -u "$user" -- "$@"
  fi
}

bin=${POSTGRES_BIN:-}
[ -n "$bin" ] || bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] && [ -x "$bin/initdb" ] || die 'no initdb: install the package postgresql, or set POSTGRES_BIN'

start() {
  mkdir -p "$dir"
  if $root; then chown "$(id -u "$user"):$(id -g "$user")" "$dir"; fi
  cd "$dir"
  if [ ! -d "$dir/data" ]; then
    printf 'entente-secret\n' >"$dir/password"
    as_peer "$bin/initdb" -D "$dir/data" -U postgres --auth=trust -E UTF8 --locale=C.UTF-8 --no-sync >&2 || die 'initdb failed'
    as_peer sh -c 'printf "%s\n" "host all postgres 127.0.0.1/32 trust" "host all all 127.0.0.1/32 scram-sha-256" "local all all trust" >"$1"' \
      sh "$dir/data/pg_hba.conf"
    if $tls; then
      openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj '/CN=localhost' -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
        -keyout "$dir/server.key" -out "$dir/server.pem" 2>/dev/null || die 'openssl failed'
      chmod 600 "$dir/server.key"
      if $root; then chown "$(id -u "$user"):$(id -g "$user")" "$dir/server.key" "$dir/server.pem"; fi
    fi
  fi
  if $tls; then settings="$settings -c ssl=on -c ssl_cert_file=$dir/server.pem -c ssl_key_file=$dir/server.key"; fi
  # The files of a run share one that is up already. The folder in the command line tells the run that it is one of its own.
  as_peer "$bin/pg_ctl" -D "$dir/data" status >/dev/null 2>&1 || as_peer "$bin/pg_ctl" -D "$dir/data" -w -t 60 -l "$dir/log" -o "-k '' -p $port -c listen_addresses=127.0.0.1 -c fsync=off \
    -c full_page_writes=off -c max_connections=60 -c shared_buffers=64MB$settings" start >&2 || { tail -n 30 "$dir/log" >&2; die 'it did not start'; }
  if [ ! -e "$dir/made" ]; then
    as_peer "$bin/psql" -h 127.0.0.1 -p "$port" -U postgres -q -v ON_ERROR_STOP=1 \
      -c "CREATE ROLE entente LOGIN PASSWORD 'entente-secret'" -c 'CREATE DATABASE entente OWNER entente' postgres >&2
    : >"$dir/made"
  fi
  head -n 1 "$dir/data/postmaster.pid" >"$dir/server.pid"
  printf "POSTGRES_URL='postgres://entente@127.0.0.1:%s/entente'\nPOSTGRES_USER='entente'\nPOSTGRES_PASSWORD='entente-secret'\n" "$port"
  if $tls; then printf "POSTGRES_CA='%s'\n" "$dir/server.pem"; fi
}

stop() {
  if [ -d "$dir/data" ]; then (cd "$dir" && as_peer "$bin/pg_ctl" -D "$dir/data" -m fast -w stop >&2) || true; fi
  if $purge; then rm -rf "$dir"; fi
}

case $action in
  start) start ;;
  stop) stop ;;
  *) die 'start or stop?' ;;
esac
