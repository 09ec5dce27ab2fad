/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two registers that matter, processor by processor. */
#include "crash/registers.h"

#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#if defined(__x86_64__)

int registers_skip_call(pid_t pid)
{
	return ptrace(PTRACE_POKEUSER, pid,
		      offsetof(struct user_regs_struct, orig_rax), -1L) < 0
		? -1
		: 0;
}

int registers_set_result(pid_t pid, long result)
{
	return ptrace(PTRACE_POKEUSER, pid,
		      offsetof(struct user_regs_struct, rax), result) < 0
		? -1
		: 0;
}

#elif defined(__aarch64__)

int registers_skip_call(pid_t pid)
{
	int none = -1;
	struct iovec io = {&none, sizeof(none)};

	return ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &io) < 0 ? -1
									  : 0;
}

int registers_set_result(pid_t pid, long result)
{
	struct user_regs_struct all;
	struct iovec io = {&all, sizeof(all)};

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &io) < 0)
		return -1;
	all.regs[0] = (unsigned long long)result;
	return ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &io) < 0 ? -1 : 0;
}

#else

int registers_skip_call(pid_t pid)
{
	(void)pid;
	errno = ENOSYS;
	return -1;
}

int registers_set_result(pid_t pid, long result)
{
	(void)pid;
	(void)result;
	errno = ENOSYS;
	return -1;
}

#endif
