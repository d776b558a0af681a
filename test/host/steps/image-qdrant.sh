# The stand-in for Qdrant: its HTTP interface around Qdrant's own engine, which a wheel carries.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/image.sh"
source "$HOST_DIR/lib/python.sh"

stand_in=$REPOSITORY/test/stand-ins/qdrant
python=ragdock-test/python-qdrant
make_python_image "$python" "$stand_in/requirements.txt"
make_image "$(image_reference qdrant)" "$stand_in" "$python"
