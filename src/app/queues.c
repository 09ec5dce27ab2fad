/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the queues are that a configuration speaks of. */
#include "app/queues.h"

#include <stdlib.h>
#include <string.h>

#include "app/report.h"
#include "queue/place.h"

static void add_path(struct strings *paths, const char *dir)
{
	char *path = place_path(dir);
	size_t i;

	for (i = 0; i < paths->n; i++)
		if (!strcmp(paths->p[i], path))
			break;
	if (i == paths->n)
		strings_add(paths, view_of(path));
	free(path);
}

void queues_paths(const struct request *r, struct config *config,
		  struct strings *paths)
{
	struct strings names = STRINGS_INIT;
	struct outcome ignored = OUTCOME_INIT;
	const struct account *a;
	size_t i;

	add_path(paths, NULL);
	if (config)
		config_names(config, &names);
	for (i = 0; i < names.n; i++) {
		a = config_choose(config, names.p[i], NULL, &ignored);
		if (a && a->queue.dir)
			add_path(paths, a->queue.dir);
		outcome_release(&ignored);
	}
	strings_release(&names);
	for (i = 0; i < r->n_overrides; i++)
		if (!strcmp(r->overrides[i].name, "queue_dir") &&
		    r->overrides[i].value)
			add_path(paths, r->overrides[i].value);
}

void queues_find(const struct request *r, struct strings *paths)
{
	struct outcome o = OUTCOME_INIT;
	struct config *config = cmdline_load_config(r, &o);

	if (!config)
		report_failure(NULL, &o);
	queues_paths(r, config, paths);
	config_free(config);
	outcome_release(&o);
}
