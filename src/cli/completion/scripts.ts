/** The shells that completion is made for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

// A script asks the ragdock that is typed for what may come next: `ragdock complete -- WORDS`. The first line of the
// answer says whether that is a file, which the shell completes itself, or one of the words that follow, each with a
// tab and what it means.

const BASH = `# Completion of ragdock for bash. In ~/.bashrc: eval "$(ragdock completion bash)"
_ragdock() {
  local kind word hint
  COMPREPLY=()
  {
    read -r kind
    while IFS=$'\\t' read -r word hint; do COMPREPLY+=("$word"); done
  } < <("$1" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null </dev/null)
  if [ "$kind" = files ]; then
    # Readline completes files when there are no words; old versions of bash cannot be told to.
    compopt -o default 2>/dev/null ||
      while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$2")
  fi
}
complete -F _ragdock ragdock
`;

const ZSH = `#compdef ragdock
# Completion of ragdock for zsh. In ~/.zshrc: eval "$(ragdock completion zsh)"
_ragdock() {
  local kind word hint
  local -a candidates
  {
    read -r kind
    while IFS=$'\\t' read -r word hint; do candidates+=("\${word//:/\\\\:}\${hint:+:$hint}"); done
  } < <("\${words[1]}" complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null </dev/null)
  if [[ $kind == files ]]; then
    _files
  elif (( $#candidates )); then
    _describe ragdock candidates
  fi
}
if [[ \${funcstack[1]} == _ragdock ]]; then
  _ragdock "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _ragdock ragdock
fi
`;

const FISH = `# Completion of ragdock for fish. In ~/.config/fish/config.fish: ragdock completion fish | source
function __ragdock_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l begun (commandline --current-token --cut-at-cursor)
    set -l answer ($words[1] complete -- $words[2..] "$begun" 2>/dev/null </dev/null)
    if test "$answer[1]" = files
        __fish_complete_path "$begun"
    else
        string join -- \\n $answer[2..]
    end
end
complete --command ragdock --no-files --arguments '(__ragdock_complete)'
`;

/** The script that a shell reads to complete the command lines of ragdock. */
export const completionScript = (shell: Shell): string => ({ bash: BASH, zsh: ZSH, fish: FISH })[shell];
