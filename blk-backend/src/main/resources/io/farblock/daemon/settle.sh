# Waits until no helper is at work on a VDUSE device any more. Arguments: NAME
set -eu
exec 8<"/sys/class/vduse/$1"
flock 8
