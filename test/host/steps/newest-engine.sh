# The newest Docker engine, from its Go modules: dockerd and docker-proxy, containerd with its shim, and runc.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/go.sh"
source "$HOST_DIR/lib/packages.sh"

# runc alone is not pure Go: it asks the kernel for seccomp filters through this library.
need_packages gcc libc6-dev libseccomp-dev pkg-config

build_engine() {
  local flags=(-trimpath -ldflags '-s -w')
  export GOBIN=$OUT
  go install -trimpath -ldflags "-s -w -X github.com/moby/moby/v2/dockerversion.Version=$MOBY_VERSION" \
    "github.com/moby/moby/v2/cmd/dockerd@v$MOBY_VERSION" \
    "github.com/moby/moby/v2/cmd/docker-proxy@v$MOBY_VERSION"
  go install "${flags[@]}" \
    "github.com/containerd/containerd/v2/cmd/containerd@v$CONTAINERD_VERSION" \
    "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2@v$CONTAINERD_VERSION"
  CGO_ENABLED=1 go install "${flags[@]}" -tags seccomp "github.com/opencontainers/runc@v$RUNC_VERSION"
}
build_once "$NEWEST_ENGINE" build_engine
