/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line. */
#include "crash/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
	"usage: strike [OPTION...] count -- COMMAND...\n"
	"       strike [OPTION...] kill N -- COMMAND...\n"
	"       strike [OPTION...] fail N ERRNO -- COMMAND...\n"
	"\n"
	"  count   list the system calls, one line of JSON each\n"
	"  kill    kill the process and its children before the N-th call\n"
	"  fail    let the N-th call not happen, and return the error\n"
	"\n"
	"  -a           kill behind the call\n"
	"  -c NAME,...  only these calls count\n"
	"  -d DIR       show the octets that are written below DIR\n"
	"  -f TEXT      only calls with TEXT in a file's name count\n"
	"  -m           count from main() on (its first prctl)\n"
	"  -o FD        write the report there, not to standard error\n"
	"  -p           only the process itself; its children go on\n"
	"  -x NAME=ERRNO,...  these calls always fail, and do not count;\n"
	"               tmpfile is openat() of a file without a name\n"
	"  -w           the calls behind the N-th fail as well\n";

static bool read_number(const char *text, int *value)
{
	char *end;
	long n = text ? strtol(text, &end, 10) : 0;

	if (!text || *end || n < 1 || n > 1000000)
		return false;
	*value = (int)n;
	return true;
}

static bool read_letters(struct options *o, int argc, char **argv)
{
	int letter;

	while ((letter = getopt(argc, argv, "+ac:d:f:mo:px:w")) >= 0)
		switch (letter) {
		case 'a': o->is_after = true; break;
		case 'c': o->only = optarg; break;
		case 'd': o->below = optarg; break;
		case 'f': o->file = optarg; break;
		case 'm': o->from_main = true; break;
		case 'o':
			if (!read_number(optarg, &o->out))
				return false;
			break;
		case 'p': o->is_alone = true; break;
		case 'x': o->lacks = optarg; break;
		case 'w': o->is_onward = true; break;
		default: return false;
		}
	return true;
}

static bool read_deed(struct options *o, char **words)
{
	int at = 0;

	if (!*words)
		return false;
	if (!strcmp(*words, "count"))
		o->deed = DEED_COUNT;
	else if (!strcmp(*words, "kill"))
		o->deed = DEED_KILL;
	else if (!strcmp(*words, "fail"))
		o->deed = DEED_FAIL;
	else
		return false;
	if (o->deed != DEED_COUNT && !read_number(*++words, &at))
		return false;
	if (o->deed == DEED_FAIL && !read_number(*++words, &o->error))
		return false;
	o->at = (unsigned)at;
	if (!*++words || strcmp(*words, "--") != 0 || !words[1])
		return false;
	o->command = words + 1;
	return true;
}

bool options_read(struct options *o, int argc, char **argv)
{
	*o = (struct options){.out = STDERR_FILENO};
	if (read_letters(o, argc, argv) && read_deed(o, argv + optind))
		return true;
	fputs(usage, stderr);
	return false;
}
