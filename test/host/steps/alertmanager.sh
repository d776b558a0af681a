# The binaries of Alertmanager, from its Go module. The module has no built web pages, which the program embeds: one page of ours stands
# in for them. Everything else is the software itself.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/go.sh"
source "$HOST_DIR/lib/image.sh"

reference=$(image_reference alertmanager)
tag=${reference##*:}
module=github.com/prometheus/alertmanager

build_alertmanager() {
  local source=$WORK/source
  # `sum` of the answer was held against the checksum database.
  cp --recursive "$(go mod download -json "$module@$tag" | sed -nE 's/^\s*"Dir": "(.*)",?$/\1/p')" "$source"
  chmod -R u+w "$source"
  mkdir "$source/ui/app/dist"
  gzip -9 --no-name >"$source/ui/app/dist/index.html.gz" <<<'<!doctype html><title>Alertmanager</title><p>Built without its web pages; the API is complete.'
  go build -C "$source" -trimpath -ldflags "-s -w -X github.com/prometheus/common/version.Version=${tag#v}" \
    -o "$OUT/" ./cmd/alertmanager ./cmd/amtool
}
build_once "$CACHE/alertmanager/$tag" build_alertmanager
