# Puts a VDUSE device on the vdpa bus and binds it to a driver. Arguments: NAME DRIVER
#
# Run in a process of its own, because every step can wait in the kernel for as long as the device's server takes.
set -eu
name=$1 driver=$2
bus=/sys/bus/vdpa
saved=/run/farblock/drivers_autoprobe

# One helper at a time for each device, also across daemons: a helper outlives the daemon that started it.
exec 8<"/sys/class/vduse/$name"
flock 8

# One at a time on the host: drivers_autoprobe is host-wide, and another attach must not see our 0 as the old value.
mkdir -p /run/farblock
exec 9>/run/farblock/attach.lock
flock 9

# With automatic probing the whole probe of the driver would run inside the netlink call below, under locks that
# freeze generic netlink for the whole host if the server does not answer.
#
# The old value is written down first. If it is there already, a helper was killed before it could put it back.
if [ ! -e "$saved" ]; then
    cat "$bus/drivers_autoprobe" > "$saved.new"
    mv "$saved.new" "$saved"
fi
restore() {
    cat "$saved" > "$bus/drivers_autoprobe"
    rm "$saved"
}
trap restore EXIT
trap 'exit 1' HUP INT TERM
echo 0 > "$bus/drivers_autoprobe"
vdpa dev add name "$name" mgmtdev vduse 9>&-
restore
trap - EXIT
flock -u 9
exec 9>&-

echo "$driver" > "$bus/devices/$name/driver_override"
# Returns when the driver has read the partition table.
echo "$name" > "$bus/drivers_probe"
if [ ! -e "$bus/devices/$name/driver" ]; then
    echo "the driver $driver did not take the device" >&2
    exit 1
fi
