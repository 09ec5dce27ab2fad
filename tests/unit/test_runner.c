/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run over the queue, with somebody who only pretends to deliver. */
#include "queue/runner.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "queue.h"
#include "queue/notice.h"
#include "queue/server.h"

/* ------------------------------------------------ a file system with faults */

/* These stand in for the C library's. */
static struct {
	bool keeps;   /* nothing can be removed */
	bool is_full; /* no room can be reserved */
} fault;

int unlinkat(int dir, const char *name, int flags)
{
	if (!fault.keeps)
		return (int)syscall(SYS_unlinkat, dir, name, flags);
	errno = EIO;
	return -1;
}

static int reserve_or_fail(void)
{
	errno = ENOSPC;
	return fault.is_full ? -1 : 0;
}

/* Both of its names, whatever the size of file offsets. */
int reserve_for_test(int fd, ...) __asm__("fallocate");
int reserve_for_test(int fd, ...)
{
	(void)fd;
	return reserve_or_fail();
}

int reserve64_for_test(int fd, ...) __asm__("fallocate64");
int reserve64_for_test(int fd, ...)
{
	(void)fd;
	return reserve_or_fail();
}

/* --------------------------------------------------------------- the server */

/* How the pretended server behaves, and what it has seen. */
struct pretence {
	const char *refuses; /* recipients with that in them: 550 */
	const char *defers;  /* … 450 */
	size_t per_session;  /* messages, then it is gone; 0: any number */
	const char *kills;   /* who ends the session, without an answer */
	bool is_away;        /* there is no session */
	bool refuses_login;
	bool is_same_login;
	int64_t ends;        /* of the run */
	const char *ends_at; /* … comes when this one is sent */
	struct entry *other; /* is another process's until u1 is sent; */
	bool other_tries;    /* then it was tried by it in vain, */
	bool other_holds;    /* or is held */
	struct queue_policy policy;
	unsigned n_begun, n_sessions, n_ended, n_asked;
	struct buf seen; /* accounts' names and recipients */
};

static int begin(void *context, const struct entry *e, struct lane *lane,
		 struct outcome *o)
{
	struct pretence *p = context;

	if (e->account && !strcmp(e->account, "gone"))
		return fail(o, CAUSE_CONFIG, "5.3.5", "there is no account");
	p->n_begun++;
	*lane = (struct lane){&p->policy, {"client.example.org", NULL}};
	return 0;
}

static bool is_same_login(void *context, const char *proof)
{
	struct pretence *p = context;

	assert_string_equal(proof, "proof");
	p->n_asked++;
	return p->is_same_login;
}

static struct progress answer(const struct pretence *p, const char *mailbox)
{
	struct progress a = {.standing = STANDING_DELIVERED, .at = time(NULL)};

	if (p->refuses && strstr(mailbox, p->refuses)) {
		a.standing = STANDING_REFUSED;
		fail(&a.answer, CAUSE_RECIPIENT, "5.1.1", "550 no");
	} else if (p->defers && strstr(mailbox, p->defers)) {
		a.standing = STANDING_WAITING;
		fail(&a.answer, CAUSE_RECIPIENT, "4.2.0", "450 later");
	}
	return a;
}

static void let_other_go(struct pretence *p)
{
	struct outcome o = OUTCOME_INIT;
	struct buf line = BUF_INIT(1024);
	int64_t now = time(NULL);

	if (p->other_tries)
		entry_note_attempt(p->other, now, now + 60, &line);
	if (p->other_holds)
		entry_note_hold(p->other, "look at it", now, &line);
	assert_int_equal(spool_note(p->other, &line, &o), 0);
	entry_release(p->other);
	p->other = NULL;
	buf_release(&line);
}

static void take_one(struct pretence *p, struct feed *f, struct entry *e)
{
	struct progress answers[8] = {{0}};
	size_t which[8] = {0}, i, n = 0;

	for (i = 0; i < e->envelope.n_recipients; i++) {
		if (e->progress[i].standing != STANDING_WAITING)
			continue;
		which[n] = i;
		answers[n++] =
			answer(p, e->envelope.recipients[i].address.mailbox);
		buf_printf(&p->seen, "%s ",
			   e->envelope.recipients[i].address.mailbox);
	}
	if (p->ends_at && strstr(p->seen.p, p->ends_at))
		f->ends = 1;
	if (p->other && strstr(p->seen.p, "u1@"))
		let_other_go(p);
	feed_settle(f, e, which, answers, n);
	for (i = 0; i < n; i++)
		outcome_release(&answers[i].answer);
}

static int deliver(void *context, struct feed *f, char **proof,
		   struct outcome *o)
{
	struct pretence *p = context;
	struct entry *e;
	size_t n = 0;

	p->n_sessions++;
	if (p->refuses_login) {
		*proof = memory_dup("proof");
		return fail(o, CAUSE_AUTH, "5.7.8", "535 no");
	}
	if (p->is_away)
		return fail(o, CAUSE_CONNECT, "4.4.1", "refused");
	while ((e = feed_next(f))) {
		if ((p->per_session && n == p->per_session) ||
		    (p->kills &&
		     strstr(e->envelope.recipients[0].address.mailbox,
			    p->kills))) {
			feed_give_back(f, e);
			return fail(o, CAUSE_CONNECT, "4.4.2", "lost");
		}
		take_one(p, f, e);
		n++;
	}
	return 0;
}

static void end(void *context)
{
	struct pretence *p = context;

	p->n_ended++;
}

static void watch(void *context, size_t done, size_t all)
{
	(void)context;
	assert_in_range(done, 1, all);
}

static struct run_result run_once(struct spool *s, struct pretence *p,
				  bool everything)
{
	const struct deliverer d = {
		.context = p,
		.begin = begin,
		.is_same_login = is_same_login,
		.deliver = deliver,
		.end = end,
		.watch = watch,
	};
	const struct run run = {.everything = everything, .ends = p->ends};
	struct run_result result = RUN_RESULT_INIT;
	struct outcome o = OUTCOME_INIT;

	p->n_begun = p->n_sessions = p->n_ended = p->n_asked = 0;
	buf_clear(&p->seen);
	if (!p->policy.lifetime)
		p->policy = (struct queue_policy){.lifetime = 432000,
						  .warn = 14400};
	assert_int_equal(runner_run(s, &run, &d, &result, &o), 0);
	assert_int_equal(p->n_begun, p->n_ended);
	return result;
}

static void expect(struct spool *s, struct pretence *p, bool everything,
		   size_t delivered, size_t deferred, size_t left)
{
	struct run_result result = run_once(s, p, everything);

	assert_int_equal(result.count.delivered, delivered);
	assert_int_equal(result.count.deferred, deferred);
	assert_int_equal(queue_count(s), left);
	run_result_release(&result);
}

#define PRETENCE ((struct pretence){.seen = BUF_INIT(1 << 20)})

/* Each in a millisecond of its own: among those of one, the order is open. */
static void add_many(struct spool *s, unsigned n)
{
	const struct timespec ms = {.tv_nsec = 1100000};
	char address[64];
	unsigned i;

	for (i = 0; i < n; i++) {
		nanosleep(&ms, NULL);
		snprintf(address, sizeof(address), "u%u@example.net", i);
		free(queue_add(s, "default", address));
	}
}

static void empties_the_queue(void **state)
{
	struct spool *s = queue_open();
	struct pretence p = PRETENCE;

	(void)state;
	expect(s, &p, false, 0, 0, 0);
	assert_int_equal(p.n_begun, 0);
	add_many(s, 5);
	free(queue_add(s, "other", "v@example.net w@example.net"));
	expect(s, &p, false, 6, 0, 0);
	assert_int_equal(p.n_sessions, 2);
	buf_release(&p.seen);
	queue_close(s);
}

/* Who has it is not asked again; the rest waits its time. */
static void each_recipient_stands_alone(void **state)
{
	struct spool *s = queue_open();
	struct pretence p = PRETENCE;

	(void)state;
	p.defers = "late";
	free(queue_add(s, "default", "a@example.net late@example.net"));
	expect(s, &p, false, 0, 1, 1);
	expect(s, &p, false, 0, 0, 1); /* it is not due */
	assert_int_equal(p.n_sessions, 0);
	p.defers = NULL;
	expect(s, &p, true, 1, 0, 0);
	assert_string_equal(p.seen.p, "late@example.net ");
	buf_release(&p.seen);
	queue_close(s);
}

static void a_dead_server_costs_one_attempt(void **state)
{
	struct spool *s = queue_open();
	struct pretence p = PRETENCE;

	(void)state;
	add_many(s, 20);
	p.is_away = true;
	expect(s, &p, false, 0, 0, 20);
	assert_int_equal(p.n_sessions, 1);
	expect(s, &p, false, 0, 0, 20); /* it is left alone for now */
	assert_int_equal(p.n_sessions, 0);
	expect(s, &p, true, 0, 0, 20);
	assert_int_equal(p.n_sessions, 1);
	p.is_away = false;
	expect(s, &p, true, 20, 0, 0);
	buf_release(&p.seen);
	queue_close(s);
}

/* Octets of all that is in the queue, but for what is known of servers. */
static off_t size_of_all(const struct spool *s)
{
	struct strings ids = STRINGS_INIT;
	struct outcome o = OUTCOME_INIT;
	struct stat st;
	off_t sum = 0;
	size_t i;

	assert_int_equal(spool_list(s, &ids, &o), 0);
	for (i = 0; i < ids.n; i++) {
		assert_int_equal(fstatat(spool_fd(s), ids.p[i], &st, 0), 0);
		sum += st.st_size;
	}
	strings_release(&ids);
	return sum;
}

/* What waits for a dead server and is late is written to once. */
static void what_is_late_does_not_grow(void **state)
{
	struct spool *s = queue_open();
	struct pretence p = PRETENCE;
	off_t size;

	(void)state;
	free(queue_add(s, "default", "a@example.net b@example.net"));
	p.policy.lifetime = 432000; /* and `warn` is at once */
	p.is_away = true;
	expect(s, &p, true, 0, 0, 2); /* a report */
	expect(s, &p, true, 0, 0, 2); /* which is late as well */
	size = size_of_all(s);
	expect(s, &p, true, 0, 0, 2);
	assert_int_equal(size_of_all(s), size);
	buf_release(&p.seen);
	queue_close(s);
}

static void sessions_that_end_are_followed(void **state)
{
	struct spool *s = queue_open();
	struct pretence p = PRETENCE;

	(void)state;
	add_many(s, 10);
	p.per_session = 3;
	expect(s, &p, false, 10, 0, 0);
	assert_int_equal(p.n_sessions, 4);
	buf_release(&p.seen);
	queue_close(s);
}

/* From then on nothing is begun. */
static void a_run_has_its_end(void **state)
{
	struct spool *s = queue_open();
	struct pretence p = PRETENCE;

	(void)state;
	add_many(s, 3);
	free(queue_add(s, "other", "other@example.net"));
	p.ends = 1;
	expect(s, &p, false, 0, 0, 4);
	assert_int_equal(p.n_sessions, 0);
	p.ends = INT64_MAX;
	p.ends_at = "u1@";
	p.per_session = 2;
	expect(s, &p, false, 3, 0, 1);
	assert_int_equal(p.n_sessions, 2);
	p.ends_at = NULL;
	expect(s, &p, false, 1, 0, 0);
	buf_release(&p.seen);
	queue_close(s);
}

/* What kills every session does not stand before the others. */
static void one_that_kills_is_put_off(void **state)
{
	struct spool *s = queue_open();
	struct pretence p = PRETENCE;
	struct run_result result;

	(void)state;
	free(queue_add(s, "default", "killer@example.net"));
	add_many(s, 5);
	p.kills = "killer";
	result = run_once(s, &p, false);
	assert_int_equal(result.count.delivered, 5);
	assert_int_equal(queue_count(s), 1);
	run_result_release(&result);
	expect(s, &p, false, 0, 0, 1); /* and waits */
	assert_int_equal(p.n_sessions, 0);
	buf_release(&p.seen);
	queue_close(s);
}

static void a_refused_login_stops_its_lane(void **state)
{
	struct spool *s = queue_open();
	struct pretence p = PRETENCE;

	(void)state;
	add_many(s, 3);
	p.refuses_login = p.is_same_login = true;
	expect(s, &p, false, 0, 0, 3);
	assert_int_equal(p.n_sessions, 1);
	expect(s, &p, false, 0, 0, 3);
	assert_int_equal(p.n_sessions, 0);
	assert_int_equal(p.n_asked, 1);
	expect(s, &p, true, 0, 0, 3); /* a person asks */
	assert_int_equal(p.n_sessions, 1);
	p.is_same_login = false; /* the password is another */
	expect(s, &p, false, 0, 0, 3);
	assert_int_equal(p.n_sessions, 1);
	p.refuses_login = false;
	expect(s, &p, false, 3, 0, 0);
	buf_release(&p.seen);
	queue_close(s);
}

static void an_account_that_is_gone_keeps_its_mail(void **state)
{
	struct spool *s = queue_open();
	struct pretence p = PRETENCE;
	struct run_result result;

	(void)state;
	free(queue_add(s, "gone", "a@example.net"));
	add_many(s, 2);
	result = run_once(s, &p, false);
	assert_int_equal(result.count.delivered, 2);
	assert_int_equal(result.worst.cause, CAUSE_CONFIG);
	assert_int_equal(queue_count(s), 1);
	run_result_release(&result);
	buf_release(&p.seen);
	queue_close(s);
}

static void held_ones_stay(void **state)
{
	struct spool *s = queue_open();
	struct pretence p = PRETENCE;
	struct entry e = ENTRY_INIT;
	struct outcome o = OUTCOME_INIT;
	struct buf line = BUF_INIT(1024);
	char *id = queue_add(s, "default", "a@example.net");

	(void)state;
	assert_int_equal(spool_take(s, id, &e, &o), 1);
	add_many(s, 1);
	expect(s, &p, true, 1, 0, 1); /* it is another's just now */
	entry_note_hold(&e, "look at it", time(NULL), &line);
	assert_int_equal(spool_append(&e, buf_view(&line), &o), 0);
	entry_release(&e);
	expect(s, &p, true, 0, 0, 1);
	free(id);
	buf_release(&line);
	buf_release(&p.seen);
	queue_close(s);
}

/* A run that was ended behind the last answer. */
static void what_was_settled_goes(void **state)
{
	struct spool *s = queue_open();
	struct pretence p = PRETENCE;
	struct progress done = {.standing = STANDING_DELIVERED, .at = 1};
	struct entry e = ENTRY_INIT;
	struct outcome o = OUTCOME_INIT;
	struct buf line = BUF_INIT(1024);
	char *id = queue_add(s, "default", "a@example.net");

	(void)state;
	assert_int_equal(spool_take(s, id, &e, &o), 1);
	entry_note_answer(&e, 0, &done, &line);
	assert_int_equal(spool_append(&e, buf_view(&line), &o), 0);
	entry_release(&e);
	expect(s, &p, false, 0, 0, 0);
	assert_string_equal(p.seen.p, "");
	free(id);
	buf_release(&line);
	buf_release(&p.seen);
	queue_close(s);
}

/* One who refused it, and one who waits but is not due; nobody was told. */
static char *add_refused(struct spool *s, const char *recipients,
			 struct entry *e)
{
	struct progress refused = {.standing = STANDING_REFUSED, .at = 1};
	struct outcome o = OUTCOME_INIT;
	struct buf lines = BUF_INIT(4096);
	char *id = queue_add(s, "default", recipients);
	int64_t now = time(NULL);

	assert_int_equal(spool_take(s, id, e, &o), 1);
	fail(&refused.answer, CAUSE_RECIPIENT, "5.1.1", "550 5.1.1 no");
	entry_note_answer(e, 0, &refused, &lines);
	entry_note_attempt(e, now, now + 3600, &lines);
	assert_int_equal(spool_append(e, buf_view(&lines), &o), 0);
	outcome_release(&refused.answer);
	buf_release(&lines);
	return id;
}

/* What was sent and can't be removed is not sent again. */
static void what_stays_is_known_to_be_sent(void **state)
{
	struct spool *s = queue_open();
	struct pretence p = PRETENCE;

	(void)state;
	add_many(s, 1);
	fault.keeps = true;
	expect(s, &p, true, 1, 0, 1);
	expect(s, &p, true, 0, 0, 1);
	assert_string_equal(p.seen.p, "");
	fault.keeps = false;
	expect(s, &p, true, 0, 0, 0);
	assert_string_equal(p.seen.p, "");
	buf_release(&p.seen);
	queue_close(s);
}

/* If some of several get it that has to be noted; of one it need not be. */
static void where_nothing_can_be_noted_several_get_nothing(void **state)
{
	struct spool *s = queue_open();
	struct pretence p = PRETENCE;
	struct run_result result;

	(void)state;
	free(queue_add(s, "default", "a@example.net b@example.net"));
	add_many(s, 1);
	fault.is_full = true;
	result = run_once(s, &p, true);
	fault.is_full = false;
	assert_string_equal(p.seen.p, "u0@example.net ");
	assert_string_equal(result.worst.status, "4.3.1");
	run_result_release(&result);
	expect(s, &p, true, 1, 0, 0);
	assert_string_equal(p.seen.p, "a@example.net b@example.net ");
	buf_release(&p.seen);
	queue_close(s);
}

/* In the run that makes it, behind all else; whoever else waits goes on
 * waiting. */
static void a_report_goes_in_the_same_run(void **state)
{
	struct spool *s = queue_open();
	struct pretence p = PRETENCE;
	struct entry e = ENTRY_INIT;

	(void)state;
	free(add_refused(s, "a@example.net b@example.net", &e));
	entry_release(&e);
	add_many(s, 2);
	expect(s, &p, false, 3, 0, 1);
	assert_string_equal(p.seen.p,
			    "u0@example.net u1@example.net "
			    "alice@example.org ");
	expect(s, &p, false, 0, 0, 1);
	expect(s, &p, true, 0, 0, 0); /* it has failed for one */
	assert_string_equal(p.seen.p, "b@example.net ");
	free(queue_add(s, "default", "bad@example.net"));
	p.refuses = "bad";
	expect(s, &p, true, 1, 0, 0);
	assert_string_equal(p.seen.p, "bad@example.net alice@example.org ");
	buf_release(&p.seen);
	queue_close(s);
}

/* A run that was ended between a report and the line that says it was made.
 * Whichever of the two comes first in the queue: it goes once. */
static void a_report_that_was_not_noted_is_made_once(void **state)
{
	static const char *const recipients[] = {"a@example.net",
						 "a@example.net b@example.net"};
	const struct queue_policy policy = {.lifetime = 432000, .warn = 14400};
	const struct reporter by = {"client.example.org", NULL};
	struct spool *s = queue_open();
	struct pretence p = PRETENCE;
	struct outcome o = OUTCOME_INIT;
	size_t i, n = 16;

	(void)state;
	for (i = 0; i < n; i++) {
		struct entry e = ENTRY_INIT;
		char *id = add_refused(s, recipients[i % 2], &e);
		uint64_t end = e.end;

		assert_int_equal(notice_send(s, &e, &policy, &by, false,
					     time(NULL), NULL, &o),
				 0);
		assert_int_equal(ftruncate(e.fd, (off_t)end), 0);
		entry_release(&e);
		free(id);
	}
	assert_int_equal(queue_count(s), 2 * n);
	expect(s, &p, false, n, 0, n / 2);
	expect(s, &p, false, 0, 0, n / 2);
	buf_release(&p.seen);
	queue_close(s);
}

static void hold(struct spool *s, const char *id)
{
	struct entry e = ENTRY_INIT;
	struct outcome o = OUTCOME_INIT;
	struct buf line = BUF_INIT(1024);

	assert_int_equal(spool_take(s, id, &e, &o), 1);
	entry_note_hold(&e, "look at it", time(NULL), &line);
	assert_int_equal(spool_note(&e, &line, &o), 0);
	entry_release(&e);
	buf_release(&line);
}

/* The same, and the report is held since. */
static void a_report_that_is_held_stays_so(void **state)
{
	const struct queue_policy policy = {.lifetime = 432000, .warn = 14400};
	const struct reporter by = {"client.example.org", NULL};
	struct spool *s = queue_open();
	struct pretence p = PRETENCE;
	struct strings made = STRINGS_INIT;
	struct outcome o = OUTCOME_INIT;
	struct entry e = ENTRY_INIT;
	char *id = add_refused(s, "a@example.net", &e);
	uint64_t end = e.end;

	(void)state;
	assert_int_equal(notice_send(s, &e, &policy, &by, false, time(NULL),
				     &made, &o),
			 0);
	assert_int_equal(ftruncate(e.fd, (off_t)end), 0);
	entry_release(&e);
	assert_int_equal(made.n, 1);
	hold(s, made.p[0]);
	expect(s, &p, true, 0, 0, 1);
	assert_string_equal(p.seen.p, "");
	free(id);
	strings_release(&made);
	buf_release(&p.seen);
	queue_close(s);
}

/* A message is another process's until u1 is sent. */
static void expect_beside_another(bool tries, bool everything,
				  unsigned delivered, unsigned left,
				  const char *seen)
{
	struct spool *s = queue_open();
	struct pretence p = PRETENCE;
	struct entry e = ENTRY_INIT;
	struct outcome o = OUTCOME_INIT;
	char *id = queue_add(s, "default", "a@example.net");

	assert_int_equal(spool_take(s, id, &e, &o), 1);
	add_many(s, 3);
	p.other = &e;
	p.other_tries = tries;
	expect(s, &p, everything, delivered, 0, left);
	assert_string_equal(p.seen.p, seen);
	free(id);
	buf_release(&p.seen);
	queue_close(s);
}

/* What another process has when its turn comes is looked at once more when all
 * others have gone. */
static void what_another_has_left_goes(void **state)
{
	(void)state;
	expect_beside_another(false, false, 4, 0,
			      "u0@example.net u1@example.net "
			      "u2@example.net a@example.net ");
}

/* Also where everything is to be sent, due or not: that was the attempt. */
static void what_another_has_tried_is_not_tried_again(void **state)
{
	(void)state;
	expect_beside_another(true, true, 3, 1,
			      "u0@example.net u1@example.net u2@example.net ");
}

/* Nobody is told of what another has held, while it is held. */
static void what_another_holds_is_not_reported(void **state)
{
	struct spool *s = queue_open();
	struct pretence p = PRETENCE;
	struct entry e = ENTRY_INIT;

	(void)state;
	free(add_refused(s, "a@example.net", &e));
	add_many(s, 3);
	p.other = &e;
	p.other_holds = true;
	expect(s, &p, true, 3, 0, 1);
	assert_string_equal(p.seen.p,
			    "u0@example.net u1@example.net u2@example.net ");
	buf_release(&p.seen);
	queue_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empties_the_queue),
		cmocka_unit_test(each_recipient_stands_alone),
		cmocka_unit_test(a_dead_server_costs_one_attempt),
		cmocka_unit_test(what_is_late_does_not_grow),
		cmocka_unit_test(sessions_that_end_are_followed),
		cmocka_unit_test(a_run_has_its_end),
		cmocka_unit_test(one_that_kills_is_put_off),
		cmocka_unit_test(a_refused_login_stops_its_lane),
		cmocka_unit_test(an_account_that_is_gone_keeps_its_mail),
		cmocka_unit_test(held_ones_stay),
		cmocka_unit_test(what_was_settled_goes),
		cmocka_unit_test(what_stays_is_known_to_be_sent),
		cmocka_unit_test(
			where_nothing_can_be_noted_several_get_nothing),
		cmocka_unit_test(what_another_has_left_goes),
		cmocka_unit_test(what_another_has_tried_is_not_tried_again),
		cmocka_unit_test(what_another_holds_is_not_reported),
		cmocka_unit_test(a_report_goes_in_the_same_run),
		cmocka_unit_test(a_report_that_was_not_noted_is_made_once),
		cmocka_unit_test(a_report_that_is_held_stays_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
