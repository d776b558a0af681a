/**
 * A function for start scripts, in the language of every shell: `newest PATH` prints the path of the newest version of a
 * secret, the file PATH.vN with the highest N. Where there is none, or it is empty, it says so and fails with 78.
 */
export const NEWEST_VERSION = `
newest() {
  version=0
  for file in "$1".v*; do
    case "\${file##*.v}" in *[!0-9]*) continue ;; esac
    [ "\${file##*.v}" -le "$version" ] || version="\${file##*.v}"
  done
  [ -s "$1.v$version" ] || { echo "the secret $1.vN is missing or empty: refusing to start" >&2; exit 78; }
  echo "$1.v$version"
}
`.trim();
