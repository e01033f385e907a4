# bash completion for convref: verbs, options, and the names that follow them.   Installed by `make install`.
#
# No list is kept here: verbs and options are read from --help, kernels from `convref list`, networks and checks from what
# the program prints.

_convref_names() {
    case $1 in
    verb) "$2" --help 2>/dev/null | sed -n '/^Verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p' ;;
    option) "$2" "$3" --help 2>/dev/null | sed -n 's/^ *\(-., \)\{0,1\} *\(--[a-z-]*=\{0,1\}\).*/\2/p' ;;
    kernel) "$2" list --format=tsv 2>/dev/null | sed -n '2,$s/\t.*//p' ;;
    experiment) "$2" experiment --list --format=tsv 2>/dev/null | sed -n '2,$s/\t.*//p'; echo all ;;
    check) "$2" verify --checks 2>/dev/null | sed -n 's/^\([a-z]*\)  *sees.*/\1/p' ;;
    network) ls "${CONVREF_NETWORKS:-$(dirname "$(command -v "$2")")/../share/convref/networks}" 2>/dev/null |
        sed -n 's/\.net$//p' ;;
    esac
}

_convref() {
    local program=${COMP_WORDS[0]} verb=${COMP_WORDS[1]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    local what=
    COMPREPLY=()
    [ "$before" = = ] && before=${COMP_WORDS[COMP_CWORD-2]}
    [ "$word" = = ] && word=
    if [ "$COMP_CWORD" = 1 ]; then
        what=verb
    else
        case $before in
        -k | --kernel) what=kernel ;;
        -n | --network | --grouped) what=network ;;
        --check) what=check ;;
        -f | --format) COMPREPLY=($(compgen -W 'text json tsv markdown' -- "$word")); return ;;
        --isa) COMPREPLY=($(compgen -W 'baseline avx2 avx512' -- "$word")); return ;;
        *)
            case $word,$verb in
            -*) what=option ;;
            *,show | *,list) what=kernel ;;
            *,count) what=network ;;
            *,experiment) what=experiment ;;
            *,plot) COMPREPLY=($(compgen -W 'speedup roofline ratio networks experiment groups' -- "$word")) ;;
            esac ;;
        esac
    fi
    [ -n "$what" ] && COMPREPLY+=($(compgen -W "$(_convref_names "$what" "$program" "$verb")" -- "$word"))
    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
    return 0
}

complete -o default -F _convref convref
