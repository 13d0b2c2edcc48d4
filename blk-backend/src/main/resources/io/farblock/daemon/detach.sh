# Takes a VDUSE device off the vdpa bus. Arguments: NAME
#
# Run in a process of its own: unbinding waits until every request of the device has been answered. The daemon that
# answers them must be alive.
set -eu
name=$1
device=/sys/bus/vdpa/devices/$name

# After any helper that is still at work on this device, even one of a daemon that has died: while its unbinding waits,
# the driver's link is gone already, and the netlink call below would wait in its place, with locks of the whole host.
exec 8<"/sys/class/vduse/$name"
flock 8

if [ -e "$device/driver" ]; then
    # First the slow part, which blocks nobody else.
    echo "$name" > "$device/driver/unbind"
fi
if [ -e "$device" ]; then
    # Then the netlink call, which holds locks of the whole host and has nothing left to wait for.
    vdpa dev del "$name"
fi
