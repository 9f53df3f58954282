# Sourced by up, down, servers and cell: where everything lies, and the one test of whether a process is ours.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export LAB_SOURCE=$here
LAB=$(realpath -m "${GALLERIST_LAB:-$here/../../target/openstack}")
export LAB
export LAB_ETC=$LAB/etc
# A block of ports, so that a second lab needs only another directory and another number.
port=${GALLERIST_LAB_PORT:-$(cat "$LAB/etc/port" 2>/dev/null || echo 28000)}
export PORT_KEYSTONE=$port PORT_GLANCE=$((port + 1)) PORT_GLANCE2=$((port + 2)) PORT_PLACEMENT=$((port + 3))
export PORT_NOVA=$((port + 4)) PORT_CINDER=$((port + 5)) PORT_NEUTRON=$((port + 6))
export ADMIN_PASSWORD=adminpw USER_PASSWORD=userpw SERVICE_PASSWORD=servicepw
socket=$LAB/run/mysql.sock
# The second cell is reached through a socket path of its own, so that it alone can go away.
export SOCKET=$socket SOCKET_CELL2=$LAB/run/cell2.sock
venv=$LAB/venv
python=$venv/bin/python
export PATH=$LAB/bin:$venv/bin:$PATH TMPDIR=$LAB/tmp
export PYTHONWARNINGS=ignore PYTHONPYCACHEPREFIX=$LAB/cache/pyc
# Nothing may go through a proxy, nor to another cloud that the caller's environment names.
export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost
for variable in ${!OS_@}; do unset "$variable"; done
# In the order of their start; `down` goes backwards.
programs='db keystone placement glance glance2 nova cinder'

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

pid_of() { cat "$LAB/run/$1.pid" 2>/dev/null; }

# A process id may have been given to somebody else since: ours carry LAB_PROGRAM in their environment.
alive() {
    local pid
    pid=$(pid_of "$1") && [ -n "$pid" ] && [ -r "/proc/$pid/environ" ] || return 1
    { tr '\0' '\n' <"/proc/$pid/environ"; } 2>/dev/null | grep -qxF "LAB_PROGRAM=$LAB:$1"
}
