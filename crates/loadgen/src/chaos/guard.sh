# Keeps watch over the programs of one chaos run: makes their folder, waits until loadgen is gone, then removes the folder
# and kills whatever still runs in this script's process group, where all of them are. Being gone shows as the end of
# standard input, which comes however a process dies. A line on it says that the folder is to be kept.
trap '' HUP INT QUIT TERM PIPE
umask 077
folder=$(mktemp -d "${TMPDIR:-/tmp}/rowlock-chaos-XXXXXX") || exit 1
echo "$folder"
keep=no
while read -r _; do
    keep=yes
done
[ $keep = yes ] || rm -rf "$folder"
kill -KILL 0
