# The stand-in for text-embeddings-inference, as the image for processors and as the one for graphics cards.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/image.sh"

stand_in=$REPOSITORY/test/stand-ins/tei
make_image "$(image_reference textEmbeddings)" "$stand_in" "$BASE_IMAGE"
make_image "$(image_reference textEmbeddingsCuda)" "$stand_in" "$BASE_IMAGE" CARDS=1
