# Builds from Go modules, verified by the checksum database as for any Go user. Sourced after common.sh.

# The toolchain of the machine is used, never one that go would download by itself.
export GOTOOLCHAIN=local GOFLAGS=-buildvcs=false GOWORK=off CGO_ENABLED=0

# build_once TARGET COMMAND...: runs COMMAND with OUT set to a new folder, and publishes that folder as TARGET, unless it is there.
# Reports how it went.
build_once() {
  local target=$1
  shift
  if [ -d "$target" ]; then
    found "${target#"$CACHE/"}"
    return
  fi
  work_folder
  OUT=$WORK/out
  mkdir "$OUT"
  "$@"
  publish "$OUT" "$target"
  made "${target#"$CACHE/"}"
}
