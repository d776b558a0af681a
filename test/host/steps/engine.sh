# The Docker engine, running.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"

# systemd shares the mounts of a host; a machine without it does not, and then no container can follow them (rslave).
mount --make-rshared /

"$HOST_DIR/daemon" start
