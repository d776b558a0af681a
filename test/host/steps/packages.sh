# Debian packages of the test host. apt is asked only when one is missing.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"

packages=(docker.io containerd runc iptables tini debootstrap curl ca-certificates zsh fish)
python3 -m pip --version >/dev/null 2>&1 || packages+=(python3 python3-pip)
# Debian's Python makes virtual environments only with this package; others bring what it has.
python3 -c 'import ensurepip' >/dev/null 2>&1 || packages+=(python3-venv)

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done

if [ ${#missing[@]} -eq 0 ]; then
  found "${packages[*]}"
  exit
fi

export DEBIAN_FRONTEND=noninteractive
# The package lists on the machine may be absent or too old to find anything with.
apt-get install -y --no-install-recommends "${missing[@]}" || {
  apt-get update
  apt-get install -y --no-install-recommends "${missing[@]}"
}
made "${missing[*]}"
