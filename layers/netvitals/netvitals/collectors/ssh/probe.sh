# The vital signs of this host, in sections that parse.py reads. `sh` gets it on standard input: POSIX shell
# and what every system has, no root; it writes no file and leaves nothing behind.
# The line before it sets N, which marks the sections; S=1 for a second CPU sample, D=1 for none of df;
# R is another root directory, for tests.
# It is one function, so that all of it is read before any of it runs.
netvitals() {
PATH=${PATH:+$PATH:}/usr/bin:/bin:/usr/sbin:/sbin
LC_ALL=C LANG=C TZ=UTC0
export PATH LC_ALL LANG TZ
section() { echo "@@$N $*"; }
# What the host has named: some shells' echo obeys backslashes.
say() { printf '%s\n' "$*"; }
# One line of a file into V, without a process.
line() { V=; [ -r "$1" ] && read -r V <"$1"; }
# timeout of coreutils and of busybox; of busybox before 1.30; none, where the caller's limit has to do.
limited() {
if command -v timeout >/dev/null; then
timeout -s 9 5 "$@"; E=$?
[ $E -lt 125 ] || [ $E -gt 127 ] || { timeout -t 5 -s 9 "$@"; E=$?; }
else
"$@"; E=$?
fi
}
show_df() { section df; limited df "$@"; section exit $E; }

linux() {
section uptime; line "$R/proc/uptime"; echo "$V"
section cpu; line "$R/proc/stat"; echo "$V"
section memory; cat "$R/proc/meminfo"
section cgroup
for i in memory.max memory.current memory/memory.limit_in_bytes memory/memory.usage_in_bytes; do
line "$R/sys/fs/cgroup/$i"; [ "$V" ] && echo "$i $V"
done
sed -n '/^inactive_file/p;/^total_inactive_file/p' "$R/sys/fs/cgroup/memory.stat" "$R/sys/fs/cgroup/memory/memory.stat"
section network; cat "$R/proc/net/dev"
section interfaces
for i in "$R"/sys/class/net/*; do
line "$i/operstate"; s=$V; line "$i/ifindex"; x=$V; line "$i/speed"
[ "$s" ] && say "${i##*/} ${s:--} ${x:--} ${V:--}"
done
section temperature
for i in "$R"/sys/class/hwmon/hwmon*/temp*_input "$R"/sys/class/hwmon/hwmon*/device/temp*_input; do
line "$i"; t=$V; [ "$t" ] || continue
d=${i%/*}; n=${i##*/}; d=${d%/device}; line "$d/name"; s=$V; line "${i%_input}_label"
say "hwmon ${d##*/} ${n%_input} $t ${s:--} $V"
done
for i in "$R"/sys/class/thermal/thermal_zone*; do
line "$i/type"; s=$V; line "$i/temp"
[ "$V" ] && say "zone ${i##*/} temp $V ${s:--}"
done
[ "$S" ] && { sleep 1; section cpu2; line "$R/proc/stat"; echo "$V"; }
[ "$D" ] || local_disks
}

# What /proc/mounts says is on a disk of this host, each source once: bind mounts and subvolumes share one.
local_disks() {
section mounts; set --; c=0; z=' '
while read -r d i t o; do
case $t in nfs*|cifs|smb*|fuse.*|fuse|9p|ceph|gluster*|afs|autofs|lustre|squashfs|erofs|iso9660|udf|devtmpfs|proc|sysfs|rootfs) continue;; esac
case "$d $i $t" in /dev/*|*' / '*|*' zfs'|*' btrfs'|*' bcachefs'|ubi*|*' jffs2'|*' ubifs') ;; *) continue;; esac
case $z in *" $d "*) continue;; esac
case $i in *\\012*) continue;; *\\*) i=$(printf '%s\n' "$i" | sed 's/\\040/ /g;s/\\011/	/g;s/\\134/\\/g');; esac
[ -d "$i" ] || continue
z="$z$d "; c=$((c+1)); [ $c -gt 64 ] && break
set -- "$@" "$i"; say "$t $i"
done <"$R/proc/mounts"
[ $# -gt 0 ] && show_df -kP "$@"
}

bsd() {
section sysctl
case $O in
OpenBSD|NetBSD) sysctl kern.cp_time kern.boottime hw.physmem hw.physmem64 hw.pagesize; vmstat -s;;
Darwin) sysctl kern.boottime hw.memsize;;
*) sysctl kern.cp_time kern.boottime hw.physmem hw.pagesize vm.stats.vm.v_free_count vm.stats.vm.v_inactive_count vm.stats.vm.v_cache_count kstat.zfs.misc.arcstats.size;;
esac
section clock; date +%s
[ $O = Darwin ] && { section vm_stat; vm_stat; }
section netstat; netstat -ibn
[ $O = OpenBSD ] && { section netstat2; netstat -in; }
section ifconfig; ifconfig -a
section temperature
case $O in
OpenBSD) sysctl hw.sensors | sed -n '/\.temp[0-9]*=/p';;
Darwin) ;;
*) sysctl hw.acpi.thermal dev.cpu dev.amdtemp | sed -n '/temperature:/p;/sensor[0-9]*:/p';;
esac
if [ $O = Darwin ]; then
section top; top -l 2 -n 0 -s 1 | sed -n '/^CPU usage/p'
elif [ "$S" ]; then
sleep 1; section cpu2; sysctl kern.cp_time
fi
[ "$D" ] || show_df -kPl
}

echo; O=$(uname -s)
section begin "$O"
case $O in
Linux) linux;;
FreeBSD|DragonFly|OpenBSD|NetBSD|Darwin) bsd;;
esac
section end
}
netvitals </dev/null 2>/dev/null
