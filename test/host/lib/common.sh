# What every script of the test host shares: where the caches are, how a step reports, how a cache key is made.
# Sourced, never run.

set -euo pipefail

HOST_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
REPOSITORY=$(cd "$HOST_DIR/../.." && pwd)
CACHE=${RAGDOCK_CACHE:-/var/cache/ragdock}
LOGS=$CACHE/logs

# shellcheck source=../versions.sh
source "$HOST_DIR/versions.sh"

mkdir -p "$CACHE" "$LOGS"

# Tools that a bare machine gets from the cache (see steps/go.sh); a Go that is installed comes first.
PATH=$PATH:/usr/local/go/bin:$CACHE/go/$GO_WHEEL/go/bin

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# A step says once how it ended; `setup` prints it. Both take a short text for people.
made() { report made "$*"; }
found() { report found "$*"; }

report() {
  if [ -n "${STEP_REPORT:-}" ]; then
    printf '%s %s\n' "$1" "$2" >"$STEP_REPORT"
  else
    printf '%s %s\n' "$1" "$2" >&2
  fi
}

# key_of TEXT_OR_FILE...: 16 hex digits over the contents of files and folders (with relative names and modes, without
# what Python compiled) and over plain words.
key_of() {
  local item
  for item in "$@"; do
    if [ -d "$item" ]; then
      (
        cd "$item"
        find . -name __pycache__ -prune -o -type f -printf '%m %p\n' | LC_ALL=C sort
        find . -name __pycache__ -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum
      )
    elif [ -f "$item" ]; then
      sha256sum <"$item"
    else
      printf '%s\n' "$item"
    fi
  done | sha256sum | cut -c1-16
}

# publish SOURCE TARGET: moves a finished artefact into the cache in one step, so that an interrupted build leaves nothing half made.
publish() {
  mkdir -p "$(dirname "$2")"
  mv -T "$1" "$2"
}

# A work folder on the cache's own file system, removed when the script ends.
work_folder() {
  mkdir -p "$CACHE/tmp"
  WORK=$(mktemp -d "$CACHE/tmp/XXXXXXXX")
  trap 'chmod -R u+w "$WORK" && rm -rf "$WORK"' EXIT
}

# The language model of the tests; see steps/model.sh.
MODEL=$CACHE/model/$(key_of "$HOST_DIR/python/model.txt")/$MODEL_FILE

# The newest Docker engine; see the script newest-engine.
NEWEST_ENGINE=$CACHE/newest-engine/moby-$MOBY_VERSION-containerd-$CONTAINERD_VERSION-runc-$RUNC_VERSION
NEWEST_ENGINE_SOCKET=/run/ragdock-newest/docker.sock
# The files of a model for the stand-in of vLLM; see steps/vllm-model.sh.
VLLM_MODEL=$CACHE/vllm-model/$(key_of "$HOST_DIR/python/vllm_model.py")
# What attacks the RAG API by its description; see steps/schemathesis.sh.
SCHEMATHESIS=$CACHE/schemathesis/$(key_of "$HOST_DIR/python/schemathesis.txt")
# OpenAI's client for Python, which talks to the RAG API; see steps/openai-client.sh.
OPENAI_CLIENT=$CACHE/openai-client/$(key_of "$HOST_DIR/python/openai-client.txt")
