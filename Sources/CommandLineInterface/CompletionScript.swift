/// What a shell reads to complete our command lines: a few lines that ask the program itself, so that they never grow old.
package enum CompletionScript: String, Sendable, CaseIterable {
    case bash, zsh, fish

    package var text: String {
        switch self {
        case .bash: Self.bashText
        case .zsh: Self.zshText
        case .fish: Self.fishText
        }
    }

    private static let bashText = """
        # bash completion for argoexec; to be read with: source <(argoexec completion bash)
        _argoexec() {
            local IFS=$'\\n' current=${COMP_WORDS[COMP_CWORD]} words=() answer=() index line
            # For bash a word ends at `=`, for the program it does not.
            for ((index = 1; index <= COMP_CWORD; index++)); do
                if [[ ${#words[@]} -gt 0 && ${words[-1]} == --* && ( ${COMP_WORDS[index]} == = || ${words[-1]} == *= ) ]]; then
                    words[-1]+=${COMP_WORDS[index]}
                else
                    words+=("${COMP_WORDS[index]}")
                fi
            done
            [[ $current == = ]] && current=
            mapfile -t answer < <("${COMP_WORDS[0]}" completion candidates -- "${words[@]}" 2>/dev/null)
            COMPREPLY=()
            case ${answer[0]-} in
                files) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")) ;;
                folders) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$current")) ;;
            esac
            for line in "${answer[@]:1}"; do
                line=${line%%$'\\t'*}
                [[ ${words[-1]} == --*=* ]] && line=${line#*=}
                COMPREPLY+=("$line")
            done
        }
        complete -F _argoexec argoexec

        """

    private static let zshText = """
        #compdef argoexec
        # zsh completion for argoexec; to be read with: source <(argoexec completion zsh)
        _argoexec() {
            local -a answer items
            local line
            answer=("${(@f)$("${(Q)words[1]}" completion candidates -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
            for line in "${(@)answer[2,-1]}"; do
                items+=("${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}")
            done
            (( ${#items} )) && _describe -t words argoexec items
            [[ $PREFIX == --*=* ]] && compset -P '*='
            case ${answer[1]} in
                files) _files ;;
                folders) _files -/ ;;
            esac
        }
        if [[ ${funcstack[1]} == _argoexec ]]; then _argoexec "$@"; else compdef _argoexec argoexec; fi

        """

    private static let fishText = """
        # fish completion for argoexec; to be read with: argoexec completion fish | source
        function __argoexec_complete
            set -l before (commandline -opc)
            set -l current (commandline -ct)
            set -l answer ($before[1] completion candidates -- $before[2..-1] "$current" 2>/dev/null)
            set -l flag (string match -r -- '^--[^=]*=' "$current")
            set -l begun (string replace -r -- '^--[^=]*=' '' "$current" | string unescape)
            switch "$answer[1]"
                case files
                    for path in (__fish_complete_path "$begun")
                        echo "$flag$path"
                    end
                case folders
                    for path in (__fish_complete_directories "$begun" '')
                        echo "$flag$path"
                    end
            end
            printf '%s\\n' $answer[2..-1]
        end
        complete -c argoexec -f -a '(__argoexec_complete)'

        """
}
