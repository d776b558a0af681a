# Wheels from PyPI, fetched on the machine because containers may not be able to, and images that have them in a virtual environment.
# Sourced after common.sh and image.sh.

# The Python of DEBIAN_RELEASE, which will run them, whatever the machine's own Python is.
PYTHON_VERSION=3.11
PLATFORMS=(manylinux_2_34_x86_64 manylinux_2_28_x86_64 manylinux_2_17_x86_64 manylinux2014_x86_64)

# fetch_wheels FOLDER REQUIREMENTS [PIP_ARGUMENT...]
fetch_wheels() {
  local folder=$1 requirements=$2 platform arguments=()
  shift 2
  for platform in "${PLATFORMS[@]}"; do arguments+=(--platform "$platform"); done
  python3 -m pip download --quiet --dest "$folder" --only-binary :all: --python-version "$PYTHON_VERSION" "${arguments[@]}" \
    --requirement "$requirements" "$@"
}

# make_python_image REFERENCE REQUIREMENTS [PIP_ARGUMENT...]
make_python_image() {
  local reference=$1 requirements=$2
  shift 2
  local folder
  folder=$CACHE/wheels/$(key_of "$requirements" "$PYTHON_VERSION" "$*")
  if [ ! -d "$folder/wheels" ]; then
    work_folder
    fetch_wheels "$WORK/fetched/wheels" "$requirements" "$@"
    publish "$WORK/fetched" "$folder"
  fi
  make_image "$reference" "$HOST_DIR/images/python" "$BASE_IMAGE" "$folder/wheels"
}
