/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificates in a PEM file, decoded in place and found by their names. Here
 * nothing is believed: what is found is for GnuTLS to import and to judge by,
 * and what is odd is for it as well, with the whole file.
 */
#include "net/bundle.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "net/certificate.h"

/* --------------------------------------------------------------------- PEM */

static const struct view mark = VIEW("-----BEGIN ");
static const struct view begin = VIEW("-----BEGIN CERTIFICATE-----");
static const struct view end = VIEW("-----END CERTIFICATE-----");

#define DASHES 5 /* at its end, which may be those of another beginning */

/* Of each octet: its value as a digit of base64 (RFC 4648 4), at each of four
 * places; or what no digits make. */
struct digits {
	uint32_t at[4][256];
};

#define NO_DIGIT (1u << 24)

static void make_digits(struct digits *d)
{
	static const char in_order[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789+/";
	uint32_t value, i, place;

	for (place = 0; place < 4; place++) {
		for (i = 0; i < 256; i++)
			d->at[place][i] = NO_DIGIT;
		for (value = 0; value < 64; value++)
			d->at[place][(unsigned char)in_order[value]] = value
				<< (18 - 6 * place);
	}
}

static bool is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

static bool starts(struct view v, struct view with)
{
	return v.n >= with.n && !memcmp(v.p, with.p, with.n);
}

static void skip_line_ends(struct view *v)
{
	while (v->n && is_line_end(v->p[0]))
		*v = view_skip(*v, 1);
}

/* Three octets from four digits; false: there are none of four in a row. */
static inline bool decode_group(const struct digits *d, const unsigned char *p,
				char *out)
{
	uint32_t octets = d->at[0][p[0]] | d->at[1][p[1]] | d->at[2][p[2]] |
		d->at[3][p[3]];

	if (octets & NO_DIGIT)
		return false;
	out[0] = (char)(octets >> 16);
	out[1] = (char)(octets >> 8);
	out[2] = (char)octets;
	return true;
}

/* The last group, with one or two `=` at its end; what these leave over of a
 * digit's bits is 0. How many octets; 0: it is none. */
static size_t decode_last(const struct digits *d, struct view v, char *out)
{
	unsigned char group[4];
	char octets[3];
	size_t n = 4;

	if (v.n < 4)
		return 0;
	memcpy(group, v.p, 4);
	while (n > 2 && group[n - 1] == '=')
		group[--n] = 'A';
	if (n == 4 || !decode_group(d, group, octets) || octets[n - 1])
		return 0;
	memcpy(out, octets, n - 1);
	return n - 1;
}

/*
 * Decode what is in front of `from` to where it began, or before. A group of
 * digits is on one line, as each line but the last has a multiple of four.
 * false: it is something else.
 */
static bool decode(const struct digits *d, struct view *from, char *out,
		   size_t *n)
{
	char *to = out;
	size_t last;

	do {
		skip_line_ends(from);
		for (; from->n >= 4 &&
		     decode_group(d, (const unsigned char *)from->p, to);
		     to += 3)
			*from = view_make(from->p + 4, from->n - 4);
	} while (from->n && is_line_end(from->p[0]));
	last = decode_last(d, *from, to);
	if (last)
		*from = view_skip(*from, 4);
	*n = (size_t)(to - out) + last;
	skip_line_ends(from);
	return starts(*from, end);
}

/* ----------------------------------------------------------------- the file */

static bool add_entry(struct bundle *b, struct view der)
{
	struct bundle_entry e = {.der = der};

	if (!der_find_names(der, &e.names))
		return false;
	if (b->n % 64 == 0)
		b->p = memory_resize(b->p, b->n + 64, sizeof(*b->p));
	b->p[b->n++] = e;
	return true;
}

/* One certificate, from its first line on. */
static bool take_one(struct bundle *b, const struct digits *d,
		     struct view *from, char *out)
{
	size_t n;

	if (!starts(*from, begin))
		return false;
	*from = view_skip(*from, begin.n);
	if (!decode(d, from, out, &n))
		return false;
	*from = view_skip(*from, end.n - DASHES);
	return add_entry(b, view_make(out, n));
}

static bool find_mark(struct view *v)
{
	const char *p = memmem(v->p, v->n, mark.p, mark.n);

	*v = view_skip(*v, p ? (size_t)(p - v->p) : v->n);
	return p != NULL;
}

static bool find_all(struct bundle *b)
{
	struct view rest = view_make(b->octets.p, b->octets.n);
	char *out = b->octets.p; /* PEM that was read already takes more */
	struct digits d;

	make_digits(&d);
	while (find_mark(&rest)) {
		if (!take_one(b, &d, &rest, out))
			return false;
		out += b->p[b->n - 1].der.n;
	}
	return b->n > 0;
}

bool bundle_parse(struct bundle *b)
{
	if (b->n || b->is_odd)
		return b->n;
	if (find_all(b))
		return true;
	bundle_release(b);
	b->is_odd = true;
	return false;
}

/* Something else (a pipe, a device) may give what it has only once. */
static bool is_file(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_size > 0 &&
		st->st_size < BUNDLE_LIMIT;
}

static int open_file(const char *path)
{
	struct stat st;

	/* to GnuTLS that is a token, whatever file there is of that name */
	if (!strncasecmp(path, "pkcs11:", 7) || stat(path, &st) < 0 ||
	    !is_file(&st))
		return -1;
	return file_open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0);
}

/* All of it at once; false: it was changed meanwhile, or is no file. */
static bool read_file(struct buf *b, int fd)
{
	struct stat st;
	size_t size;

	if (fstat(fd, &st) < 0 || !is_file(&st))
		return false;
	size = (size_t)st.st_size;
	if (!buf_room(b, size) || file_read(fd, b->p, size) != st.st_size)
		return false;
	b->n = size;
	b->p[size] = '\0';
	return true;
}

bool bundle_read(struct bundle *b, const char *path)
{
	int fd = open_file(path);
	bool is_read;

	if (fd < 0)
		return false;
	is_read = read_file(&b->octets, fd) &&
		memmem(b->octets.p, b->octets.n, begin.p, begin.n);
	close(fd);
	if (!is_read)
		bundle_release(b);
	return is_read;
}

void bundle_release(struct bundle *b)
{
	buf_release(&b->octets);
	free(b->p);
	*b = BUNDLE_INIT;
}

/* ---------------------------------------------------------------- the chain */

/* The names of what was sent; false: one of them has none. */
static bool find_names(struct der_names names[CHAIN_MOST],
		       const gnutls_datum_t *chain, size_t n)
{
	struct view der;
	size_t i;

	if (!n || n > CHAIN_MOST)
		return false;
	for (i = 0; i < n; i++) {
		der = view_make((char *)chain[i].data, chain[i].size);
		if (!der_find_names(der, &names[i]))
			return false;
	}
	return true;
}

/* Is it of some of them the issuer, or one of them, by name? */
static bool is_above(const struct bundle_entry *e,
		     const struct der_names *names, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (view_equal(e->names.subject, names[i].issuer))
			return true;
	return false;
}

static bool is_among(const struct bundle_entry *e,
		     const struct der_names *names, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (view_equal(e->names.subject, names[i].subject))
			return true;
	return false;
}

const struct bundle_entry *bundle_find(const struct bundle *b,
				       const gnutls_datum_t *chain, size_t n)
{
	const struct bundle_entry *found = NULL;
	struct der_names names[CHAIN_MOST];
	size_t i;

	if (!find_names(names, chain, n))
		return NULL;
	for (i = 0; i < b->n; i++) {
		if (is_among(&b->p[i], names, n))
			return NULL;
		if (!is_above(&b->p[i], names, n))
			continue;
		if (found)
			return NULL;
		found = &b->p[i];
	}
	if (!found || !view_equal(found->names.issuer, found->names.subject))
		return NULL;
	return found;
}
