# The binary of node_exporter, from its Go module.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/go.sh"
source "$HOST_DIR/lib/image.sh"

reference=$(image_reference nodeExporter)
tag=${reference##*:}

build_node_exporter() {
  GOBIN=$OUT go install -trimpath -ldflags "-s -w -X github.com/prometheus/common/version.Version=${tag#v}" \
    "github.com/prometheus/node_exporter@$tag"
}
build_once "$CACHE/node-exporter/$tag" build_node_exporter
