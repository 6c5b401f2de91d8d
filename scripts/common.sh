# Shared by the scripts in this folder; to be sourced, from the top of the project.

say() { printf 'oauth3: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# as_root CMD...: runs a command as root, through sudo for an ordinary user.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else die "need root (or sudo) for: $*"
    fi
}

# missing_packages PKG...: prints those that dpkg does not have installed.
missing_packages() {
    local have
    have=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^ii  *//p') || true
    comm -23 <(printf '%s\n' "$@" | sort -u) <(printf '%s\n' "$have" | sort -u)
}

# apt_lists: package lists are fetched once a run, and only when something has to be installed.
apt_lists() {
    [ -z "${oauth3_apt_updated:-}" ] || return 0
    say "refreshing the package lists"
    as_root apt-get update -q >&2
    oauth3_apt_updated=1
}

# install_packages PKG...: installs the missing ones. A plan that would remove or replace
# anything is refused: the machine belongs to its user.
install_packages() {
    local -a missing
    local plan
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    mapfile -t missing <<<"$missing"
    apt_lists
    plan=$(as_root env LC_ALL=C apt-get install -s --no-install-recommends --no-upgrade "${missing[@]}" 2>&1) ||
        die "apt cannot install: ${missing[*]}"$'\n'"$plan"
    if grep -q '^Remv ' <<<"$plan"; then
        die "installing ${missing[*]} would remove packages; nothing was changed:"$'\n'"$(grep '^Remv ' <<<"$plan")"
    fi
    say "installing: ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends --no-upgrade \
        "${missing[@]}" >&2
}

# build PRESET [TARGET...]: configures (once) and builds into build/PRESET.
build() {
    local preset=$1
    shift
    if [ ! -f "build/$preset/build.ninja" ]; then
        say "configuring build/$preset"
        cmake --preset "$preset" >"build/$preset.log" 2>&1 || { cat "build/$preset.log" >&2; die "configuring failed"; }
    fi
    say "building build/$preset"
    cmake --build "build/$preset" --target "${@:-all}" >&2 || die "building failed"
}
