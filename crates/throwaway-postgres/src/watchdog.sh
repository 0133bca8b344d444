# Keeps watch over one throw-away cluster: makes its folder, waits until whoever started it is gone, then stops what is
# left and removes the folder. Being gone shows as the end of standard input, which comes however a process dies.
# PostgreSQL's programs run in this script's process group, so it can signal them without knowing their ids.
# With two arguments, megabytes and user:group, the data directory is a disk of that size in memory; that takes root.
trap '' HUP INT QUIT TERM PIPE
umask 077
folder=$(mktemp -d /tmp/rowlock-pg-XXXXXX) || exit 1
data=$folder/data
lock=$data/postmaster.pid
if [ -n "$1" ]; then
    mkdir "$data" && mount -t tmpfs -o "size=$1m,mode=0700" rowlock-pg "$data" && chown "$2" "$folder" "$data" || {
        umount -l "$data"
        rm -rf "$folder"
        exit 1
    } 2>/dev/null
fi
echo "$folder"
read -r _

running() { [ -s "$lock" ] && kill -0 "$(head -n 1 "$lock")" 2>/dev/null; }

# QUIT asks for an immediate shutdown; CONT wakes a server that a test has suspended, so that it hears.
kill -QUIT 0
kill -CONT 0
tries=0
while running && [ $tries -lt 200 ]; do
    tries=$((tries + 1))
    sleep 0.05
done

# A server that was killed leaves a segment of shared memory, named in the seventh line of its lock file.
stuck=no
if running; then
    stuck=yes
elif [ -s "$lock" ]; then
    segment=$(sed -n 7p "$lock")
    ipcrm -m "${segment##* }" 2>/dev/null
fi

[ -z "$1" ] || umount -l "$data"
tries=0
until rm -rf "$folder" 2>/dev/null || [ $tries -ge 50 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
[ $stuck = no ] || kill -KILL 0
