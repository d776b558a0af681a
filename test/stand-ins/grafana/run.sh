#!/bin/bash -e
# Puts what GF_NAME__FILE points at into GF_NAME, then serves. Both at once are refused.
for variable in $(env | sed -nE 's/^(GF_[A-Z0-9_]+)__FILE=.*/\1/p'); do
  file_variable=${variable}__FILE
  if [ -n "${!variable:-}" ]; then
    echo "ERROR: both $variable and $file_variable are set; set one" >&2
    exit 1
  fi
  export "$variable=$(<"${!file_variable}")"
  unset "$file_variable"
done

[ -w "$GF_PATHS_DATA" ] || echo "GF_PATHS_DATA='$GF_PATHS_DATA' is not writable." >&2
exec python3 -m stand_in
