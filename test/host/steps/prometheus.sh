# The binaries of Prometheus, from its Go module, whose versions count otherwise: v3.16.0 is the module's v0.316.0.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/go.sh"
source "$HOST_DIR/lib/image.sh"

reference=$(image_reference prometheus)
tag=${reference##*:}
IFS=. read -r major minor patch <<<"${tag#v}"
module=$(printf 'v0.%d%02d.%d' "$major" "$minor" "$patch")

# Without the service discoveries of clouds and clusters, which are most of the compile time; static, file, http, dns and docker stay.
TAGS=netgo,remove_all_sd,enable_dns_sd,enable_moby_sd

build_prometheus() {
  local command
  for command in prometheus promtool; do
    GOBIN=$OUT go install -trimpath -tags "$TAGS" -ldflags "-s -w -X github.com/prometheus/common/version.Version=${tag#v}" \
      "github.com/prometheus/prometheus/cmd/$command@$module"
  done
}
build_once "$CACHE/prometheus/$tag" build_prometheus
