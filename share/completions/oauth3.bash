# bash completion of oauth3, written from its table of commands: do not edit.
_oauth3() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    local options="" words="" files=""
    local IFS=$' \n'
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "execute scope-and-execute poll status cancel signup pending show approve deny serve --help --version" -- "$word"))
        return
    fi
    case ${COMP_WORDS[1]} in
        execute)
            options="--code --skill-id --session --arg --args --secrets --timeout --idempotency-key --url --key-file --key --help"
            case $before in
                --code|--args|--key-file) files=1 ;;
                --skill-id|--session|--arg|--secrets|--timeout|--idempotency-key|--url|--key) return ;;
            esac ;;
        scope-and-execute)
            options="--scope --code --skill-id --session --arg --args --secrets --timeout --idempotency-key --url --key-file --key --help"
            case $before in
                --scope|--code|--args|--key-file) files=1 ;;
                --skill-id|--session|--arg|--secrets|--timeout|--idempotency-key|--url|--key) return ;;
            esac ;;
        poll)
            options="--timeout --url --key-file --key --help"
            case $before in
                --key-file) files=1 ;;
                --timeout|--url|--key) return ;;
            esac ;;
        status)
            options="--url --key-file --key --help"
            case $before in
                --key-file) files=1 ;;
                --url|--key) return ;;
            esac ;;
        cancel)
            options="--url --key-file --key --help"
            case $before in
                --key-file) files=1 ;;
                --url|--key) return ;;
            esac ;;
        signup)
            options="--url --help"
            case $before in
                --url) return ;;
            esac ;;
        pending)
            options="--url --owner-key-file --json --help"
            case $before in
                --owner-key-file) files=1 ;;
                --url) return ;;
            esac ;;
        show)
            options="--url --owner-key-file --json --help"
            case $before in
                --owner-key-file) files=1 ;;
                --url) return ;;
            esac ;;
        approve)
            options="--level --yes --url --owner-key-file --json --help"
            case $before in
                --level) words="once session" ;;
                --owner-key-file) files=1 ;;
                --url) return ;;
            esac ;;
        deny)
            options="--reason --url --owner-key-file --json --help"
            case $before in
                --owner-key-file) files=1 ;;
                --reason|--url) return ;;
            esac ;;
        serve)
            options="--listen --data-dir --owner-key-out --ready-file --deno --approval-ttl --poll-hold --max-pending --parallel --help"
            case $before in
                --data-dir|--owner-key-out|--ready-file|--deno) files=1 ;;
                --listen|--approval-ttl|--poll-hold|--max-pending|--parallel) return ;;
            esac ;;
        *) return ;;
    esac
    if [ -n "$files" ]; then
        IFS=$'\n'
        compopt -o filenames 2>/dev/null
        COMPREPLY=($(compgen -f -- "$word"))
    elif [ -n "$words" ]; then
        COMPREPLY=($(compgen -W "$words" -- "$word"))
    elif [ "${word:0:1}" = - ]; then
        COMPREPLY=($(compgen -W "$options" -- "$word"))
    fi
}
complete -F _oauth3 oauth3
