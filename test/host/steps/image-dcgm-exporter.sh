# The stand-in for NVIDIA's exporter of graphics cards.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/image.sh"

make_image "$(image_reference dcgmExporter)" "$REPOSITORY/test/stand-ins/dcgm" "$BASE_IMAGE"
