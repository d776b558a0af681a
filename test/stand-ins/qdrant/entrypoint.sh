#!/usr/bin/env bash
# Runs the server beside this shell, as the real image does, with what follows from that: as process 1 this shell
# passes a signal on and then ends itself at once with 128 + the signal, so that the server dies with the container
# instead of finishing what it has under way. `exec ./qdrant` instead of this script stops gracefully.
#
# QDRANT_ALLOW_RECOVERY_MODE=true: a server that was killed (137) before it had loaded its collections is started
# again with them closed, so that an operator can delete what does not fit into memory.

initialised="${QDRANT_INIT_FILE_PATH:-.qdrant-initialized}"
recovery_reason="Qdrant was killed during initialization. Most likely it's Out-of-Memory.
Please check memory consumption, increase memory limit or remove some collections and restart"

run() {
  "$@" &
  server=$!
  wait "$server"
}

trap 'kill -TERM "$server" 2>/dev/null' TERM
trap 'kill -INT "$server" 2>/dev/null' INT

run ./qdrant "$@"
status=$?

if [ "$status" = 137 ] && [ "${QDRANT_ALLOW_RECOVERY_MODE:-false}" = true ] && [ ! -f "$initialised" ]; then
  run env QDRANT__STORAGE__RECOVERY_MODE="$recovery_reason" ./qdrant "$@"
  status=$?
fi

exit "$status"
