# debian:bookworm, made with debootstrap: the image that every test image starts from. No image registry is asked.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/image.sh"

reference=$BASE_IMAGE
work_folder

# The machine's own way to Debian's packages (sources, and settings such as a proxy) becomes the image's, so that `RUN apt-get` works
# wherever apt works here. Sources of other distributors stay outside: their keys and certificates are not in the image.
apt=$WORK/apt
mkdir -p "$apt"
cd /etc/apt
shopt -s nullglob
files=()
for file in sources.list sources.list.d/*; do
  if grep -sqE "(^|[[:space:]])$DEBIAN_RELEASE([[:space:]]|\$)" "$file"; then files+=("$file"); fi
done
[ ${#files[@]} -gt 0 ] || die "no source of Debian $DEBIAN_RELEASE in /etc/apt"
for file in apt.conf apt.conf.d/*; do
  if grep -sq Acquire "$file"; then files+=("$file"); fi
done
cp --parents --target-directory "$apt" "${files[@]}"

key=$(key_of "$DEBIAN_RELEASE" "$apt" "$HOST_DIR/steps/base-image.sh")
if image_is_made "$reference" "$key"; then
  found "$reference"
  exit
fi

archive=$CACHE/base-image/$key.tar
if [ ! -f "$archive" ]; then
  root=$WORK/root
  mapfile -t mirror < <(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $DEBIAN_RELEASE" 2>/dev/null | head -n 1)
  debootstrap --variant=minbase "$DEBIAN_RELEASE" "$root" "${mirror[@]}"
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root/etc/apt/sources.list"
  cp --recursive "$apt/." "$root/etc/apt/"
  tar --directory "$root" --create --file "$WORK/root.tar" .
  publish "$WORK/root.tar" "$archive"
fi
docker import --change "LABEL $IMAGE_LABEL=$key" --change 'CMD ["bash"]' "$archive" "$reference"
made "$reference"
