# The stand-in for Grafana: its provisioning and the part of its API that is asked for.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/image.sh"
source "$HOST_DIR/lib/python.sh"

stand_in=$REPOSITORY/test/stand-ins/grafana
python=ragdock-test/python-grafana
make_python_image "$python" "$stand_in/requirements.txt"
make_image "$(image_reference grafana)" "$stand_in" "$python"
