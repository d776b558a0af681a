# OpenAI's client for Python in a virtual environment of its own.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"

if [ -e "$OPENAI_CLIENT/complete" ]; then
  found "$OPENAI_CLIENT"
  exit
fi
# Where it stays, as its programs name their own folder; what an interrupted run has left is made anew.
rm -rf "$OPENAI_CLIENT"
python3 -m venv "$OPENAI_CLIENT"
"$OPENAI_CLIENT/bin/pip" install --quiet --only-binary :all: --requirement "$HOST_DIR/python/openai-client.txt"
touch "$OPENAI_CLIENT/complete"
made "$OPENAI_CLIENT"
