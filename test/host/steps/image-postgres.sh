# PostgreSQL, from Debian's package. Debian follows the minor releases: what is in the image is newer than the tag says at times.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/image.sh"

reference=$(image_reference postgres)
[[ ${reference##*:} == 15.* ]] || die "constructs/images.ts says $reference, but images/postgres is PostgreSQL 15"

make_image "$reference" "$HOST_DIR/images/postgres" "$BASE_IMAGE"
