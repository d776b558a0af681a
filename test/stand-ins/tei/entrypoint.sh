#!/bin/bash
# As the CUDA images do: no server without a card. The tools that NVIDIA's runtime would bring are not there in tests.
if [ -z "$NVIDIA_VISIBLE_DEVICES" ] || [ "$NVIDIA_VISIBLE_DEVICES" = void ]; then
  echo "Error: 'nvidia-smi' command not found."
  exit 1
fi
exec text-embeddings-router "$@"
