/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How far a long run is. Plain characters, a carriage return and blanks: every
 * terminal knows these. Who can't write to it goes on without.
 */
#include "app/progress.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

#define PATIENCE_MS 1000 /* shorter runs show nothing */
#define REDRAW_MS   100
#define COLUMNS     80u  /* where the terminal does not say */
#define COLUMNS_MAX 200u /* longer is not clearer */
#define LINE_LIMIT  1024u

void progress_add_bar(struct buf *out, size_t done, size_t all,
		      unsigned columns)
{
	struct buf count = BUF_INIT(64);
	size_t width, full, i;

	if (done > all)
		done = all;
	buf_printf(&count, " %zu of %zu", done, all);
	if (columns >= count.n + 5) {
		width = columns - count.n - 2;
		full = all
			? (size_t)((double)width * (double)done / (double)all)
			: width;
		buf_add_char(out, '[');
		for (i = 0; i < width; i++)
			buf_add_char(out, i < full ? '#' : '.');
		buf_add_char(out, ']');
		buf_add_view(out, buf_view(&count));
	} else if (columns >= count.n - 1) {
		buf_add_text(out, count.p + 1);
	}
	buf_release(&count);
}

/* The last column stays free: some terminals go to the next line there. */
static unsigned columns_of(int fd)
{
	struct winsize size = {0};
	unsigned n = COLUMNS;

	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col)
		n = size.ws_col;
	return (n < COLUMNS_MAX ? n : COLUMNS_MAX) - 1;
}

static void draw(struct progress_bar *bar, size_t done, size_t all)
{
	struct buf line = BUF_INIT(LINE_LIMIT);
	unsigned n;

	buf_add_char(&line, '\r');
	progress_add_bar(&line, done, all, columns_of(STDERR_FILENO));
	n = (unsigned)line.n - 1;
	while (line.n <= bar->shown)
		buf_add_char(&line, ' ');
	fwrite(line.p, 1, line.n, stderr);
	fflush(stderr);
	bar->shown = n;
	buf_release(&line);
}

void progress_start(struct progress_bar *bar)
{
	*bar = PROGRESS_BAR_INIT;
	bar->is_on = isatty(STDERR_FILENO);
	bar->start = clock_ms();
}

void progress_watch(void *context, size_t done, size_t all)
{
	struct progress_bar *bar = context;
	int64_t now;

	if (!bar->is_on)
		return;
	now = clock_ms();
	if (now - bar->start < PATIENCE_MS || !all)
		return;
	if (bar->drawn && now - bar->drawn < REDRAW_MS && done < all)
		return;
	bar->drawn = now;
	draw(bar, done, all);
}

void progress_hide(struct progress_bar *bar)
{
	struct buf line = BUF_INIT(LINE_LIMIT);

	if (!bar->shown)
		return;
	buf_add_char(&line, '\r');
	while (line.n <= bar->shown)
		buf_add_char(&line, ' ');
	buf_add_char(&line, '\r');
	fwrite(line.p, 1, line.n, stderr);
	fflush(stderr);
	bar->shown = 0;
	bar->drawn = 0;
	buf_release(&line);
}

void progress_end(struct progress_bar *bar)
{
	progress_hide(bar);
	bar->is_on = false;
}
