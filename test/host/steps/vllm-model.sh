# The folder of a tiny model for the stand-in of vLLM, as users of a machine without internet import theirs.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"

if [ -d "$VLLM_MODEL" ]; then
  found "$VLLM_MODEL"
  exit
fi
work_folder
python3 "$HOST_DIR/python/vllm_model.py" "$WORK/model"
publish "$WORK/model" "$VLLM_MODEL"
made "$VLLM_MODEL"
