#!/usr/bin/env bash
# First start: makes the cluster, the user and the database from POSTGRES_*, runs /docker-entrypoint-initdb.d, then serves.
# Later starts: serves. What is not `postgres` (or flags for it) runs as it is.

set -Eeuo pipefail
shopt -s nullglob

INIT_FOLDER=/docker-entrypoint-initdb.d

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# setting NAME [DEFAULT]: sets NAME from NAME, from the file that NAME_FILE names, or to the default.
setting() {
  local name=$1 file_name=$1_FILE
  if [ -n "${!name:-}" ] && [ -n "${!file_name:-}" ]; then die "$name and $file_name are both set; set one"; fi
  if [ -n "${!file_name:-}" ]; then
    local value
    value=$(<"${!file_name}")
    export "$name=$value"
  else
    export "$name=${!name:-${2:-}}"
  fi
  unset "$file_name"
}

initialised() { [ -s "$PGDATA/PG_VERSION" ]; }

read_settings() {
  setting POSTGRES_INITDB_ARGS
  setting POSTGRES_PASSWORD
  setting POSTGRES_USER postgres
  setting POSTGRES_DB "$POSTGRES_USER"
  : "${POSTGRES_HOST_AUTH_METHOD:=}"
}

make_cluster() {
  if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
    die 'the superuser has no password: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE (or, to let anybody in, POSTGRES_HOST_AUTH_METHOD=trust)'
  fi

  local wal=()
  if [ -n "${POSTGRES_INITDB_WALDIR:-}" ]; then wal=(--waldir "$POSTGRES_INITDB_WALDIR"); fi
  # The variable holds a command line's worth of flags.
  eval "local flags=($POSTGRES_INITDB_ARGS)"
  initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") "${wal[@]}" "${flags[@]}"

  local method=${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption "$@")}
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

# Nobody outside the container can connect before the database is complete: the server of the first start has no TCP.
start_for_init() { pg_ctl --pgdata="$PGDATA" --wait --options="$(printf '%q ' "$@" -c listen_addresses= -p "${PGPORT:-5432}")" start; }

stop_for_init() { pg_ctl --pgdata="$PGDATA" --mode=fast --wait stop; }

query() { psql --set=ON_ERROR_STOP=1 --no-psqlrc --username="$POSTGRES_USER" --no-password "$@"; }

make_database() {
  local known
  known=$(query --dbname=postgres --set=name="$POSTGRES_DB" --tuples-only --no-align <<<"SELECT 1 FROM pg_database WHERE datname = :'name'")
  [ -n "$known" ] || query --dbname=postgres --set=name="$POSTGRES_DB" <<<'CREATE DATABASE :"name"'
}

run_init_folder() {
  local file
  for file in "$INIT_FOLDER"/*; do
    printf '%s: running %s\n' "$0" "$file"
    case "$file" in
      *.sh) if [ -x "$file" ]; then "$file"; else source "$file"; fi ;;
      *.sql) query --dbname="$POSTGRES_DB" --file="$file" ;;
      *.sql.gz) gunzip --stdout "$file" | query --dbname="$POSTGRES_DB" ;;
      *.sql.xz) xz --decompress --stdout "$file" | query --dbname="$POSTGRES_DB" ;;
      *.sql.zst) zstd --decompress --stdout "$file" | query --dbname="$POSTGRES_DB" ;;
      *) printf '%s: ignoring %s\n' "$0" "$file" ;;
    esac
  done
}

prepare_folders() {
  mkdir -p "$PGDATA" /var/run/postgresql
  chmod 0700 "$PGDATA" 2>/dev/null || [ "$(id -u)" != "$(stat --format=%u "$PGDATA")" ] || die "cannot set the mode of $PGDATA"
  chmod 3777 /var/run/postgresql 2>/dev/null || [ -w /var/run/postgresql ] || die '/var/run/postgresql cannot be written'
  if [ "$(id -u)" = 0 ]; then
    find "$PGDATA" /var/run/postgresql ! -user postgres -exec chown postgres {} +
  fi
}

# Like the official script, this one can be sourced for its functions, reads the password at every start, and leaves it in the
# environment of the server.
_main() {
  case "${1:-}" in -*) set -- postgres "$@" ;; esac
  [ "${1:-}" = postgres ] || exec "$@"

  for argument in "${@:2}"; do
    # These only print; they need no cluster.
    case "$argument" in -\? | --help | --describe-config | -V | --version) exec "$@" ;; esac
  done

  prepare_folders
  if [ "$(id -u)" = 0 ]; then exec gosu postgres "${BASH_SOURCE[0]}" "$@"; fi

  read_settings
  if initialised; then
    printf '%s: the database is there already\n' "$0"
  else
    make_cluster "${@:2}"
    export PGPASSWORD=$POSTGRES_PASSWORD
    start_for_init "${@:2}"
    make_database
    run_init_folder
    stop_for_init
    unset PGPASSWORD
    printf '%s: PostgreSQL init process complete; ready for start up.\n' "$0"
  fi

  exec "$@"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then _main "$@"; fi
