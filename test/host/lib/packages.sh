# Debian packages. Sourced after common.sh.

# installed PACKAGE
installed() { [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# need_packages PACKAGE...: apt is asked only when one is missing.
need_packages() {
  local package missing=()
  for package in "$@"; do
    installed "$package" || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    found "$*"
    return
  fi
  export DEBIAN_FRONTEND=noninteractive
  # The package lists on the machine may be absent or too old to find anything with.
  apt-get install -y --no-install-recommends "${missing[@]}" || {
    apt-get update
    apt-get install -y --no-install-recommends "${missing[@]}"
  }
  made "${missing[*]}"
}
