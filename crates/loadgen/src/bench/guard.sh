# Runs a program that ends with whoever started it, however that one ends: standard input, which it holds open, ends then.
# The first line on standard output is the program's process id; this shell ends when the program does.
"$@" >&2 &
program=$!
echo "$program"
# What it says about its jobs is of no use to anybody.
exec 2>/dev/null
exec 3<&0
{ read -r _ <&3; kill -KILL "$program"; } &
reader=$!
wait "$program"
kill -KILL "$reader"
