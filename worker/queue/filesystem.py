"""The file system under a database: one on a network is refused, since the write-ahead log cannot work there.

All processes that use a file in WAL mode must be on one host, because they share its index in memory
(https://sqlite.org/wal.html). Containers that share a volume of their host are on one host.
"""

from __future__ import annotations

from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
NETWORK = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "gfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4",
    "ocfs2", "orangefs", "smb2", "smb3", "smbfs",
})  # fmt: skip
# File systems in user space are `fuse` or `fuse.NAME`; these are networks.
FUSE_NETWORK = (
    "sshfs",
    "s3fs",
    "rclone",
    "gcsfuse",
    "glusterfs",
    "ceph",
    "davfs",
    "curlftpfs",
    "smbnetfs",
    "goofys",
)


def network_kind(path: Path) -> str | None:
    """The kind of network file system that the path is on, or will be; None: a local one, or not known here.

    Args:
        path: need not exist.
    """
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None  # no Linux: nothing tells it without running a program
    resolved = path.resolve()
    above = {resolved, *resolved.parents}
    deepest, kind = -1, ""
    for line in lines:
        # https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
        mount, _, rest = line.partition(" - ")
        fields = mount.split(" ")
        if len(fields) < 5 or not rest:
            continue
        point = Path(_plain(fields[4]))
        # The last of several mounts on one point hides the others.
        if point in above and len(point.parts) >= deepest:
            deepest, kind = len(point.parts), rest.split(" ")[0].lower()
    family, _, name = kind.partition(".")
    on_network = kind in NETWORK or (family == "fuse" and name.startswith(FUSE_NETWORK))
    return kind if on_network else None


def _plain(field: str) -> str:
    """Blank, tab, newline and backslash are written as octal numbers."""
    for code, sign in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, sign)
    return field
