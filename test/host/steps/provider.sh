# The Terraform docker provider, built from its Go module (Terraform's registry is not asked), in a filesystem mirror that
# Terraform's configuration points at.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/go.sh"

MARKER='# Written by test/host/setup.'

key=$(key_of "$HOST_DIR/provider/go.mod" "$HOST_DIR/provider/go.sum")
mirror=$CACHE/provider/$key
package=registry.terraform.io/kreuzwerker/docker/$PROVIDER_VERSION/linux_amd64

build_provider() {
  mkdir -p "$OUT/$package"
  go build -C "$HOST_DIR/provider" -trimpath -ldflags '-s -w' \
    -o "$OUT/$package/terraform-provider-docker_v$PROVIDER_VERSION" github.com/terraform-providers/terraform-provider-docker
}
build_once "$mirror" build_provider

# A file of the user's is never overwritten.
configuration=${TF_CLI_CONFIG_FILE:-$HOME/.terraformrc}
if [ -e "$configuration" ] && [ "$(head -n 1 "$configuration")" != "$MARKER" ]; then
  found "provider $PROVIDER_VERSION in $mirror; $configuration is not ours and is left alone: point its filesystem_mirror there"
  exit
fi
cat >"$configuration" <<EOF
$MARKER
provider_installation {
  filesystem_mirror {
    path = "$mirror"
  }
}
disable_checkpoint = true
EOF
