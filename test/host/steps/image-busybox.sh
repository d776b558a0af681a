# The base of the Prometheus project's images.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/image.sh"

make_image ragdock-test/busybox "$HOST_DIR/images/busybox" "$BASE_IMAGE"
