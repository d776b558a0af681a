# The exporter of PostgreSQL, from Debian's package, which is older than the tag says.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/image.sh"

make_image "$(image_reference postgresExporter)" "$HOST_DIR/images/postgres-exporter" ragdock-test/busybox "DEBIAN=$BASE_IMAGE"
