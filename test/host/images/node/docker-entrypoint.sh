#!/bin/sh
# `docker run IMAGE app.js` and `docker run IMAGE --version` mean node's arguments; anything that is a command runs as it is.
set -e

case "${1-}" in
  -* | '') set -- node "$@" ;;
  *) command -v -- "$1" >/dev/null 2>&1 || set -- node "$@" ;;
esac

exec "$@"
