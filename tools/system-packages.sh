#!/bin/sh
# The servers and tools the tests talk to, from Debian's packages: as root this installs what is missing, otherwise it says what to install.
# No service is started: the tests start their own, on free loopback ports, and stop them again. `--check` only looks.
set -eu

# command that proves it : package
wanted='
mosquitto:mosquitto
redis-server:redis-server
/lib/nut/upsd:nut-server
/lib/nut/dummy-ups:nut-server
upsc:nut-client
snmpsimd:snmpsim
sipp:sip-tester
kamailio:kamailio
prometheus:prometheus
prometheus-node-exporter:prometheus-node-exporter
zabbix_agent2:zabbix-agent2
promtool:prometheus
prometheus-alertmanager:prometheus-alertmanager
amtool:prometheus-alertmanager
chromium-headless-shell:chromium-headless-shell
/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc:fonts-noto-cjk
strace:strace
systemd-analyze:systemd
ip:iproute2
nft:nftables
'

is_there() {
    case $1 in
    *.ttc) [ -e "$1" ] ;;
    /*) [ -x "$1" ] ;;
    *) PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1 ;;
    esac
}

missing_packages() {
    for line in $wanted; do
        is_there "${line%:*}" || echo "${line#*:}"
    done | sort -u | tr '\n' ' '
}

missing=$(missing_packages)
[ -n "$missing" ] || exit 0
command="apt-get install --no-install-recommends $missing"

if [ "${1:-}" = --check ] || [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    {
        echo "The tests need what is not on this machine: $missing"
        echo "  as root on Debian or Ubuntu:  $command"
        echo "  elsewhere: install the same programs by your system's own means and put them on PATH"
    } >&2
    exit 1
fi

# Debian starts a service as soon as its package is configured, unless policy-rc.d says 101 (man invoke-rc.d). Ours says so while
# we install; whatever stood there before comes back afterwards.
policy=/usr/sbin/policy-rc.d
kept=$policy.seatwatch-kept
restore() {
    rm -f "$policy"
    if [ -e "$kept" ]; then mv "$kept" "$policy"; fi
}
trap restore EXIT
trap 'exit 130' INT TERM
if [ -e "$policy" ] && [ ! -e "$kept" ]; then mv "$policy" "$kept"; fi
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

echo "Installing from Debian's packages, without starting any service: $missing"
log=$(mktemp)
# shellcheck disable=SC2086 -- one word per package
if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    echo "Could not install them; by hand: $command" >&2
    exit 1
fi
rm -f "$log"

still=$(missing_packages)
if [ -n "$still" ]; then
    echo "Installed, yet not found afterwards: $still" >&2
    exit 1
fi
