# Terraform: the machine's own, or one built from its Go module.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/go.sh"

LINK=/usr/local/bin/terraform

if [ -n "$(command -v terraform)" ]; then
  found "$(CHECKPOINT_DISABLE=1 terraform version -json | sed -nE 's/.*"terraform_version": "([^"]*)".*/\1/p')"
  exit
fi

build_terraform() {
  # Without the variable it would call itself a development build.
  go build -C "$HOST_DIR/terraform" -trimpath -ldflags '-s -w -X github.com/hashicorp/terraform/version.dev=no' \
    -o "$OUT/terraform" github.com/hashicorp/terraform
}
folder=$CACHE/terraform/$(key_of "$HOST_DIR/terraform/go.mod" "$HOST_DIR/terraform/go.sum")
build_once "$folder" build_terraform
ln -sf "$folder/terraform" "$LINK"
