# Alertmanager, from the binaries that steps/alertmanager.sh builds.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/image.sh"

reference=$(image_reference alertmanager)
binaries=$CACHE/alertmanager/${reference##*:}
make_image "$reference" "$HOST_DIR/images/alertmanager" ragdock-test/busybox "$binaries/alertmanager" "$binaries/amtool"
