# Prometheus, from the binaries that steps/prometheus.sh builds.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/image.sh"

reference=$(image_reference prometheus)
binaries=$CACHE/prometheus/${reference##*:}
make_image "$reference" "$HOST_DIR/images/prometheus" ragdock-test/busybox "$binaries/prometheus" "$binaries/promtool"
