# Test images: the references of constructs/images.ts, and builds that are skipped when the engine has the image already.
# Sourced after common.sh.

IMAGE_LABEL=ragdock.test-image
BASE_IMAGE=debian:$DEBIAN_RELEASE

# image_reference KEY: the reference that constructs/images.ts gives to KEY.
image_reference() {
  local reference
  reference=$(sed -nE "s/^ +$1: '([^']+)',\$/\1/p" "$REPOSITORY/constructs/images.ts")
  [ -n "$reference" ] || die "constructs/images.ts has no line of the form \"  $1: 'name:tag',\""
  printf '%s\n' "$reference"
}

# image_key REFERENCE: the key that the image was built under; empty when the engine does not have it.
image_key() { docker image inspect --format "{{index .Config.Labels \"$IMAGE_LABEL\"}}" "$1" 2>/dev/null || true; }

# image_is_made REFERENCE KEY
image_is_made() { [ "$(image_key "$1")" = "$2" ]; }

# make_image REFERENCE FOLDER BASE [ITEM...]: builds FOLDER on the image BASE, unless that has been done. An ITEM is a build argument
# (NAME=VALUE), or the path of a file or folder that goes along under its own name; paths of the cache say what an artefact is made from.
make_image() {
  local reference=$1 folder=$2 base=$3 item key
  shift 3
  key=$(key_of "$reference" "$folder" "$(image_key "$base")" "${@/#$CACHE\//cached:}")
  if image_is_made "$reference" "$key"; then
    found "$reference"
    return
  fi
  work_folder
  cp --recursive "$folder" "$WORK/context"
  local arguments=(--build-arg "BASE=$base")
  for item in "$@"; do
    case "$item" in
      "$CACHE"/*) cp --recursive --link "$item" "$WORK/context/" ;;
      /*) cp --recursive "$item" "$WORK/context/" ;;
      *) arguments+=(--build-arg "$item") ;;
    esac
  done
  # The classic builder: it needs no plug-in of the client, and its cache lives in the engine's data folder.
  DOCKER_BUILDKIT=0 docker build --tag "$reference" --label "$IMAGE_LABEL=$key" "${arguments[@]}" "$WORK/context"
  made "$reference"
}
