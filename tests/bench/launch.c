/* Runs a program so many times, one after the other, and says what each cost.
 *
 *     launch ROOT COUNT DESCRIPTOR GIVEN SAID RESULTS WORD...
 *
 * In the root directory ROOT, the program has the file GIVEN at DESCRIPTOR (0:
 * standard input), and writes what it says to SAID.  Each line of RESULTS is
 * one run: seconds by the clock, of the user, of the system, the largest
 * resident size in KiB, status.  These are of the program and of all children
 * that it has waited for; one that goes on for PATIENCE is killed.  It is a
 * small program of its own because the kernel counts a parent's size as the
 * child's, until the child begins. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE = 300 }; /* seconds, for one run */

static void die(const char *what)
{
	fprintf(stderr, "launch: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int opened(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd < 0)
		die(path);
	return fd;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void become(char **words, int target, int given, int nothing, int said)
{
	if (dup2(nothing, 0) < 0 || dup2(given, target) < 0 ||
	    dup2(said, 1) < 0 || dup2(said, 2) < 0)
		_exit(126);
	alarm(PATIENCE); /* it stays set in the program */
	execvp(words[0], words);
	_exit(127);
}

int main(int argc, char **argv)
{
	int given, nothing, said, target;
	FILE *results;

	if (argc < 8)
		return 64;
	target = atoi(argv[3]);
	/* Above all that is made for the program. */
	given = fcntl(opened(argv[4], O_RDONLY), F_DUPFD_CLOEXEC, 20);
	nothing = fcntl(opened("/dev/null", O_RDWR), F_DUPFD_CLOEXEC, 20);
	said = fcntl(opened(argv[5], O_WRONLY | O_CREAT | O_TRUNC),
		     F_DUPFD_CLOEXEC, 20);
	results = fopen(argv[6], "we");
	if (!results || given < 0 || nothing < 0 || said < 0)
		die(argv[6]);
	if (strcmp(argv[1], "/") != 0 && chroot(argv[1]) < 0)
		die(argv[1]);
	if (chdir("/") < 0)
		die("/");
	for (long left = atol(argv[2]); left > 0; left--) {
		struct rusage used;
		double begun = now();
		pid_t child;
		int status;

		lseek(given, 0, SEEK_SET);
		child = fork();
		if (!child)
			become(argv + 7, target, given, nothing, said);
		if (child < 0 || wait4(child, &status, 0, &used) < 0)
			die("fork");
		fprintf(results, "%.6f %.6f %.6f %ld %d\n", now() - begun,
			seconds(used.ru_utime), seconds(used.ru_stime),
			used.ru_maxrss, status);
		if (status)
			break;
	}
	return fclose(results) ? 1 : 0;
}
