# The stand-in for vLLM: its flags and answers as they were recorded, and the real client of Hugging Face.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/image.sh"
source "$HOST_DIR/lib/python.sh"

stand_in=$REPOSITORY/test/stand-ins/vllm
python=ragdock-test/python-vllm
make_python_image "$python" "$stand_in/requirements.txt"
make_image "$(image_reference vllm)" "$stand_in" "$python" "$REPOSITORY/test/recordings/vllm"
