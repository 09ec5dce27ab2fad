/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One row a system call; those that not every processor has come last. */
#include "crash/calls.h"

#include <stddef.h>
#include <sys/syscall.h>

#define PLAIN(word)                                 \
	{                                           \
		.number = SYS_##word, .name = #word \
	}
#define ON_FD(word)                                              \
	{                                                        \
		.number = SYS_##word, .name = #word, .fd = { 1 } \
	}
#define ON_PATH(word)                                              \
	{                                                          \
		.number = SYS_##word, .name = #word, .path = { 1 } \
	}
#define ON_PATHS(word)                                                \
	{                                                             \
		.number = SYS_##word, .name = #word, .path = { 1, 2 } \
	}
#define IN_DIR(word)                                                          \
	{                                                                     \
		.number = SYS_##word, .name = #word, .path = {2}, .fd = { 1 } \
	}
#define IN_DIRS(word)                                                \
	{                                                            \
		.number = SYS_##word, .name = #word, .path = {2, 4}, \
		.fd = { 1,                                           \
			3 }                                          \
	}
#define WRITES(word, at)                                        \
	{                                                       \
		.number = SYS_##word, .name = #word, .fd = {1}, \
		.writes = true, .offset = (at)                  \
	}

static const struct call calls[] = {
	{.number = SYS_openat,
	 .name = "openat",
	 .path = {2},
	 .fd = {1},
	 .makes_fd = true},
	{.number = SYS_openat2,
	 .name = "openat2",
	 .path = {2},
	 .fd = {1},
	 .makes_fd = true},
	{.number = SYS_dup, .name = "dup", .fd = {1}, .makes_fd = true},
	{.number = SYS_dup3, .name = "dup3", .fd = {1}, .makes_fd = true},
	{.number = SYS_fcntl, .name = "fcntl", .fd = {1}},
	WRITES(write, 0),
	WRITES(writev, 0),
	WRITES(pwrite64, 4),
	WRITES(pwritev, 4),
	WRITES(pwritev2, 4),
	WRITES(sendfile, 0),
	{.number = SYS_copy_file_range,
	 .name = "copy_file_range",
	 .fd = {3},
	 .writes = true},
	{.number = SYS_splice, .name = "splice", .fd = {3}, .writes = true},
	ON_FD(read),
	ON_FD(readv),
	ON_FD(pread64),
	ON_FD(lseek),
	ON_FD(close),
	ON_FD(fsync),
	ON_FD(fdatasync),
	ON_FD(sync_file_range),
	ON_FD(syncfs),
	ON_FD(ftruncate),
	ON_FD(fallocate),
	ON_FD(flock),
	ON_FD(fstat),
	ON_FD(fstatfs),
	ON_FD(fchmod),
	ON_FD(fchown),
	ON_FD(getdents64),
	ON_FD(connect),
	ON_FD(sendto),
	ON_FD(sendmsg),
	ON_FD(recvfrom),
	ON_FD(recvmsg),
	ON_FD(shutdown),
	ON_FD(setsockopt),
	ON_FD(getsockopt),
	ON_FD(ioctl),
	ON_FD(fchdir),
	IN_DIR(mkdirat),
	IN_DIR(unlinkat),
	IN_DIR(faccessat),
	IN_DIR(readlinkat),
	IN_DIR(fchmodat),
	IN_DIR(fchownat),
	IN_DIR(statx),
	IN_DIR(utimensat),
	IN_DIR(mknodat),
	IN_DIR(execveat),
	IN_DIRS(linkat),
	IN_DIRS(renameat2),
	{.number = SYS_symlinkat,
	 .name = "symlinkat",
	 .path = {1, 3},
	 .fd = {2}},
	ON_PATH(execve),
	ON_PATH(chdir),
	ON_PATH(truncate),
	ON_PATH(statfs),
	PLAIN(socket),
	PLAIN(bind),
	PLAIN(mmap),
	PLAIN(munmap),
	PLAIN(mprotect),
	PLAIN(mremap),
	PLAIN(madvise),
	PLAIN(mlock),
	PLAIN(brk),
	PLAIN(ppoll),
	PLAIN(pipe2),
	PLAIN(clone),
	PLAIN(clone3),
	PLAIN(wait4),
	PLAIN(kill),
	PLAIN(futex),
	PLAIN(prctl),
	PLAIN(sync),
	PLAIN(setsid),
	PLAIN(umask),
	PLAIN(uname),
	PLAIN(getrandom),
	PLAIN(getuid),
	PLAIN(geteuid),
	PLAIN(getgid),
	PLAIN(getpid),
	PLAIN(getcwd),
	PLAIN(rt_sigaction),
	PLAIN(rt_sigprocmask),
	PLAIN(setitimer),
	PLAIN(clock_gettime),
	PLAIN(clock_nanosleep),
	PLAIN(nanosleep),
	PLAIN(memfd_create),
	PLAIN(exit),
	PLAIN(exit_group),
#ifdef SYS_open
	{.number = SYS_open, .name = "open", .path = {1}, .makes_fd = true},
	{.number = SYS_creat, .name = "creat", .path = {1}, .makes_fd = true},
	ON_PATH(mkdir),
	ON_PATH(rmdir),
	ON_PATH(unlink),
	ON_PATH(access),
	ON_PATH(readlink),
	ON_PATH(stat),
	ON_PATH(lstat),
	ON_PATH(chmod),
	ON_PATHS(link),
	ON_PATHS(symlink),
	ON_PATHS(rename),
	PLAIN(poll),
	PLAIN(select),
	PLAIN(pipe),
	PLAIN(dup2),
	PLAIN(fork),
	PLAIN(vfork),
#endif
#ifdef SYS_renameat
	IN_DIRS(renameat),
#endif
#ifdef SYS_newfstatat
	IN_DIR(newfstatat),
#endif
};

const struct call *call_of(long number)
{
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number == number)
			return &calls[i];
	return NULL;
}
