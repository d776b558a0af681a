# The model in the volume where `dev` looks for it, brought there by the command that users of a machine without internet run.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/image.sh"

CLI=$REPOSITORY/dist/src/cli/main.js
VOLUME=dev-llm-main-models

if docker volume inspect "$VOLUME" >/dev/null 2>&1; then
  found "volume $VOLUME"
elif [ -f "$CLI" ]; then
  cd "$REPOSITORY"
  node "$CLI" model import "$MODEL" --env dev
  made "volume $VOLUME"
else
  report later 'not imported into dev: run npm ci, then setup again'
fi
