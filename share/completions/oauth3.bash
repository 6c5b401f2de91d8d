# bash completion of oauth3, written from its table of commands: do not edit.
_oauth3() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    local command=${COMP_WORDS[1]} verb=${COMP_WORDS[2]}
    local options="" words="" files="" positional_files="" verbs="" known=""
    local IFS=$' \n'
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "execute scope-and-execute scope poll status result cancel signup me history sessions pending show approve deny session trust tenant key invite owner audit policy login-link serve doctor backup restore --help --version" -- "$word"))
        return
    fi
    case $command in
        session) verbs="list show narrow revoke" ;;
        trust) verbs="list revoke" ;;
        tenant) verbs="list create" ;;
        key) verbs="list create revoke" ;;
        invite) verbs="list create" ;;
        owner) verbs="list create" ;;
        audit) verbs="verify" ;;
        scope) verbs="explain check" ;;
        policy) verbs="test" ;;
    esac
    if [ -n "$verbs" ]; then
        if [ "$COMP_CWORD" -eq 2 ] && [ "${word:0:1}" != - ]; then
            COMPREPLY=($(compgen -W "$verbs" -- "$word"))
            return
        fi
        for known in $verbs; do
            [ "$known" != "$verb" ] || command="$command $verb"
        done
    fi
    case $command in
        'execute')
            options="--dry-run --code --skill-url --skill-sha256 --skill-id --session --arg --args --secrets --timeout --raw --bg --no-wait --idempotency-key --url --key-file --key --help"
            case $before in
                --code|--args|--key-file) files=1 ;;
                --skill-url|--skill-sha256|--skill-id|--session|--arg|--secrets|--timeout|--idempotency-key|--url|--key) return ;;
            esac ;;
        'scope-and-execute')
            options="--scope --code --skill-url --skill-sha256 --skill-id --session --arg --args --secrets --timeout --raw --bg --no-wait --idempotency-key --url --key-file --key --help"
            case $before in
                --scope|--code|--args|--key-file) files=1 ;;
                --skill-url|--skill-sha256|--skill-id|--session|--arg|--secrets|--timeout|--idempotency-key|--url|--key) return ;;
            esac ;;
        'scope')
            options="--scope --session --timeout --no-wait --idempotency-key --url --key-file --key --help"
            case $before in
                --scope|--key-file) files=1 ;;
                --session|--timeout|--idempotency-key|--url|--key) return ;;
            esac ;;
        'poll')
            options="--timeout --raw --url --key-file --key --help"
            case $before in
                --key-file) files=1 ;;
                --timeout|--url|--key) return ;;
            esac ;;
        'status')
            options="--url --key-file --key --help"
            case $before in
                --key-file) files=1 ;;
                --url|--key) return ;;
            esac ;;
        'result')
            options="--raw --help"
            positional_files=1
            ;;
        'cancel')
            options="--url --key-file --key --help"
            case $before in
                --key-file) files=1 ;;
                --url|--key) return ;;
            esac ;;
        'signup')
            options="--name --email --invite --url --help"
            case $before in
                --name|--email|--invite|--url) return ;;
            esac ;;
        'me')
            options="--url --key-file --key --help"
            case $before in
                --key-file) files=1 ;;
                --url|--key) return ;;
            esac ;;
        'history')
            options="--limit --before --url --key-file --key --help"
            case $before in
                --key-file) files=1 ;;
                --limit|--before|--url|--key) return ;;
            esac ;;
        'sessions')
            options="--url --key-file --key --help"
            case $before in
                --key-file) files=1 ;;
                --url|--key) return ;;
            esac ;;
        'pending')
            options="--url --owner-key-file --json --help"
            case $before in
                --owner-key-file) files=1 ;;
                --url) return ;;
            esac ;;
        'show')
            options="--backtest --url --owner-key-file --json --help"
            case $before in
                --owner-key-file) files=1 ;;
                --backtest|--url) return ;;
            esac ;;
        'approve')
            options="--level --pin-args --known-code-only --narrow --yes --url --owner-key-file --json --help"
            case $before in
                --level) words="once session 24h forever" ;;
                --narrow|--owner-key-file) files=1 ;;
                --url) return ;;
            esac ;;
        'deny')
            options="--reason --url --owner-key-file --json --help"
            case $before in
                --owner-key-file) files=1 ;;
                --reason|--url) return ;;
            esac ;;
        'session list')
            options="--tenant --url --owner-key-file --key-file --key --json --help"
            case $before in
                --owner-key-file|--key-file) files=1 ;;
                --tenant|--url|--key) return ;;
            esac ;;
        'session show')
            options="--tenant --url --owner-key-file --key-file --key --json --help"
            case $before in
                --owner-key-file|--key-file) files=1 ;;
                --tenant|--url|--key) return ;;
            esac ;;
        'session narrow')
            options="--secrets --networks --max-runs --max-timeout --expires-in --known-code-only --file --tenant --url --owner-key-file --key-file --key --json --help"
            case $before in
                --file|--owner-key-file|--key-file) files=1 ;;
                --secrets|--networks|--max-runs|--max-timeout|--expires-in|--tenant|--url|--key) return ;;
            esac ;;
        'session revoke')
            options="--reason --tenant --url --owner-key-file --key-file --key --json --help"
            case $before in
                --owner-key-file|--key-file) files=1 ;;
                --reason|--tenant|--url|--key) return ;;
            esac ;;
        'trust list')
            options="--tenant --url --owner-key-file --key-file --key --json --help"
            case $before in
                --owner-key-file|--key-file) files=1 ;;
                --tenant|--url|--key) return ;;
            esac ;;
        'trust revoke')
            options="--tenant --url --owner-key-file --key-file --key --json --help"
            case $before in
                --owner-key-file|--key-file) files=1 ;;
                --tenant|--url|--key) return ;;
            esac ;;
        'tenant list')
            options="--url --owner-key-file --json --help"
            case $before in
                --owner-key-file) files=1 ;;
                --url) return ;;
            esac ;;
        'tenant create')
            options="--url --owner-key-file --json --help"
            case $before in
                --owner-key-file) files=1 ;;
                --url) return ;;
            esac ;;
        'key list')
            options="--tenant --url --owner-key-file --json --help"
            case $before in
                --owner-key-file) files=1 ;;
                --tenant|--url) return ;;
            esac ;;
        'key create')
            options="--tenant --own --url --owner-key-file --json --help"
            case $before in
                --owner-key-file) files=1 ;;
                --tenant|--url) return ;;
            esac ;;
        'key revoke')
            options="--url --owner-key-file --json --help"
            case $before in
                --owner-key-file) files=1 ;;
                --url) return ;;
            esac ;;
        'invite list')
            options="--url --owner-key-file --json --help"
            case $before in
                --owner-key-file) files=1 ;;
                --url) return ;;
            esac ;;
        'invite create')
            options="--max-uses --expires-in --owner --url --owner-key-file --json --help"
            case $before in
                --owner-key-file) files=1 ;;
                --max-uses|--expires-in|--owner|--url) return ;;
            esac ;;
        'owner list')
            options="--url --owner-key-file --json --help"
            case $before in
                --owner-key-file) files=1 ;;
                --url) return ;;
            esac ;;
        'owner create')
            options="--url --owner-key-file --json --help"
            case $before in
                --owner-key-file) files=1 ;;
                --url) return ;;
            esac ;;
        'audit')
            options="--limit --before --tenant --request --url --owner-key-file --json --help"
            case $before in
                --owner-key-file) files=1 ;;
                --limit|--before|--tenant|--request|--url) return ;;
            esac ;;
        'audit verify')
            options="--file --url --owner-key-file --json --help"
            case $before in
                --file|--owner-key-file) files=1 ;;
                --url) return ;;
            esac ;;
        'scope explain')
            options="--table --json --help"
            positional_files=1
            ;;
        'scope check')
            options="--scope --code --arg --args --secrets --json --help"
            case $before in
                --scope|--code|--args) files=1 ;;
                --arg|--secrets) return ;;
            esac ;;
        'policy test')
            options="--json --help"
            positional_files=1
            ;;
        'login-link')
            options="--data-dir --json --help"
            case $before in
                --data-dir) files=1 ;;
            esac ;;
        'serve')
            options="--config --listen --public-url --allow-host --cors-origin --tls-cert --tls-key --behind-proxy --data-dir --owner-key-out --signup --approval --allow-insecure-remote --no-auth --approval-ttl --retention --poll-hold --max-pending --parallel --review-command --review-timeout --metrics-listen --log-format --log-level --ready-file --allow-weak-sandbox --deno --help"
            case $before in
                --signup) words="open invite closed" ;;
                --approval) words="owner link" ;;
                --log-format) words="text json" ;;
                --log-level) words="error warning info debug" ;;
                --config|--tls-cert|--tls-key|--data-dir|--owner-key-out|--ready-file|--deno) files=1 ;;
                --listen|--public-url|--allow-host|--cors-origin|--approval-ttl|--retention|--poll-hold|--max-pending|--parallel|--review-command|--review-timeout|--metrics-listen|--allow-weak-sandbox) return ;;
            esac ;;
        'doctor')
            options="--data-dir --deno --json --help"
            case $before in
                --data-dir|--deno) files=1 ;;
            esac ;;
        'backup')
            options="--data-dir --json --help"
            positional_files=1
            case $before in
                --data-dir) files=1 ;;
            esac ;;
        'restore')
            options="--data-dir --json --help"
            positional_files=1
            case $before in
                --data-dir) files=1 ;;
            esac ;;
        *) return ;;
    esac
    [ -z "$positional_files" ] || [ "${word:0:1}" = - ] || files=1
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
