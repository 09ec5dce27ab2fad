/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stands in for the fuzzer: gives a target each of its seeds once, so that
 * make check runs them with any compiler. Without arguments they are those
 * of the target that the program is named after.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of just this size, so that a sanitizer sees a read past its end. */
static int run_file(const char *path)
{
	struct stat status;
	uint8_t *data = NULL;
	FILE *file = fopen(path, "rb");
	int rc = -1;

	if (!file || fstat(fileno(file), &status) < 0)
		goto done;
	data = malloc(status.st_size ? (size_t)status.st_size : 1);
	if (!data)
		goto done;
	if (fread(data, 1, (size_t)status.st_size, file) !=
	    (size_t)status.st_size)
		goto done;
	LLVMFuzzerTestOneInput(data, (size_t)status.st_size);
	rc = 0;
done:
	if (rc < 0)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	if (file)
		fclose(file);
	free(data);
	return rc;
}

/* How many files of the directory were run; -1 if one could not be. */
static int run_directory(const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	char file[PATH_MAX];
	int count = 0;

	if (!directory) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	while (count >= 0 && (entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		count = run_file(file) < 0 ? -1 : count + 1;
	}
	closedir(directory);
	if (count >= 0)
		printf("%s: %d seeds\n", path, count);
	return count;
}

/* tests/fuzz/fuzz_reply: tests/fuzz/seeds/reply below the sources. */
static const char *seeds_of(const char *program)
{
	static char path[PATH_MAX];
	const char *sources = getenv("srcdir");
	const char *slash = strrchr(program, '/');
	const char *name = slash ? slash + 1 : program;

	if (!strncmp(name, "fuzz_", 5))
		name += 5;
	snprintf(path, sizeof(path), "%s/tests/fuzz/seeds/%s",
		 sources ? sources : ".", name);
	return path;
}

int main(int argc, char **argv)
{
	const char *seeds[] = {seeds_of(argv[0]), NULL};
	const char *const *path = seeds;
	int total = 0;

	if (argc > 1)
		path = (const char *const *)argv + 1;
	for (; *path; path++) {
		int count = run_directory(*path);

		if (count < 0)
			return 1;
		total += count;
	}
	if (!total) {
		fprintf(stderr, "%s: no seeds, nothing was tried\n", argv[0]);
		return 1;
	}
	return 0;
}
