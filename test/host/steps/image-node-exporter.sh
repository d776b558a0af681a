# node_exporter, from the binary that steps/node-exporter.sh builds.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/image.sh"

reference=$(image_reference nodeExporter)
make_image "$reference" "$HOST_DIR/images/node-exporter" ragdock-test/busybox "$CACHE/node-exporter/${reference##*:}/node_exporter"
