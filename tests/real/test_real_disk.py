"""The queue on file systems that are not the kernel's own, by FUSE.

bindfs and ntfs-3g have no files without names and no safe renames; fusefat has
no links either, nor users.  Needs bindfs, ntfs-3g, fusefat and dosfstools
(Debian's packages of these names).  Where the system has no FUSE at all
(/dev/fuse) what such file systems lack is only pretended, by
tests/run/test_disk.py.
"""

import contextlib
import subprocess
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "run"))

from strike import Spool                        # noqa: E402
from test_crash import BOB, MESSAGE, WIRE       # noqa: E402


def image(directory, *command):
    path = directory / "image"
    path.write_bytes(bytes(8 << 20))
    subprocess.run([*command, path], check=True, capture_output=True)
    return path


def bindfs(directory, at):
    source = directory / "source"
    source.mkdir(mode=0o700)
    return ["bindfs", source, at]


def ntfs(directory, at):
    return ["ntfs-3g", "-o", "permissions",
            image(directory, "mkntfs", "-q", "-F", "-f"), at]


def fat(directory, at):
    return ["fusefat", "-o", "rw+",
            image(directory, "mkfs.vfat"), at]


def pytest_generate_tests(metafunc):
    mounts = [bindfs, ntfs, fat] if Path("/dev/fuse").exists() else [None]
    metafunc.parametrize("mount", mounts)


def test_a_file_system_without_unnamed_files(tmp_path, mount):
    with Spool(tmp_path) as spool:
        at = tmp_path / "queue"
        at.mkdir(mode=0o700)
        if mount:
            subprocess.run(mount(tmp_path, at), check=True,
                           capture_output=True)
        try:
            with contextlib.suppress(OSError):  # it may know no modes
                at.chmod(0o700)
            for words in (["-odq", BOB], ["-Q", "wait", BOB], ["-bp"],
                          ["-q"], ["--queue-release", "all"], ["-q"]):
                run = spool.run(words, MESSAGE)
                assert run.code == 0, run
            assert list(at.iterdir()) == []
        finally:
            if mount:
                subprocess.run(["umount", at], check=True)
        assert [m for _, m in spool.got] == [WIRE] * 2
