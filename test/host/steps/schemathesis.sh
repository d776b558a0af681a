# schemathesis in a virtual environment of its own.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"

if [ -x "$SCHEMATHESIS/bin/schemathesis" ]; then
  found "$SCHEMATHESIS"
  exit
fi
# Where it stays, as its programs name their own folder; what an interrupted run has left is made anew.
rm -rf "$SCHEMATHESIS"
python3 -m venv "$SCHEMATHESIS"
"$SCHEMATHESIS/bin/pip" install --quiet --only-binary :all: --requirement "$HOST_DIR/python/schemathesis.txt"
made "$SCHEMATHESIS"
