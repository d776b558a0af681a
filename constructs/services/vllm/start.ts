/**
 * Takes the place of the image's entrypoint. The server has no flag for a key's file and serves everybody when the key
 * is empty. It prints every flag it was given into its log, those of a `--config` file included, so the key goes by the
 * one way that it does not print: a variable that only processes of this container's user can see.
 */
export const START = `
key_file="$1"; shift
VLLM_API_KEY="$(cat "$key_file")" || VLLM_API_KEY=""
[ -n "$VLLM_API_KEY" ] || { echo "the key file $key_file is missing or empty: refusing to run without authentication" >&2; exit 78; }
export VLLM_API_KEY
exec vllm serve "$@"
`.trim();
