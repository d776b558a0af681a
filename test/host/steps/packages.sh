# Debian packages of the test host.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
source "$HOST_DIR/lib/packages.sh"

packages=(docker.io containerd runc iptables tini debootstrap curl ca-certificates zsh fish openssh-client openssh-server e2fsprogs mount)
python3 -m pip --version >/dev/null 2>&1 || packages+=(python3 python3-pip)
# Debian's Python makes virtual environments only with this package; others bring what it has.
python3 -c 'import ensurepip' >/dev/null 2>&1 || packages+=(python3-venv)

# Tests run its program with keys and a port of their own; the service that the package would start is not wanted.
installed openssh-server || ln --symbolic --force /dev/null /etc/systemd/system/ssh.service
# Tests start servers of their own; the cluster that the package would make is not wanted.
if ! command -v initdb >/dev/null && ! installed postgresql-15; then
  mkdir -p /etc/postgresql-common
  echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  packages+=(postgresql-15)
fi
need_packages "${packages[@]}"
